/*
 * The speculation guard. Runs in init and in exec's child among the last steps before the payload; the probe
 * runs in the runtime. prctl(2) only. The third control, flushing L1D at context switches, is left alone: on
 * a core with SMT the kernel answers it with SIGBUS.
 */
#include "security/speculation.h"

#include <stddef.h>
#include <sys/prctl.h>

#define GET_SPECULATION_CONTROL 52
#define SET_SPECULATION_CONTROL 53
#define FORCE_DISABLE 8UL

/* Bits of what PR_GET_SPECULATION_CTRL answers. */
#define NOT_AFFECTED 0
#define BY_PRCTL 1
#define DISABLED 4
#define FORCE_DISABLED 8

static const struct {
    unsigned long number;
    const char *name;
} controls[] = {
    { 0, "store bypass" },
    { 1, "indirect branch" },
};
#define CONTROL_COUNT (sizeof controls / sizeof *controls)

/* Forced here; or, where a process has no say, off for all of them; or not a problem of this CPU. */
bool speculation_is_off(int get)
{
    if (get < 0)
        return false;
    if (get == NOT_AFFECTED || (get & FORCE_DISABLED))
        return true;
    return !(get & BY_PRCTL) && (get & DISABLED);
}

static enum speculation_state state_of(size_t off)
{
    if (off == CONTROL_COUNT)
        return SPECULATION_ACTIVE;
    return off ? SPECULATION_DEGRADED : SPECULATION_UNSUPPORTED;
}

static int get(size_t control)
{
    return prctl(GET_SPECULATION_CONTROL, controls[control].number, 0UL, 0UL, 0UL);
}

int speculation_guard(bool required, enum speculation_state *state, struct error *err)
{
    size_t off = 0;

    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        /* EPERM means "already forced" as well as "not on this machine": only asking tells them apart. */
        int result = prctl(SET_SPECULATION_CONTROL, controls[i].number, FORCE_DISABLE, 0UL, 0UL);
        int code = errno;

        if (result == 0 || speculation_is_off(get(i))) {
            off++;
        } else if (required) {
            errno = code;
            return fail_errno(err, "speculation guard: %s", controls[i].name);
        }
    }
    if (state)
        *state = state_of(off);
    return 0;
}

enum speculation_state speculation_probe(void)
{
    size_t off = 0;

    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        int now = get(i);

        off += speculation_is_off(now) || (now > 0 && (now & BY_PRCTL));
    }
    return state_of(off);
}
