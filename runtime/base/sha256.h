/* SHA-256 (FIPS 180-4), to name things by their contents. Nothing secret depends on it. */
#pragma once

#include <stddef.h>

#define SHA256_TEXT_SIZE 65

/* As lower-case hexadecimal digits. */
void sha256_text(const void *data, size_t length, char text[SHA256_TEXT_SIZE]);
