/*
 * linux.seccomp with the annotations that change it (items 222, 231): run.oci.seccomp_bpf_data, a finished
 * program that takes the place of the profile, and run.oci.seccomp_fail_unknown_syscall. Pure; runs in the
 * runtime.
 */
#include "security/seccomp_internal.h"
#include "security/security.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "oci-specs/edit.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define RAW_PROGRAM "run.oci.seccomp_bpf_data"
#define FAIL_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"

/* ---- base64 ----------------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* With padding, without blanks. The number of bytes, or -1. */
static ssize_t decode(const char *text, unsigned char *out)
{
    size_t length = strlen(text), count = 0;
    unsigned bits = 0;

    if (length == 0 || length % 4 != 0)
        return -1;
    length -= (text[length - 1] == '=') + (text[length - 1] == '=' && text[length - 2] == '=');
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text[i]);

        if (digit < 0)
            return -1;
        bits = bits << 6 | (unsigned)digit;
        if (i % 4 != 0)
            out[count++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return (ssize_t)count;
}

/* ---- the two annotations ---------------------------------------------------------------------------- */

static int take_program(const char *text, struct seccomp_filter *filter, struct error *err)
{
    auto_free unsigned char *bytes = memory_new(strlen(text) + 1);
    ssize_t length = decode(text, bytes);
    const size_t size = sizeof(struct sock_filter);

    if (length <= 0 || (size_t)length % size != 0)
        return fail(err, EINVAL, "annotations." RAW_PROGRAM ": is not a seccomp program in base64");
    if ((size_t)length / size > BPF_MAXINSNS)
        return fail(err, E2BIG,
                    "annotations." RAW_PROGRAM ": has %zu instructions, and the kernel takes %d at most",
                    (size_t)length / size, BPF_MAXINSNS);
    filter->program.len = (unsigned short)((size_t)length / size);
    filter->program.filter = memory_new((size_t)length);
    memcpy(filter->program.filter, bytes, (size_t)length);
    return 0;
}

static int check_names(const struct oci_seccomp *seccomp, struct error *err)
{
    const struct seccomp_arch *native = seccomp_arch_of_token(seccomp_arch_native());
    struct seccomp_call call;

    for (size_t i = 0; native && i < seccomp->syscalls_count; i++)
        for (size_t j = 0; j < seccomp->syscalls[i].names.count; j++)
            if (!seccomp_arch_call(native, seccomp->syscalls[i].names.items[j], &call))
                return fail(err, EINVAL,
                            "linux.seccomp.syscalls[%zu].names[%zu]: '%.80s' is not a system call", i, j,
                            seccomp->syscalls[i].names.items[j]);
    return 0;
}

int seccomp_filter_from_config(const struct oci_config *config, struct seccomp_filter *filter,
                               struct error *err)
{
    const char *raw = string_map_get(&config->annotations, RAW_PROGRAM);
    const char *strict = string_map_get(&config->annotations, FAIL_UNKNOWN);
    const struct oci_seccomp *seccomp = config->linux ? config->linux->seccomp : NULL;

    *filter = (struct seccomp_filter){ 0 };
    if (raw) {
        filter->flags = seccomp ? seccomp_flags(seccomp) : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        return take_program(raw, filter, err);
    }
    if (!seccomp)
        return 0;
    if (strict && *strict && strcmp(strict, "0") != 0 && check_names(seccomp, err) < 0)
        return -1;
    return seccomp_filter_make(seccomp, filter, err);
}
