/* Finds the place of a mount inside the container's root, once; from then on only the descriptor is used
 * (security rule 1). */
#pragma once

#include "rootfs/plan.h"

enum destination_type { DESTINATION_DIRECTORY, DESTINATION_FILE, DESTINATION_EXISTING };

/*
 * O_PATH fd of the destination. What is missing is made (directories, and an empty file at the end for
 * DESTINATION_FILE). *made says whether it was; may be NULL. Places on procfs other than a few files are
 * refused (item 119).
 */
int destination_open(const struct rootfs_plan *plan, const struct mount_op *op, enum destination_type type,
                     bool *made, struct error *err);

/*
 * Makes a path inside root, through links that dangle if need be (an image may bring /var/run -> /run without
 * /run). O_PATH fd, or -1 with errno.
 */
int destination_make(int root, const char *path, bool directory);

/* A directory inside root and the name of the last component in it. O_PATH fd; directories that are missing
 * are made. */
int destination_open_parent(int root, const char *normal_path, const char **name);
