/* See update_resources.h. */
#include "cli/update_resources.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number.h"
#include "cli/cli.h"
#include "oci-specs/schema.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- values ----------------------------------------------------------------------------------------- */

/* The power of 1024 of a suffix: "", "b", "k", "kb", "KiB", ...; -1 when it is none. */
static int suffix_power(const char *suffix)
{
    static const char letters[] = "kmgtp";
    const char *letter = *suffix ? strchr(letters, tolower((unsigned char)*suffix)) : NULL;
    int power = letter ? (int)(letter - letters) + 1 : 0;

    if (letter)
        suffix++;
    if (!*suffix || strcasecmp(suffix, "b") == 0 || (letter && strcasecmp(suffix, "ib") == 0))
        return power;
    return -1;
}

/* The digits behind the point, of a unit: "5" of 1024 is 512. */
static int64_t fraction_of(const char *digits, size_t count, int64_t unit)
{
    int64_t value = 0;

    while (count-- > 0)
        value = (value + (digits[count] - '0') * unit) / 10;
    return value;
}

int update_parse_size(const char *text, int64_t *size)
{
    size_t digits = strspn(text, "0123456789");
    const char *point = text + digits, *suffix = point;
    size_t places = *point == '.' ? strspn(point + 1, "0123456789") : 0;
    auto_free char *number = memory_string_n(text, digits);
    int power;

    if (strcmp(text, "-1") == 0) {
        *size = -1;
        return 0;
    }
    if (places > 0)
        suffix += 1 + places;
    power = suffix_power(suffix);
    /* There is no half of a byte. */
    if (power < 0 || (places > 0 && power == 0) || !number_parse(number, 0, INT64_MAX >> (10 * power), size))
        return -1;
    *size <<= 10 * power;
    if (places > 0)
        *size += fraction_of(point + 1, places, INT64_C(1) << (10 * power));
    return 0;
}

static int bad_value(const char *flag, const char *text, struct error *err)
{
    return fail(err, EINVAL, "invalid value \"%s\" for flag --%s", text, flag);
}

static int set_size(const char *flag, const char *text, int64_t *value, bool *has, struct error *err)
{
    if (!text)
        return 0;
    *has = true;
    return update_parse_size(text, value) < 0 ? bad_value(flag, text, err) : 0;
}

static int set_signed(const char *flag, const char *text, int64_t *value, bool *has, struct error *err)
{
    if (!text)
        return 0;
    *has = true;
    return number_parse(text, INT64_MIN, INT64_MAX, value) ? 0 : bad_value(flag, text, err);
}

static int set_unsigned(const char *flag, const char *text, uint64_t *value, bool *has, struct error *err)
{
    if (!text)
        return 0;
    *has = true;
    return number_parse_unsigned(text, UINT64_MAX, value) ? 0 : bad_value(flag, text, err);
}

static void set_string(const char *text, char **value)
{
    if (!text)
        return;
    free(*value);
    *value = memory_string(text);
}

/* ---- groups of flags
 * --------------------------------------------------------------------------------------- */

static int apply_memory(const struct update_flags *flags, struct oci_resources *resources, struct error *err)
{
    struct oci_memory *memory = resources->memory;

    if (!flags->memory && !flags->memory_reservation && !flags->memory_swap)
        return 0;
    if (!memory)
        memory = resources->memory = memory_new(sizeof *memory);
    if (set_size("memory", flags->memory, &memory->limit, &memory->has_limit, err) < 0 ||
        set_size("memory-reservation", flags->memory_reservation, &memory->reservation,
                 &memory->has_reservation, err) < 0)
        return -1;
    return set_size("memory-swap", flags->memory_swap, &memory->swap, &memory->has_swap, err);
}

static int apply_cpu(const struct update_flags *flags, struct oci_resources *resources, struct error *err)
{
    struct oci_cpu *cpu = resources->cpu;

    if (!cpu)
        cpu = resources->cpu = memory_new(sizeof *cpu);
    set_string(flags->cpuset_cpus, &cpu->cpus);
    set_string(flags->cpuset_mems, &cpu->mems);
    if (set_unsigned("cpu-period", flags->cpu_period, &cpu->period, &cpu->has_period, err) < 0 ||
        set_signed("cpu-quota", flags->cpu_quota, &cpu->quota, &cpu->has_quota, err) < 0 ||
        set_unsigned("cpu-burst", flags->cpu_burst, &cpu->burst, &cpu->has_burst, err) < 0 ||
        set_signed("cpu-idle", flags->cpu_idle, &cpu->idle, &cpu->has_idle, err) < 0 ||
        set_unsigned("cpu-share", flags->cpu_share, &cpu->shares, &cpu->has_shares, err) < 0 ||
        set_unsigned("cpu-rt-period", flags->cpu_rt_period, &cpu->realtime_period, &cpu->has_realtime_period,
                     err) < 0)
        return -1;
    if (cpu->has_idle && (cpu->idle < 0 || cpu->idle > 1))
        return bad_value("cpu-idle", flags->cpu_idle ? flags->cpu_idle : "", err);
    return set_signed("cpu-rt-runtime", flags->cpu_rt_runtime, &cpu->realtime_runtime,
                      &cpu->has_realtime_runtime, err);
}

static int apply_pids(const struct update_flags *flags, struct oci_resources *resources, struct error *err)
{
    struct oci_pids *pids = resources->pids;

    if (!flags->pids_limit)
        return 0;
    if (!pids)
        pids = resources->pids = memory_new(sizeof *pids);
    return set_signed("pids-limit", flags->pids_limit, &pids->limit, &pids->has_limit, err);
}

static int apply_block_io(const struct update_flags *flags, struct oci_resources *resources,
                          struct error *err)
{
    uint64_t weight;

    if (!flags->blkio_weight)
        return 0;
    if (!number_parse_unsigned(flags->blkio_weight, 1000, &weight) || weight < 10)
        return bad_value("blkio-weight", flags->blkio_weight, err);
    if (!resources->block_io)
        resources->block_io = memory_new(sizeof *resources->block_io);
    resources->block_io->weight = (uint32_t)weight;
    resources->block_io->has_weight = true;
    return 0;
}

/* ---- all
 * --------------------------------------------------------------------------------------------------- */

static struct oci_resources *read_resources(const char *path, struct error *err)
{
    auto_free char *text = NULL;
    size_t length;

    if (!path)
        return memory_new(sizeof(struct oci_resources));
    if (cli_read_input(path, &text, &length, err) < 0)
        return NULL;
    return schema_parse(&oci_resources_schema, path, text, length, err);
}

struct oci_resources *update_resources_make(const struct update_flags *flags, struct error *err)
{
    struct oci_resources *resources;

    resources = read_resources(flags->resources, err);
    if (!resources)
        return NULL;
    if (apply_memory(flags, resources, err) == 0 && apply_cpu(flags, resources, err) == 0 &&
        apply_pids(flags, resources, err) == 0 && apply_block_io(flags, resources, err) == 0)
        return resources;
    schema_free(&oci_resources_schema, resources);
    return NULL;
}
