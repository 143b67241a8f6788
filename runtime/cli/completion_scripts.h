/* The shell completion scripts; one file for each shell. Options without help text are left out of all of
 * them. */
#pragma once

#include "cli/cli.h"

void completion_bash(struct buffer *out);
void completion_zsh(struct buffer *out);
void completion_fish(struct buffer *out);

/* What to offer as the value of an option or argument, told by its metavar. */
enum completion_kind {
    COMPLETION_NOTHING,
    COMPLETION_FILE,
    COMPLETION_DIRECTORY,
    COMPLETION_WORDS, /* the metavar is "a|b|c" */
    COMPLETION_CONTAINER,
};
enum completion_kind completion_kind_of(const char *metavar);

/* "a|b|c" as "a b c". */
void completion_add_words(struct buffer *out, const char *choices);

/* 'text' for a shell; what is in `escaped` gets a backslash inside the quotes. */
void completion_add_quoted(struct buffer *out, const char *text, const char *escaped);
