/*
 * Values of unit properties as text in the format of GVariant, which org.systemd.property annotations hold:
 * "uint64 5", "['a', 'b']", "[('/dev/null', 'rw')]". Pure; what comes out says its D-Bus type.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct unit_value {
    char *signature; /* of D-Bus: "t", "as", "(ss)", "v"; owned */
    union {
        uint64_t number; /* b y q u t, and the bits of n i x h */
        double real;     /* d */
        char *text;      /* s o g; owned */
    };
    struct unit_value *items; /* of an array or a tuple; the content of a variant */
    size_t count;
};

/* Booleans, all numbers with their type in front (alone: int32), strings, arrays, tuples, variants, byte
 * strings and "@TYPE". No dictionaries. */
int unit_value_parse(const char *text, struct unit_value *value, struct error *err);
void unit_value_free(struct unit_value *value);

/* Seconds of any number type become microseconds as uint64: what systemd's properties with "USec" take. */
int unit_value_to_microseconds(struct unit_value *value, struct error *err);
