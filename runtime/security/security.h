/* Capabilities, seccomp and labels: the last things given up before the payload runs. */
#pragma once

#include "base/error.h"
#include "oci-specs/types.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- capabilities.c: raw capset, no library --------------------------------------------------------- */

/* Bit of "CAP_CHOWN", or -1. */
int capability_from_name(const char *name);
const char *capability_name(int number);
int capability_last(void); /* highest one this kernel has */

struct process_plan;
int capabilities_drop_bounding(const struct process_plan *plan,
                               struct error *err);                          /* before the uid changes */
int capabilities_apply(const struct process_plan *plan, struct error *err); /* after: E, P, I, then ambient */

/* ---- seccomp: seccomp_plan.c (pure) and seccomp_load.c ---------------------------------------------- */

struct seccomp_filter {
    struct sock_fprog program; /* owned instructions; len 0: no filter */
    unsigned flags;            /* SECCOMP_FILTER_FLAG_* */
    bool notify;               /* has a NOTIFY action: loading returns a listener fd */
};

/* Compiles linux.seccomp with libseccomp. Unknown syscall names: a debug line (item 222). */
int seccomp_filter_make(const struct oci_seccomp *seccomp, struct seccomp_filter *filter, struct error *err);
/* The same for a whole config, with the annotations that change the filter (items 222, 231). */
int seccomp_filter_from_config(const struct oci_config *config, struct seccomp_filter *filter,
                               struct error *err);
void seccomp_filter_free(struct seccomp_filter *filter);

/* Loads it; *listener is the notify fd or -1. no_new_privs or CAP_SYS_ADMIN is needed. */
int seccomp_filter_load(const struct seccomp_filter *filter, int *listener, struct error *err);

/* ---- label.c ---------------------------------------------------------------------------------------- */

bool label_apparmor_enabled(void);
bool label_selinux_enabled(void);
/* For the next execve, through a verified procfs. Errors quote the file in backticks: podman's regexps want
 * that (P7). */
int label_set_exec(const struct oci_process *process, int procfs, struct error *err);
int label_set_keyring(const char *selinux_label, int procfs, struct error *err);
