/* runtime/cgroup/systemd*: names, values, properties (contract items 204-212). No bus, no root. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "cgroup/systemd.h"
#include "cgroup/systemd_name.h"
#include "cgroup/systemd_value.h"
#include "cgroup/systemd_words.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------- */

Test(cgroup_systemd, names) /* items 204, 205 */
{
    static const struct {
        const char *path;
        bool user;
        const char *expected; /* the cgroup below the manager "/m", or the error */
    } rows[] = {
        { NULL, false, "/m/system.slice/aril-web\\x2b1.scope" },
        { "", false, "/m/system.slice/aril-web\\x2b1.scope" },
        { NULL, true, "/m/user.slice/aril-web\\x2b1.scope" },
        { "machine.slice:libpod:7f", false, "/m/machine.slice/libpod-7f.scope" },
        { ":p:n", false, "/m/system.slice/p-n.scope" },
        { ":p:n", true, "/m/user.slice/p-n.scope" },
        { "::n", false, "/m/system.slice/n.scope" },
        { "a.slice::", false, "/m/a.slice/web\\x2b1.scope" },
        { "a-b-c.slice:p:n", false, "/m/a.slice/a-b.slice/a-b-c.slice/p-n.scope" },
        { "-.slice:p:n", false, "/m/p-n.scope" },
        { "kubepods-pod1_2.slice:cri-containerd:abc", false,
          "/m/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-abc.scope" },
        { "/a/b", false,
          "linux.cgroupsPath: '/a/b' is not of the form SLICE:PREFIX:NAME that the systemd driver needs" },
        { "a.slice:b", false,
          "linux.cgroupsPath: 'a.slice:b' is not of the form SLICE:PREFIX:NAME that the systemd driver "
          "needs" },
        { "a.slice:b:c:d", false,
          "linux.cgroupsPath: 'a.slice:b:c:d' is not of the form SLICE:PREFIX:NAME that the systemd driver "
          "needs" },
        { "a:b:c", false, "linux.cgroupsPath: 'a:b:c': 'a' is not the name of a slice" },
        { ".slice:b:c", false, "linux.cgroupsPath: '.slice:b:c': '.slice' is not the name of a slice" },
        { "-a.slice:b:c", false, "linux.cgroupsPath: '-a.slice:b:c': '-a.slice' is not the name of a slice" },
        { "a-.slice:b:c", false, "linux.cgroupsPath: 'a-.slice:b:c': 'a-.slice' is not the name of a slice" },
        { "a--b.slice:b:c", false,
          "linux.cgroupsPath: 'a--b.slice:b:c': 'a--b.slice' is not the name of a slice" },
        { "../x.slice:b:c", false,
          "linux.cgroupsPath: '../x.slice:b:c': '../x.slice' is not the name of a slice" },
        { "a.slice:b:../c", false,
          "linux.cgroupsPath: 'a.slice:b:../c': 'b-../c.scope' is not the name of a unit" },
        { "a.slice:b:c.slice", false,
          "linux.cgroupsPath: 'a.slice:b:c.slice': a container cannot be a slice, which holds no processes" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_name_free) struct unit_name name = { 0 };
        auto_free char *path = NULL;
        struct error err = { 0 };

        if (unit_name_parse(rows[i].path, "web+1", rows[i].user, &name, &err) == 0)
            path = cgroup_unit_path("/m", name.slice, name.unit);
        cr_assert_str_eq(path ? path : err.text, rows[i].expected, "row %zu: %s", i, path ? path : err.text);
    }
}

/* ---- values ------------------------------------------------------------------------------------------ */

static void print(const struct unit_value *value, struct buffer *out)
{
    char type = value->signature[0];

    if (strchr("sog", type)) {
        buffer_add_format(out, "\"%s\"", value->text);
    } else if (type == 'd') {
        buffer_add_format(out, "%g", value->real);
    } else if (!strchr("a(v", type)) {
        buffer_add_format(out, "%" PRId64, (int64_t)value->number);
    } else {
        buffer_add_char(out, type == 'a' ? '[' : type);
        for (size_t i = 0; i < value->count; i++) {
            buffer_add_string(out, i ? "," : "");
            print(&value->items[i], out);
        }
        buffer_add_char(out, ']');
    }
}

/* 212: the value syntax */
Test(cgroup_systemd, values) /* item 212 */
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        { "true", "b 1" },
        { " false ", "b 0" },
        { "boolean true", "b 1" },
        { "5", "i 5" },
        { "-5", "i -5" },
        { "0x10", "i 16" },
        { "uint64 18446744073709551615", "t -1" },
        { "uint64 0xffffffffffffffff", "t -1" },
        { "int64 -9223372036854775808", "x -9223372036854775808" },
        { "uint32 7", "u 7" },
        { "int32 7", "i 7" },
        { "int16 -7", "n -7" },
        { "uint16 7", "q 7" },
        { "byte 0xff", "y 255" },
        { "double 5", "d 5" },
        { "1.5", "d 1.5" },
        { "-1e3", "d -1000" },
        { "@t 5", "t 5" },
        { "'text'", "s \"text\"" },
        { "\"it's\"", "s \"it's\"" },
        { "'a\\'b\\\"c\\\\d'", "s \"a'b\"c\\d\"" },
        { "'tab\\tline\\n'", "s \"tab\tline\n\"" },
        { "'\\u00e9\\U0001f600'", "s \"\xc3\xa9\xf0\x9f\x98\x80\"" },
        { "objectpath '/a/b'", "o \"/a/b\"" },
        { "signature 'as'", "g \"as\"" },
        { "['a', \"b\"]", "as [\"a\",\"b\"]" },
        { "[1,2]", "ai [1,2]" },
        { "[uint64 1, 2]", "at [1,2]" },
        { "@as []", "as []" },
        { "@ay [1, 255]", "ay [1,255]" },
        { "[['a'], ['b', 'c']]", "aas [[\"a\"],[\"b\",\"c\"]]" },
        { "b'ab'", "ay [97,98,0]" },
        { "('a', uint64 5)", "(st) (\"a\",5]" },
        { "(5,)", "(i) (5]" },
        { "[('/dev/null', 'rw'), ('/dev/zero', 'r')]",
          "a(ss) [(\"/dev/null\",\"rw\"],(\"/dev/zero\",\"r\"]]" },
        { "@a(st) [('/dev/sda', 5)]", "a(st) [(\"/dev/sda\",5]]" },
        { "<'x'>", "v v\"x\"]" },
        { "(true, <uint32 5>)", "(bv) (1,v5]]" },
        /* errors */
        { "", "'': no value at byte 1" },
        { "  ", "'  ': no value at byte 3" },
        { "maybe", "'maybe': not a number at byte 1" },
        { "truer", "'truer': not a number at byte 1" },
        { "true false", "'true false': more than one value at byte 6" },
        { "uint64", "'uint64': no value at byte 7" },
        { "uint64 -1", "'uint64 -1': a number out of range at byte 8" },
        { "uint64 18446744073709551616", "'uint64 18446744073709551616': a number out of range at byte 8" },
        { "byte 256", "'byte 256': a number out of range at byte 6" },
        { "2147483648", "'2147483648': a number out of range at byte 1" },
        { "int16 -32769", "'int16 -32769': a number out of range at byte 7" },
        { "--5", "'--5': not a number at byte 1" },
        { "5s", "'5s': not a number at byte 1" },
        { "uint64 'x'", "'uint64 'x'': a value of another type at byte 8" },
        { "uint64 int32 5", "'uint64 int32 5': a value of another type at byte 13" },
        { "'open", "''open': the string does not end at byte 6" },
        { "'open\\", "''open\\': the string does not end at byte 7" },
        { "'\\u0000'", "''\\u0000'': not a character at byte 8" },
        { "'\\ud800'", "''\\ud800'': not a character at byte 8" },
        { "'\\u12", "''\\u12': not a hexadecimal digit at byte 6" },
        { "[]", "'[]': an empty array needs its type, like @as [], at byte 3" },
        { "['a', 5]", "'['a', 5]': a value of another type at byte 7" },
        { "['a'", "'['a'': expected ',' or ']' at byte 5" },
        { "['a' 'b']", "'['a' 'b']': expected ',' or ']' at byte 6" },
        { "['a',]", "'['a',]': a value of another type at byte 6" },
        { "()", "'()': a tuple with too few elements at byte 3" },
        { "('a' 'b')", "'('a' 'b')': expected ')' at byte 6" },
        { "@(ss) ('a',)", "'@(ss) ('a',)': a tuple with too few elements at byte 13" },
        { "@(s) ('a','b')", "'@(s) ('a','b')': expected ')' at byte 11" },
        { "@z 5", "'@z 5': not a type at byte 1" },
        { "@() ()", "'@() ()': not a type at byte 1" },
        { "{'a': 5}", "'{'a': 5}': dictionaries are not supported at byte 1" },
        { "<5", "'<5': expected '>' at byte 3" },
        { "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
          "'[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]': too deep at byte 17" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_value_free) struct unit_value value = { 0 };
        auto_buffer struct buffer out = { 0 };
        struct error err = { 0 };

        if (unit_value_parse(rows[i].text, &value, &err) == 0) {
            buffer_add_format(&out, "%s ", value.signature);
            print(&value, &out);
        } else {
            buffer_add_string(&out, err.text);
        }
        cr_expect_str_eq(out.data, rows[i].expected, "row %zu (%s): %s", i, rows[i].text, out.data);
    }
}

/* Every beginning and every changed byte of a long value is read or refused, never more. */
Test(cgroup_systemd, values_survive_anything)
{
    static const char text[] =
        "[(@as ['a\\u00e9', \"b\"], <uint64 0x10>, b'xy', (1.5e3, int16 -7, @aay [[1]], true))]";
    static const char bytes[] = "\\'\"[](){}<>@,-0au \x01\xff";

    for (size_t i = 0; i < sizeof text; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            struct unit_value value = { 0 };
            struct error err = { 0 };
            char changed[sizeof text];

            memcpy(changed, text, sizeof text);
            changed[i] = bytes[k]; /* the last one is NUL: a beginning */
            changed[sizeof text - 1] = '\0';
            if (unit_value_parse(changed, &value, &err) == 0)
                unit_value_free(&value);
            else
                cr_expect(err.text[0]);
        }
    }
}

/* ---- properties -------------------------------------------------------------------------------------- */

static char *properties_text(const struct unit_properties *properties)
{
    struct buffer out = { 0 };

    buffer_add_string(&out, "");
    for (size_t i = 0; i < properties->count; i++) {
        struct unit_value value = { 0 };
        struct error err = { 0 };

        cr_assert_eq(unit_value_parse(properties->items[i].value, &value, &err), 0, "%s", err.text);
        buffer_add_format(&out, "%s%s %s=%s", i ? "; " : "", properties->items[i].name, value.signature,
                          properties->items[i].value);
        unit_value_free(&value);
    }
    return buffer_take(&out);
}

/* 207: what every unit has */
Test(cgroup_systemd, base_properties) /* item 207 */
{
    auto_cleanup(unit_properties_free) struct unit_properties properties = { 0 };
    auto_free char *text = NULL;

    unit_properties_base("web1", "a.slice", true, &properties);
    text = properties_text(&properties);
    cr_assert_str_eq(text, "Description s='aril container web1'; Slice s='a.slice'; Delegate b=true; "
                           "DefaultDependencies b=false; CPUAccounting b=true; MemoryAccounting b=true; "
                           "TasksAccounting b=true; IOAccounting b=true");
}

/* 208 209: the files that systemd has names for */
Test(cgroup_systemd, limits) /* items 208, 209 */
{
    static const struct {
        const char *file, *value, *file2, *value2, *expected;
    } rows[] = {
        { "memory.max", "67108864", NULL, NULL, "MemoryMax t=uint64 67108864" },
        { "memory.max", "max", NULL, NULL, "MemoryMax t=uint64 18446744073709551615" },
        { "memory.low", "5", "memory.min", "6", "MemoryLow t=uint64 5; MemoryMin t=uint64 6" },
        { "memory.high", "5", "memory.swap.max", "0", "MemoryHigh t=uint64 5; MemorySwapMax t=uint64 0" },
        { "memory.max", "5", "memory.max", "6", "MemoryMax t=uint64 6" },
        { "memory.oom.group", "1", NULL, NULL, "OOMPolicy s='kill'" },
        { "memory.oom.group", "0", NULL, NULL, "OOMPolicy s='continue'" },
        { "cpu.weight", "42", NULL, NULL, "CPUWeight t=uint64 42" },
        { "cpu.idle", "1", NULL, NULL, "CPUWeight t=uint64 0" },
        { "cpu.idle", "0", NULL, NULL, "CPUWeight t=uint64 18446744073709551615" }, /* the default again */
        { "cpu.idle", "0", "cpu.weight", "42", "CPUWeight t=uint64 42" },
        { "cpu.max", "25000 50000", NULL, NULL,
          "CPUQuotaPerSecUSec t=uint64 500000; CPUQuotaPeriodUSec t=uint64 50000" },
        { "cpu.max", "25000", NULL, NULL, "CPUQuotaPerSecUSec t=uint64 250000" },
        /* the default is said, too: the unit may have had another one */
        { "cpu.max", "1001 100000", NULL, NULL,
          "CPUQuotaPerSecUSec t=uint64 20000; CPUQuotaPeriodUSec t=uint64 100000" },
        { "cpu.max", "max 100000", NULL, NULL,
          "CPUQuotaPerSecUSec t=uint64 18446744073709551615; CPUQuotaPeriodUSec t=uint64 100000" },
        { "cpu.max", "nonsense", NULL, NULL, "" },
        { "cpu.max", "5 0", NULL, NULL, "CPUQuotaPerSecUSec t=uint64 10000" },
        { "cpuset.cpus", "0-3,9", NULL, NULL, "AllowedCPUs ay=@ay [15, 2]" },
        { "cpuset.mems", "0", NULL, NULL, "AllowedMemoryNodes ay=@ay [1]" },
        { "cpuset.cpus", "x", NULL, NULL, "" },
        { "cpuset.cpus", "\n", NULL, NULL, "AllowedCPUs ay=@ay []" }, /* what a failed update puts back */
        { "pids.max", "77", NULL, NULL, "TasksMax t=uint64 77" },
        { "pids.max", "max", NULL, NULL, "TasksMax t=uint64 18446744073709551615" },
        { "io.weight", "500", NULL, NULL, "IOWeight t=uint64 500" },
        { "io.weight", "8:0 500", NULL, NULL, "" },
        { "hugetlb.2MB.max", "0", NULL, NULL, "" },
        { "memory.limit_in_bytes", "-1", NULL, NULL, "MemoryLimit t=uint64 18446744073709551615" },
        { "cpu.shares", "512", NULL, NULL, "CPUShares t=uint64 512" },
        { "cpu.cfs_period_us", "50000", "cpu.cfs_quota_us", "25000",
          "CPUQuotaPerSecUSec t=uint64 500000; CPUQuotaPeriodUSec t=uint64 50000" },
        { "cpu.cfs_quota_us", "-1", NULL, NULL, "CPUQuotaPerSecUSec t=uint64 18446744073709551615" },
        { "cpu.cfs_period_us", "50000", NULL, NULL,
          "CPUQuotaPerSecUSec t=uint64 18446744073709551615; CPUQuotaPeriodUSec t=uint64 50000" },
        { "blkio.weight", "10", NULL, NULL, "BlockIOWeight t=uint64 10" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_properties_free) struct unit_properties properties = { 0 };
        auto_cleanup(cgroup_rows_free) struct cgroup_rows limits = { 0 };
        auto_free char *text = NULL;

        cgroup_rows_add(&limits, "x", rows[i].file, "p", "%s", rows[i].value);
        if (rows[i].file2)
            cgroup_rows_add(&limits, "x", rows[i].file2, "p", "%s", rows[i].value2);
        unit_properties_limits(&limits, &properties);
        text = properties_text(&properties);
        cr_expect_str_eq(text, rows[i].expected, "row %zu: %s", i, text);
    }
}

/* 208: device rules on v1 */
Test(cgroup_systemd, devices)
{
    static const struct {
        const char *file[3], *value[3], *expected; /* NULL: refused */
    } rows[] = {
        { { NULL }, { NULL }, "" },
        { { "devices.deny", "devices.allow", "devices.allow" },
          { "a", "c 1:3 rwm", "b 8:0 r" },
          "DevicePolicy s='strict'; DeviceAllow a(ss)=@a(ss) [('/dev/char/1:3', 'rwm'), "
          "('/dev/block/8:0', 'r')]" },
        { { "devices.deny", "devices.allow", "devices.allow" },
          { "a", "c *:* m", "c 136:* rwm" },
          "DevicePolicy s='strict'; DeviceAllow a(ss)=@a(ss) [('char-*', 'm'), ('char-136', 'rwm')]" },
        { { "devices.allow" }, { "a" }, "DevicePolicy s='auto'; DeviceAllow a(ss)=@a(ss) []" },
        { { "devices.deny" }, { "c 1:5 rwm" }, NULL },
        { { "devices.deny", "devices.allow" }, { "a", "c *:5 r" }, NULL },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_properties_free) struct unit_properties properties = { 0 };
        auto_cleanup(cgroup_rows_free) struct cgroup_rows devices = { 0 };
        auto_free char *text = NULL;
        struct error err = { 0 };
        int result;

        cgroup_rows_add(&devices, "memory", "memory.max", "p", "5");
        for (size_t k = 0; k < 3 && rows[i].file[k]; k++)
            cgroup_rows_add(&devices, "devices", rows[i].file[k], "the rule", "%s", rows[i].value[k]);
        result = unit_properties_devices(&devices, &properties, &err);
        cr_assert_eq(result, rows[i].expected ? 0 : -1, "row %zu", i);
        if (!rows[i].expected) {
            cr_expect_eq(err.code, ENOTSUP);
            cr_expect(strstr(err.text, "the rule"), "row %zu: %s", i, err.text);
            continue;
        }
        text = properties_text(&properties);
        cr_expect_str_eq(text ? text : "", rows[i].expected, "row %zu: %s", i, text);
    }
}

/* 211 212: annotations */
Test(cgroup_systemd, annotations) /* item 211 */
{
    static const struct {
        const char *key, *value, *expected;
    } rows[] = {
        { "com.example", "{", "TasksMax t=uint64 5" },
        { "org.systemd.property.TasksMax", "uint64 6", "TasksMax t=uint64 6" },
        { "org.systemd.property.CollectMode", "'inactive'", "TasksMax t=uint64 5; CollectMode s='inactive'" },
        { "org.systemd.property.TimeoutStopSec", "5", "TasksMax t=uint64 5; TimeoutStopUSec i=5" },
        { "org.systemd.property.TimeoutStopUSec", "uint64 5",
          "TasksMax t=uint64 5; TimeoutStopUSec t=uint64 5" },
        { "org.systemd.property.FooUSec", "uint64 5", "TasksMax t=uint64 5; FooUSec t=uint64 5" },
        { "org.systemd.property.TimeoutStopSec", "'5'",
          "annotations.org.systemd.property.TimeoutStopSec: ''5'': not a number of seconds" },
        { "org.systemd.property.TimeoutStopSec", "-1",
          "annotations.org.systemd.property.TimeoutStopSec: '-1': not a number of seconds" },
        { "org.systemd.property.TimeoutStopSec", "nan",
          "annotations.org.systemd.property.TimeoutStopSec: 'nan': not a number of seconds" },
        { "org.systemd.property.Ab", "5",
          "annotations.org.systemd.property.Ab: 'Ab' is not the name of a unit property" },
        { "org.systemd.property.", "5",
          "annotations.org.systemd.property.: '' is not the name of a unit property" },
        { "org.systemd.property.A1b", "5",
          "annotations.org.systemd.property.A1b: 'A1b' is not the name of a unit property" },
        { "org.systemd.property.Foo", "[]",
          "annotations.org.systemd.property.Foo: '[]': an empty array needs its type, like @as [], at byte "
          "3" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_properties_free) struct unit_properties properties = { 0 };
        auto_cleanup(cgroup_rows_free) struct cgroup_rows limits = { 0 };
        struct string_pair pair = { (char *)rows[i].key, (char *)rows[i].value };
        struct string_map annotations = { &pair, 1 };
        auto_free char *text = NULL;
        struct error err = { 0 };

        cgroup_rows_add(&limits, "pids", "pids.max", "p", "5");
        unit_properties_limits(&limits, &properties);
        if (unit_properties_annotations(&annotations, &properties, &err) == 0)
            text = properties_text(&properties);
        cr_expect_str_eq(text ? text : err.text, rows[i].expected, "row %zu: %s", i, text ? text : err.text);
    }
}

/* 212: seconds of any type */
Test(cgroup_systemd, seconds)
{
    static const struct {
        const char *text;
        uint64_t expected;
    } rows[] = {
        { "5", 5000000 },
        { "uint64 5", 5000000 },
        { "1.5", 1500000 },
        { "byte 1", 1000000 },
        { "uint64 18446744073709551615", UINT64_MAX },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(unit_value_free) struct unit_value value = { 0 };
        struct error err = { 0 };

        cr_assert_eq(unit_value_parse(rows[i].text, &value, &err), 0);
        cr_assert_eq(unit_value_to_microseconds(&value, &err), 0);
        cr_assert_str_eq(value.signature, "t");
        cr_assert_eq(value.number, rows[i].expected);
    }
}

/* ---- as words for the companion ---------------------------------------------------------------------- */

Test(cgroup_systemd, words_and_back)
{
    struct unit_property rows[] = {
        { (char *)"CPUWeight", (char *)"uint64 5", (char *)"linux.resources.cpu.shares", true, false, false },
        { (char *)"TimeoutStopUSec", (char *)"int32 3", (char *)"annotations.x", false, true, false },
        { (char *)"Description", (char *)"'a b'", (char *)"", false, false, false },
        { (char *)"DeviceAllow", (char *)"@a(ss) []", (char *)"", true, false, true },
        { (char *)"", (char *)"", (char *)"", true, true, false },
    };
    const struct unit_properties given = { rows, array_length(rows) };
    auto_cleanup(unit_properties_free) struct unit_properties read = { 0 };
    struct error err;
    const char **words = NULL;
    size_t count = 0;

    systemd_words_add(&given, &words, &count);
    *array_grow(words, count) = NULL;
    cr_assert_eq(systemd_words_read(words, &read, &err), 0);
    cr_assert_eq(read.count, given.count);
    for (size_t i = 0; i < given.count; i++) {
        cr_expect_str_eq(read.items[i].name, rows[i].name);
        cr_expect_str_eq(read.items[i].value, rows[i].value);
        cr_expect_str_eq(read.items[i].property, rows[i].property);
        cr_expect_eq(read.items[i].optional, rows[i].optional);
        cr_expect_eq(read.items[i].seconds, rows[i].seconds);
        cr_expect_eq(read.items[i].list, rows[i].list);
    }
    free(words);
}

Test(cgroup_systemd, words_that_are_cut_off)
{
    static const char *const short_of_one[] = { "A", "b", "", NULL };
    static const char *const unknown_kind[] = { "A", "b", "", "often", NULL };
    struct unit_properties properties = { 0 };
    struct error err;

    cr_expect_eq(systemd_words_read(short_of_one, &properties, &err), -1);
    cr_expect_eq(systemd_words_read(unknown_kind, &properties, &err), -1);
    cr_expect_eq(properties.count, 0);
}
