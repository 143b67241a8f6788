/* Properties of a unit as words: see systemd_words.h. Runs in the runtime and in the companion. */
#include "cgroup/systemd_words.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "-",    "optional",      "seconds",      "optional,seconds",
                                     "list", "optional,list", "seconds,list", "optional,seconds,list" };

void systemd_words_add(const struct unit_properties *properties, const char ***words, size_t *count)
{
    for (size_t i = 0; i < properties->count; i++) {
        const struct unit_property *row = &properties->items[i];

        *array_grow(*words, *count) = row->name;
        *array_grow(*words, *count) = row->value;
        *array_grow(*words, *count) = row->property;
        *array_grow(*words, *count) =
            kinds[(row->optional ? 1 : 0) + (row->seconds ? 2 : 0) + (row->list ? 4 : 0)];
    }
}

static int read_one(const char *const *words, struct unit_property *row)
{
    for (size_t i = 1; i < 4; i++)
        if (!words[i])
            return -1;
    for (size_t i = 0; i < array_length(kinds); i++) {
        if (strcmp(words[3], kinds[i]) != 0)
            continue;
        *row = (struct unit_property){ .name = memory_string(words[0]),
                                       .value = memory_string(words[1]),
                                       .property = memory_string(words[2]),
                                       .optional = i & 1,
                                       .seconds = i & 2,
                                       .list = i & 4 };
        return 0;
    }
    return -1;
}

int systemd_words_read(const char *const *words, struct unit_properties *properties, struct error *err)
{
    for (; *words; words += 4) {
        struct unit_property row;

        if (read_one(words, &row) < 0)
            return fail(err, EINVAL, "the properties of a unit are cut off");
        *array_grow(properties->items, properties->count) = row;
    }
    return 0;
}
