/*
 * Filters that nobody has to write: what code you do not trust never needs (S-2), and what makes a network
 * mode out of system calls (S-5). A preset is an ordinary struct oci_seccomp, so it can be shown, stored and
 * compiled like one of config.json. It is never merged with that one rule by rule: the two programs are
 * chained, and a call has to pass both.
 */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"
#include "security/security.h"

#include <stdbool.h>
#include <stddef.h>

enum seccomp_network {
    SECCOMP_NETWORK_ANY,
    SECCOMP_NETWORK_UNIX_ONLY,  /* socket() and socketpair() only with AF_UNIX, no io_uring */
    SECCOMP_NETWORK_RESTRICTED, /* that, and no connect, bind, listen, accept, send … either */
};

enum seccomp_denial { SECCOMP_DENY_EPERM, SECCOMP_DENY_EACCES, SECCOMP_DENY_KILL };

struct seccomp_preset {
    bool builtin;               /* the built-in deny list */
    const struct strings *deny; /* more names, or NULL */
    enum seccomp_network network;
    enum seccomp_denial denial; /* clone3 gets ENOSYS all the same, so that libraries fall back to clone */
    /*
     * Foreign architectures that stay open: those that config.json lists. All others (int80 on x86_64, x32)
     * kill the process. A network mode closes them whatever is listed.
     */
    const enum oci_seccomp_arch *architectures;
    size_t architecture_count;
};

/*
 * The rules, owned: schema_free(&oci_seccomp_schema, …). Pure. `what` names the list in errors and warnings:
 * a name that no architecture knows is warned of and skipped; execve, execveat and exit_group are refused.
 */
struct oci_seccomp *seccomp_preset_make(const struct seccomp_preset *preset, const char *what,
                                        struct error *err);

/* Compiles a preset: like seccomp_filter_make(), but a foreign architecture ends the whole process (S-4). */
int seccomp_preset_compile(const struct oci_seccomp *preset, struct seccomp_filter *filter,
                           struct error *err);

/*
 * Puts `first` in front of `filter`: what `first` allows, `filter` (which may be empty) decides. One program,
 * because a filter that forbids seccomp(2) lets no second one in. Takes over what `first` holds.
 */
int seccomp_filter_chain(struct seccomp_filter *filter, struct seccomp_filter *first, struct error *err);
