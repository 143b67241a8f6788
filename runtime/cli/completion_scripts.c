/* What the three completion scripts share. Pure. */
#include "cli/completion_scripts.h"

#include <string.h>

enum completion_kind completion_kind_of(const char *metavar)
{
    if (!metavar)
        return COMPLETION_NOTHING;
    if (strncmp(metavar, "ID", 2) == 0)
        return COMPLETION_CONTAINER;
    if (strcmp(metavar, "FILE") == 0 || strcmp(metavar, "SOCKET") == 0)
        return COMPLETION_FILE;
    if (strcmp(metavar, "DIR") == 0 || strcmp(metavar, "[BUNDLE]") == 0)
        return COMPLETION_DIRECTORY;
    return strchr(metavar, '|') ? COMPLETION_WORDS : COMPLETION_NOTHING;
}

void completion_add_words(struct buffer *out, const char *choices)
{
    for (; *choices; choices++)
        buffer_add_char(out, *choices == '|' ? ' ' : *choices);
}

void completion_add_quoted(struct buffer *out, const char *text, const char *escaped)
{
    buffer_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            buffer_add_string(out, "'\\''");
            continue;
        }
        if (strchr(escaped, *text))
            buffer_add_char(out, '\\');
        buffer_add_char(out, *text);
    }
    buffer_add_char(out, '\'');
}
