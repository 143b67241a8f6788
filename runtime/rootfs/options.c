/*
 * Sorts mount options into attributes of the mount, flags of the superblock, propagation and file-system data
 * (contract items 92-107, 129). Runs in the runtime while it plans; knows nothing of the system.
 */
#include "rootfs/options.h"

#include "base/memory.h"
#include "rootfs/rootfs.h"

#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

enum option_kind {
    NONE,
    SET,
    CLEAR,
    ATIME_ON,
    ATIME_OFF,
    RECURSIVE_SET,
    RECURSIVE_CLEAR,
    RECURSIVE_ATIME_ON,
    RECURSIVE_ATIME_OFF,
    SUPER_SET,
    SUPER_CLEAR,
    PROPAGATION,
    SPECIAL,
};

struct option {
    const char *name;
    enum option_kind kind;
    unsigned value;
};

static const struct option table[] = {
#define OPTION(name, kind, value) { name, kind, (unsigned)(value) },
#include "rootfs/options.def"
#undef OPTION
};

static const char *const names[] = {
#define OPTION(name, kind, value) name,
#include "rootfs/options.def"
#undef OPTION
    NULL,
};

const char *const *rootfs_known_mount_options(void)
{
    return names;
}

static int compare(const void *name, const void *option)
{
    return strcmp(name, ((const struct option *)option)->name);
}

static const struct option *find(const char *name)
{
    return bsearch(name, table, array_length(table), sizeof *table, compare);
}

static void attribute_set(struct option_attributes *attributes, uint64_t bit)
{
    attributes->set |= bit;
    attributes->clear &= ~bit;
}

static void attribute_clear(struct option_attributes *attributes, uint64_t bit)
{
    attributes->set &= ~bit;
    attributes->clear |= bit;
}

/* The modes are one field: whoever sets one must clear them all (item 99). RELATIME is the value 0. */
static void atime_choose(struct option_attributes *attributes, uint64_t mode)
{
    attributes->set = (attributes->set & ~(uint64_t)MOUNT_ATTR__ATIME) | mode;
    attributes->clear |= MOUNT_ATTR__ATIME;
}

/* "nostrictatime" after "noatime" says nothing; alone, or after "strictatime", it means the default,
 * relatime. */
static void atime_reject(struct option_attributes *attributes, uint64_t mode)
{
    bool chosen = attributes->clear & MOUNT_ATTR__ATIME;

    if (chosen && (attributes->set & MOUNT_ATTR__ATIME) != mode)
        return;
    if (mode != MOUNT_ATTR_RELATIME)
        atime_choose(attributes, MOUNT_ATTR_RELATIME);
    else
        attributes->clear &= ~(uint64_t)MOUNT_ATTR__ATIME;
}

static void apply(struct mount_options *options, const struct option *option)
{
    switch (option->kind) {
    case NONE:
        break;
    case SET:
        attribute_set(&options->attributes, option->value);
        break;
    case CLEAR:
        attribute_clear(&options->attributes, option->value);
        break;
    case ATIME_ON:
        atime_choose(&options->attributes, option->value);
        break;
    case ATIME_OFF:
        atime_reject(&options->attributes, option->value);
        break;
    case RECURSIVE_SET:
        attribute_set(&options->recursive, option->value);
        break;
    case RECURSIVE_CLEAR:
        attribute_clear(&options->recursive, option->value);
        break;
    case RECURSIVE_ATIME_ON:
        atime_choose(&options->recursive, option->value);
        break;
    case RECURSIVE_ATIME_OFF:
        atime_reject(&options->recursive, option->value);
        break;
    case SUPER_SET:
        options->super_set |= option->value;
        options->super_clear &= ~(unsigned long)option->value;
        break;
    case SUPER_CLEAR:
        options->super_set &= ~(unsigned long)option->value;
        options->super_clear |= option->value;
        break;
    case PROPAGATION:
        *array_grow(options->propagation, options->propagation_count) = option->value;
        break;
    case SPECIAL:
        options->special |= option->value;
        break;
    }
}

void mount_options_data_add(struct mount_options *options, const char *key, const char *value)
{
    struct option_data *data = array_grow(options->data, options->data_count);

    data->key = memory_string(key);
    data->value = memory_string(value);
}

const char *mount_options_data_get(const struct mount_options *options, const char *key)
{
    for (size_t i = options->data_count; i-- > 0;)
        if (strcmp(options->data[i].key, key) == 0)
            return options->data[i].value ? options->data[i].value : "";
    return NULL;
}

/* crun's idmap=uids=…;gids=…: a mapping of its own (item 105). */
static bool add_idmap(struct mount_options *options, const char *key, const char *value)
{
    bool recursive = strcmp(key, "ridmap") == 0;

    if (!value || (!recursive && strcmp(key, "idmap") != 0))
        return false;
    options->special |= OPTION_IDMAP | (recursive ? OPTION_IDMAP_RECURSIVE : 0);
    free(options->idmap);
    options->idmap = memory_string(value);
    return true;
}

static int add_pair(void *context, const char *key, const char *value, struct error *err)
{
    struct mount_options *options = context;
    const struct option *option = value ? NULL : find(key);

    if (!*key)
        return value ? fail(err, EINVAL, "'=%s' has no name", value) : 0;
    if (option)
        apply(options, option);
    else if (!value && (strcmp(key, "z") == 0 || strcmp(key, "Z") == 0))
        options->special |= OPTION_RELABEL;
    else if (!add_idmap(options, key, value))
        mount_options_data_add(options, key, value);
    return 0;
}

static int add_plain(struct mount_options *options, const char *element, struct error *err)
{
    const char *equals = strchr(element, '=');
    char *key;
    int result;

    if (!equals)
        return add_pair(options, element, NULL, err);
    key = memory_string_n(element, (size_t)(equals - element));
    result = add_pair(options, key, equals + 1, err);
    free(key);
    return result;
}

int mount_options_parse(const struct strings *strings, struct mount_options *options, struct error *err)
{
    for (size_t i = 0; i < strings->count; i++) {
        const char *element = strings->items[i];
        int result = strpbrk(element, ",\"") ? option_split(element, add_pair, options, err)
                                             : add_plain(options, element, err);

        if (result < 0)
            return -1;
    }
    return 0;
}

void mount_options_free(struct mount_options *options)
{
    for (size_t i = 0; i < options->data_count; i++) {
        free(options->data[i].key);
        free(options->data[i].value);
    }
    free(options->data);
    free(options->propagation);
    free(options->idmap);
    memset(options, 0, sizeof *options);
}

uint64_t mount_options_attributes(const struct mount_options *options)
{
    return (options->attributes.set & ~options->recursive.clear) | options->recursive.set;
}
