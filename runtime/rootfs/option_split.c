/*
 * Splits a mount option element that has commas or quotes in it, with libmount's own rules. The library is
 * loaded here, when the first such element turns up, because linking it would cost every command half a
 * millisecond. Runs in the runtime.
 */
#include "rootfs/options.h"

#include "base/cleanup.h"
#include "base/dlopen_note.h"
#include "base/memory.h"

#include <dlfcn.h>
#include <libmount.h>
#include <string.h>

DLOPEN_NOTE(mount, "mount-options", "splits mount options with commas or quotes", "suggested",
            "libmount.so.1");

static __typeof__(mnt_optstr_next_option) *load(struct error *err)
{
    /* Never closed: the next element needs it again, and the process is short. */
    void *library = dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL);
    void *function = library ? dlsym(library, "mnt_optstr_next_option") : NULL;

    if (!function)
        fail(err, ENOTSUP, "cannot load libmount.so.1, which splits options with commas or quotes");
    return (__typeof__(mnt_optstr_next_option) *)function;
}

static char *unquoted(const char *value, size_t length)
{
    if (!value)
        return NULL;
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
        return memory_string_n(value + 1, length - 2);
    return memory_string_n(value, length);
}

int option_split(const char *element,
                 int (*each)(void *context, const char *key, const char *value, struct error *err),
                 void *context, struct error *err)
{
    __typeof__(mnt_optstr_next_option) *next_option = load(err);
    auto_free char *copy = memory_string(element);
    char *position = copy;

    if (!next_option)
        return -1;
    for (;;) {
        char *name = NULL, *value = NULL;
        size_t name_length = 0, value_length = 0;
        int result = next_option(&position, &name, &name_length, &value, &value_length);

        if (result == 1) /* the end */
            return 0;
        if (result < 0 || !name)
            return fail(err, EINVAL, "'%s' is not a list of mount options", element);

        auto_free char *key_text = memory_string_n(name, name_length);
        auto_free char *value_text = unquoted(value, value_length);

        if (each(context, key_text, value_text, err) < 0)
            return -1;
    }
}
