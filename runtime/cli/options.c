/* The option parser: see options.h. Pure: knows no command and no option. */
#include "cli/options.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *const *next;
    const struct option_table *tables;
    size_t table_count;
};

/* One word of argv that is an option, taken apart: "--name=value". */
struct word {
    const char *text; /* as typed, for errors */
    const char *name; /* without dashes, up to '=' */
    size_t name_length;
    const char *value; /* behind '=', or NULL */
    bool single_dash;
};

struct match {
    const struct option_row *row; /* NULL: unknown */
    void *target;
};

void option_values_add(struct option_values *values, const char *value)
{
    /* One element more than counted stays allocated, so that the array always ends in NULL. */
    values->items = memory_resize(values->items, (values->count + 2) * sizeof *values->items);
    values->items[values->count++] = value;
    values->items[values->count] = NULL;
}

void option_values_free(struct option_values *values)
{
    free(values->items);
    *values = (struct option_values){ 0 };
}

void options_free_values(const struct option_row *rows, void *target)
{
    for (; rows && rows->name; rows++)
        if (rows->kind == OPTION_LIST && rows->offset != OPTION_IGNORED)
            option_values_free((struct option_values *)((char *)target + rows->offset));
}

bool option_choice_has(const char *choices, const char *value)
{
    size_t length = strlen(value);

    while (*choices) {
        size_t word = strcspn(choices, "|");

        if (word == length && strncmp(choices, value, length) == 0)
            return true;
        choices += word + (choices[word] == '|');
    }
    return false;
}

static bool row_has_name(const struct option_row *row, const struct word *word)
{
    if (strlen(row->name) == word->name_length && strncmp(row->name, word->name, word->name_length) == 0)
        return true;
    return word->name_length == 1 && row->letter == word->name[0];
}

static struct match find_option(const struct parser *parser, const struct word *word)
{
    for (size_t i = 0; i < parser->table_count; i++)
        for (const struct option_row *row = parser->tables[i].rows; row->name; row++)
            if (row_has_name(row, word))
                return (struct match){ row, parser->tables[i].target };
    return (struct match){ 0 };
}

static bool is_flag(const struct option_row *row)
{
    return row->kind == OPTION_FLAG || row->kind == OPTION_SWITCH;
}

/* The spellings of Go's strconv.ParseBool, which callers of runc may use. */
static int parse_bool(const char *text)
{
    if (option_choice_has("1|t|T|true|TRUE|True", text))
        return 1;
    return option_choice_has("0|f|F|false|FALSE|False", text) ? 0 : -1;
}

/* Where the value goes; NULL when it is ignored. */
static void *place_of(const struct match *match)
{
    return match->row->offset == OPTION_IGNORED ? NULL : (char *)match->target + match->row->offset;
}

static int bad_value(const struct option_row *row, const char *value, const char *why, struct error *err)
{
    return fail(err, EINVAL, "invalid value \"%s\" for flag --%s: %s", value, row->name, why);
}

static int bad_choice(const struct option_row *row, const char *value, struct error *err)
{
    auto_buffer struct buffer why = { 0 };

    buffer_add_string(&why, "must be one of ");
    for (const char *c = row->metavar; *c; c++)
        buffer_add_string(&why, *c == '|' ? ", " : (char[]){ *c, '\0' });
    return bad_value(row, value, why.data, err);
}

static int store_flag(const struct option_row *row, void *place, const char *value, struct error *err)
{
    int on = value ? parse_bool(value) : 1;

    if (on < 0)
        return bad_value(row, value, "must be true or false", err);
    if (!place)
        return 0;
    if (row->kind == OPTION_SWITCH)
        *(enum option_switch *)place = on ? OPTION_ON : OPTION_OFF;
    else
        *(bool *)place = on;
    return 0;
}

static int store_count(const struct option_row *row, void *place, const char *value, struct error *err)
{
    int64_t number;

    if (!number_parse(value, 0, INT_MAX, &number))
        return bad_value(row, value, "must be a number, 0 or more", err);
    if (place)
        *(int *)place = (int)number;
    return 0;
}

static int store_value(const struct match *match, const char *value, struct error *err)
{
    const struct option_row *row = match->row;
    void *place = place_of(match);

    if (row->kind == OPTION_COUNT)
        return store_count(row, place, value, err);
    if (row->kind == OPTION_CHOICE && !option_choice_has(row->metavar, value))
        return bad_choice(row, value, err);
    if (!place)
        return 0;
    if (row->kind == OPTION_LIST)
        option_values_add(place, value);
    else
        *(const char **)place = *value || row->kind == OPTION_TEXT ? value : NULL;
    return 0;
}

static int take_option(struct parser *parser, const struct match *match, const struct word *word,
                       struct error *err)
{
    const struct option_row *row = match->row;

    if (is_flag(row))
        return store_flag(row, place_of(match), word->value, err);
    if (word->value)
        return store_value(match, word->value, err);
    if (!*parser->next)
        return fail(err, EINVAL, "flag needs an argument: %s", word->text);
    return store_value(match, *parser->next++, err);
}

/* "-td": only letters that are all known, and flags up to the last; otherwise nothing of it is taken. */
static bool is_cluster(const struct parser *parser, const struct word *word)
{
    if (!word->single_dash || word->value || word->name_length < 2)
        return false;
    for (size_t i = 0; i < word->name_length; i++) {
        struct word letter = { .name = word->name + i, .name_length = 1 };
        struct match match = find_option(parser, &letter);

        if (!match.row || (!is_flag(match.row) && i + 1 < word->name_length))
            return false;
    }
    return true;
}

static int take_cluster(struct parser *parser, const struct word *word, struct error *err)
{
    for (size_t i = 0; i < word->name_length; i++) {
        struct word letter = { .text = word->text, .name = word->name + i, .name_length = 1 };
        struct match match = find_option(parser, &letter);

        if (take_option(parser, &match, &letter, err) < 0)
            return -1;
    }
    return 0;
}

static int parse_word(struct parser *parser, const char *text, struct error *err)
{
    struct word word = { .text = text, .name = text + 1, .single_dash = true };
    struct match match;

    if (*word.name == '-') {
        word.name++;
        word.single_dash = false;
    }
    word.name_length = strcspn(word.name, "=");
    if (word.name[word.name_length])
        word.value = word.name + word.name_length + 1;
    match = find_option(parser, &word);
    if (match.row)
        return take_option(parser, &match, &word, err);
    if (is_cluster(parser, &word))
        return take_cluster(parser, &word, err);
    return fail(err, EINVAL, "flag provided but not defined: -%.*s", (int)word.name_length, word.name);
}

static bool is_positional(const char *text)
{
    return text[0] != '-' || !text[1] || isdigit((unsigned char)text[1]);
}

int options_parse(const char *const *argv, const struct option_table *tables, size_t table_count,
                  enum option_order order, struct option_values *positionals, struct error *err)
{
    struct parser parser = { argv, tables, table_count };
    bool options_ended = false;

    while (*parser.next) {
        const char *text = *parser.next++;

        if (options_ended || is_positional(text)) {
            option_values_add(positionals, text);
            options_ended |= order == OPTIONS_FIRST;
        } else if (strcmp(text, "--") == 0) {
            options_ended = true;
        } else if (parse_word(&parser, text, err) < 0) {
            return -1;
        }
    }
    return 0;
}
