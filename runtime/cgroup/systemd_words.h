/* A request to systemd as words, for the companion's command line. Pure. */
#pragma once

#include "cgroup/systemd_properties.h"

#define SYSTEMD_WORD_USER "user"
#define SYSTEMD_WORD_SYSTEM "system"

/* Appends four words for each property, borrowed from it. */
void systemd_words_add(const struct unit_properties *properties, const char ***words, size_t *count);

/* The way back; NULL ends the words. */
int systemd_words_read(const char *const *words, struct unit_properties *properties, struct error *err);
