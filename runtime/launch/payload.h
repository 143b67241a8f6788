/*
 * Steps that give the calling process what the payload is to have; shared by init (init.c) and exec's child
 * (exec_child.c). All of them take the process from launch->process, so that they fit both.
 */
#pragma once

#include "launch/context.h"

int payload_leave_runtime(struct launch *launch,
                          struct error *err); /* session, descriptors, log over the socket */
int payload_keyring(struct launch *launch, struct error *err);
int payload_oom_score(struct launch *launch, struct error *err);
/* Item 77. */
int payload_reset_affinity(struct launch *launch, struct error *err);
int payload_attributes(struct launch *launch,
                       struct error *err); /* rlimits, scheduling, memory policy, personality */
int payload_label(struct launch *launch, struct error *err);
/*
 * The one tested order: working directory, bounding set, no_new_privs, groups, gid, uid, capabilities, umask,
 * the speculation guard. With a seccomp filter to load and no no_new_privs, CAP_SYS_ADMIN stays in the
 * permitted set until execve() takes it away (it is in neither the bounding nor the ambient set).
 */
int payload_shed_privileges(struct launch *launch, struct error *err);
/* Are additionalGids possible in this user namespace? While the host's procfs is open. */
int payload_check_groups(struct launch *launch, struct error *err);
int payload_landlock_rules(struct launch *launch, struct error *err); /* while paths can still be opened */
int payload_landlock(struct launch *launch, struct error *err);
int payload_find_executable(struct launch *launch, struct error *err);
int payload_ready(struct launch *launch, struct error *err);
int payload_wait_at_gate(struct launch *launch, struct error *err);
int payload_reset_signals(struct launch *launch, struct error *err);
int payload_seccomp(struct launch *launch, struct error *err);
int payload_execute(struct launch *launch, struct error *err);
