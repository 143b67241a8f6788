/* Signal names and numbers as the user writes them for `kill`. */
#pragma once

#include "base/error.h"

/*
 * "9", "KILL", "SIGKILL", "sigkill", "RTMIN", "RTMIN+3", "RTMAX-2". Numbers are strict and may be 0 (does the
 * process exist?). Error: unknown signal "9x". Returns the number.
 */
int signal_parse(const char *text, struct error *err);
