/* Options of create and run. The tables fill a struct launch_options directly. */
#include "cli/launch_options.h"

const struct option_row launch_option_rows[] = {
    { "bundle", 'b', OPTION_STRING, offsetof(struct launch_options, bundle), "DIR",
      "the bundle: the directory with config.json (default: .)" },
    { "config", 'f', OPTION_STRING, offsetof(struct launch_options, config), "FILE",
      "use this file instead of the bundle's config.json" },
    { "console-socket", 0, OPTION_STRING, offsetof(struct launch_options, console_socket), "SOCKET",
      "send the terminal's master to this AF_UNIX socket" },
    { "pid-file", 0, OPTION_STRING, offsetof(struct launch_options, pid_file), "FILE",
      "write the pid of the container's init to this file" },
    { "pidfd-socket", 0, OPTION_STRING, offsetof(struct launch_options, pidfd_socket), "SOCKET",
      "send a pidfd of the container's init to this AF_UNIX socket" },
    { "preserve-fds", 0, OPTION_COUNT, offsetof(struct launch_options, preserve_fds), "N",
      "pass descriptors 3 to 2+N to the container" },
    { "no-pivot", 0, OPTION_FLAG, offsetof(struct launch_options, no_pivot), NULL,
      "use chroot instead of pivot_root (root file systems in a ramdisk)" },
    { "no-new-keyring", 0, OPTION_FLAG, offsetof(struct launch_options, no_new_keyring), NULL,
      "keep the caller's session keyring" },
    { "no-subreaper", 0, OPTION_FLAG, OPTION_IGNORED, NULL, NULL },
    { 0 },
};

struct launch_options launch_options_of(const struct invocation *invocation)
{
    struct launch_options options = *(const struct launch_options *)invocation->options;

    options.id = invocation->arguments[0];
    if (invocation->globals->profile) /* one of the two: the option table has checked it */
        options.profile = policy_profile_value(invocation->globals->profile);
    options.cgroup_driver = cli_cgroup_driver(invocation->globals);
    return options;
}
