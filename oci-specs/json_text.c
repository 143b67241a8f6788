/*
 * UTF-8 and the escapes of JSON strings. Pure. yajl's own checks are not used: they accept overlong forms and
 * surrogates, and its decoder turns half a surrogate pair into a question mark without a word.
 */
#include "oci-specs/json_text.h"

#include <stdint.h>
#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t json_text_character(const char *text, size_t length)
{
    unsigned char first = length ? (unsigned char)text[0] : 0xff;
    size_t size = first < 0x80   ? 1
                  : first < 0xc2 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf5 ? 4
                                 : 0;
    unsigned char second;

    if (size <= 1 || size > length)
        return size <= 1 ? size : 0;
    for (size_t i = 1; i < size; i++)
        if (!is_continuation(text[i]))
            return 0;
    second = (unsigned char)text[1];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return size;
}

bool json_text_is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t size = text[i] > 0 ? 1 : text[i] ? json_text_character(text + i, length - i) : 0;

        if (!size)
            return false;
        i += size;
    }
    return true;
}

static uint32_t hex4(const char *text)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        char c = text[i];

        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* text is at the "u" of an escape. Returns how much of it was used, 0 for half a surrogate pair. */
static size_t unescape_unicode(const char *text, size_t length, uint32_t *code)
{
    uint32_t low;

    if (length < 5)
        return 0;
    *code = hex4(text + 1);
    if (*code < 0xd800 || *code > 0xdfff)
        return 5;
    if (*code > 0xdbff || length < 11 || text[5] != '\\' || text[6] != 'u')
        return 0;
    low = hex4(text + 7);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return 11;
}

long json_text_unescape(const char *text, size_t length, char *out)
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    size_t used = 0;

    for (size_t i = 0; i < length;) {
        const char *letter;

        if (text[i] != '\\' || i + 1 == length) {
            out[used++] = text[i++];
            continue;
        }
        i++;
        if (text[i] == 'u') {
            uint32_t code = 0;
            size_t size = unescape_unicode(text + i, length - i, &code);

            if (!size)
                return -1;
            used += encode(code, out + used);
            i += size;
            continue;
        }
        letter = strchr(letters, text[i]);
        out[used++] = letter ? values[letter - letters] : text[i]; /* else one of " \ / */
        i++;
    }
    return (long)used;
}
