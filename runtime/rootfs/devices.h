/* What is in /dev, shared by devices.c, links.c and masks.c. */
#pragma once

#include "rootfs/mount.h"

/* 0 when the fd is exactly this device (S_IFCHR or S_IFBLK and its number); -1 with errno. */
int device_fd_check(int fd, mode_t type, dev_t number);

/* /dev/fd, /dev/stdin, …, /dev/ptmx. */
int links_make(const struct rootfs_plan *plan, int dev, struct error *err);

/* Opens what masks need of the host before pivot_root hides it. */
int masks_open_sources(struct rootfs_plan *plan, struct error *err);
