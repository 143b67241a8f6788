/* What the files of runtime/sandbox share. */
#pragma once

#include "sandbox/sandbox.h"

/* ---- list.c: the list of rules -------------------------------------------------------------------------- */

/* Takes the path over. Of two rules for one path the stricter one counts. */
int sandbox_rules_add(struct sandbox_rules *rules, char *path, enum sandbox_access access, bool directory,
                      struct error *err);

/* Something that exists; links are resolved. */
int sandbox_rules_add_existing(struct sandbox_rules *rules, const char *path, enum sandbox_access access,
                               struct error *err);

/* The first of the first `count` rules that has `path` within its own. */
const struct sandbox_rule *sandbox_rules_holder(const struct sandbox_rules *rules, size_t count,
                                                const char *path);

/* Parents before children, and without what changes nothing. */
void sandbox_rules_settle(struct sandbox_rules *rules);

/* ---- guard.c: nothing else may come to a path ----------------------------------------------------------- */

/* `roots`: how many of the first rules are writable roots and overlays. */
int sandbox_guard(struct sandbox_rules *rules, size_t roots, const char *path, enum sandbox_access access,
                  struct error *err);
int sandbox_guard_names(struct sandbox_rules *rules, size_t roots, struct error *err);
void sandbox_placeholders_free(struct sandbox_rules *rules);

/* ---- overlay.c ------------------------------------------------------------------------------------------ */

/* What is mounted below an overlay would be gone in it: it stays, read-only, where no rule says anything else. */
int sandbox_overlays_add_submounts(struct sandbox_rules *rules, bool user_namespace, struct error *err);
int sandbox_overlays_make(struct sandbox_rules *rules, struct error *err);
void sandbox_overlay_free(struct sandbox_rule *rule);
