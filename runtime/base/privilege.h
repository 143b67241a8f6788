/* What this process may do on the host, as opposed to in a user namespace or in a container around us. */
#pragma once

#include <stdbool.h>

/*
 * Root of the initial user namespace with CAP_SYS_ADMIN. Everybody else is "rootless": an ordinary user, root
 * of a user namespace, and root of a container that has given its capabilities up.
 */
bool privilege_of_host(void);

/* Are we in the initial user namespace, with or without privileges? */
bool privilege_initial_user_namespace(void);
