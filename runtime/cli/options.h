/*
 * The one option parser, driven by tables. It accepts what the callers of runc and crun write (contract item
 * 288):
 *
 *     --name=value   --name value   -name value   -n value   -n=value   -ab (flags a and b)   --flag=false
 *
 * in any order with positional arguments, or only before the first one. "--" ends the options; a lone "-" and
 * what begins like a negative number ("-9") are positional. Values are borrowed from argv. Help and
 * completion read the same tables.
 */
#pragma once

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_SWITCH, /* enum option_switch: a flag that can also be left unset */
    OPTION_STRING, /* const char *; an empty value counts as not given, like runc's */
    OPTION_TEXT,   /* const char *; an empty value is one, too */
    OPTION_CHOICE, /* const char *; the metavar lists what is allowed: "table|json" */
    OPTION_LIST,   /* struct option_values: every occurrence adds one */
    OPTION_COUNT,  /* int, at least 0 */
};

enum option_switch { OPTION_UNSET, OPTION_OFF, OPTION_ON };

struct option_values {
    const char **items; /* owned; the strings are borrowed; items[count] is NULL once there is one */
    size_t count;
};

#define OPTION_IGNORED SIZE_MAX /* instead of an offset: accepted for compatibility, without effect */

struct option_row {
    const char *name; /* long name; NULL ends a table */
    char letter;      /* short name, or 0 */
    enum option_kind kind;
    size_t offset; /* of the value in the table's target */
    const char
        *metavar; /* "FILE", "DIR", "table|json", …: what help shows and completion offers; NULL for flags */
    const char *help; /* NULL: not shown */
};

struct option_table {
    const struct option_row *rows;
    void *target;
};

enum option_order {
    OPTIONS_ANYWHERE,
    OPTIONS_FIRST, /* the first positional argument and all behind it are taken as they are */
};

/*
 * Parses argv (NULL-terminated) against the tables, first match wins. Positional arguments are added to
 * *positionals, also when it fails, as are the options before the wrong one.
 */
int options_parse(const char *const *argv, const struct option_table *tables, size_t table_count,
                  enum option_order order, struct option_values *positionals, struct error *err);

void option_values_add(struct option_values *values, const char *value);
void option_values_free(struct option_values *values);
void options_free_values(const struct option_row *rows, void *target); /* of every OPTION_LIST; rows may be NULL */

/* Is `value` one of the "|"-separated words of `choices`? */
bool option_choice_has(const char *choices, const char *value);
