/* runtime/process: what process.* of config.json becomes, and what is refused (items 52-79, E4, E5). */
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/number_list.h"
#include "oci-specs/config.h"
#include "process/process.h"
#include "security/security.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char *with_double_quotes(const char *text)
{
    char *copy = memory_string(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static void free_process(struct oci_process **process)
{
    schema_free(&oci_process_schema, *process);
}

/* {'cwd':'/','args':['sh'], MORE} */
static struct oci_process *parse(const char *more)
{
    auto_free char *text = memory_format("{'cwd':'/','args':['sh']%s%s}", *more ? "," : "", more);
    auto_free char *quoted = with_double_quotes(text);
    struct error err = { 0 };
    struct oci_process *process = schema_parse(&oci_process_schema, "process", quoted, strlen(quoted), &err);

    cr_assert_not_null(process, "%s", err.text);
    return process;
}

Test(process_plan, refused)
{
    static const struct {
        const char *more, *error;
    } rows[] = {
        { "'args':[]", "process.args: must not be empty" },
        { "'env':['A=1','B']", "process.env[1]: 'B' is not NAME=VALUE" },
        { "'env':['=x']", "process.env[0]: '=x' is not NAME=VALUE" },
        { "'rlimits':[{'type':'RLIMIT_NOFILE','hard':2,'soft':1},{'type':'RLIMIT_CORE','hard':2,'soft':1},"
          "{'type':'RLIMIT_NOFILE','hard':2,'soft':1}]",
          "process.rlimits[2].type: RLIMIT_NOFILE is listed twice" },
        { "'rlimits':[{'type':'RLIMIT_CORE','hard':1,'soft':2}]",
          "process.rlimits[0].soft: is above the hard limit of RLIMIT_CORE" },
        { "'scheduler':{'policy':'SCHED_FIFO','nice':1}",
          "process.scheduler.nice: has no meaning with SCHED_FIFO" },
        { "'scheduler':{'policy':'SCHED_OTHER','priority':1}",
          "process.scheduler.priority: has no meaning with SCHED_OTHER" },
        { "'scheduler':{'policy':'SCHED_BATCH','deadline':1}",
          "process.scheduler: runtime, deadline and period have no meaning with SCHED_BATCH" },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        /* A property twice is an error of the reader's: the row about args has its own. */
        auto_cleanup(free_process) struct oci_process *process = parse(i == 0 ? "" : rows[i].more);
        auto_cleanup(process_plan_free) struct process_plan plan;
        struct error err = { 0 };

        if (i == 0)
            process->args.count = 0;
        cr_expect_eq(process_plan_make(NULL, process, "process", &plan, &err), -1, "%s", rows[i].more);
        cr_expect_str_eq(err.text, rows[i].error);
        if (i == 0)
            process->args.count = 1;
    }
}

static void make(const struct oci_process *process, struct process_plan *plan)
{
    struct error err = { 0 };

    cr_assert_eq(process_plan_make(NULL, process, "process", plan, &err), 0, "%s", err.text);
}

/* Items 57-59; 58: both peers use 0022 when nothing is said. */
Test(process_plan, user)
{
    auto_cleanup(free_process) struct oci_process *none = parse("");
    auto_cleanup(free_process) struct oci_process *all =
        parse("'user':{'uid':4294967294,'gid':7,'umask':63,'additionalGids':[1,4294967294,1]}");
    auto_cleanup(process_plan_free) struct process_plan empty, full;

    make(none, &empty);
    cr_expect_eq(empty.uid, 0);
    cr_expect_eq(empty.umask, 0022);
    cr_expect_eq(empty.group_count, 0);
    make(all, &full);
    cr_expect_eq(full.uid, 4294967294u);
    cr_expect_eq(full.gid, 7);
    cr_expect_eq(full.umask, 077);
    cr_expect_eq(full.group_count, 3);
    cr_expect_eq(full.groups[1], 4294967294u);
}

/* Security rule 8: (uid_t)-1 would mean "no change", which is root. */
Test(process_plan, id_minus_one)
{
    auto_cleanup(free_process) struct oci_process *process =
        parse("'user':{'uid':1,'gid':1,'additionalGids':[1]}");
    struct process_plan plan;
    struct error err = { 0 };

    process->user->additional_gids[0] = UINT32_MAX;
    cr_expect_eq(process_plan_make(NULL, process, "process", &plan, &err), -1);
    cr_expect_str_eq(err.text, "process.user.additionalGids[0]: 4294967295 is not a group id");
    process->user->gid = UINT32_MAX;
    cr_expect_eq(process_plan_make(NULL, process, "process", &plan, &err), -1);
    cr_expect_str_eq(err.text, "process.user.gid: 4294967295 is not a group id");
    process->user->uid = UINT32_MAX;
    cr_expect_eq(process_plan_make(NULL, process, "process", &plan, &err), -1);
    cr_expect_str_eq(err.text, "process.user.uid: 4294967295 is not a user id");
}

/* Item 55: each name once, the last value wins. */
Test(process_plan, env)
{
    auto_cleanup(free_process) struct oci_process *process =
        parse("'env':['A=1','B=2','A=3','AB=4','C=','A=5=6','B=']");
    auto_cleanup(process_plan_free) struct process_plan plan;

    make(process, &plan);
    cr_expect_eq(plan.env_count, 4);
    cr_expect_str_eq(plan.env[0], "A=5=6");
    cr_expect_str_eq(plan.env[1], "B=");
    cr_expect_str_eq(plan.env[2], "AB=4");
    cr_expect_str_eq(plan.env[3], "C=");
    cr_expect_null(plan.env[4]);
    process_plan_set_env(&plan, "C", "no", false);
    process_plan_set_env(&plan, "AB", "yes", true);
    process_plan_set_env(&plan, "D", "new", false);
    process_plan_set_env(&plan, "D", "newer", true);
    cr_expect_str_eq(process_plan_get_env(&plan, "C"), "");
    cr_expect_str_eq(process_plan_get_env(&plan, "AB"), "yes");
    cr_expect_str_eq(process_plan_get_env(&plan, "D"), "newer");
    cr_expect_null(process_plan_get_env(&plan, "E"));
    cr_expect_eq(plan.env_count, 5);
    cr_expect_null(plan.env[5]);
}

Test(process_plan, many_variables)
{
    auto_cleanup(free_process) struct oci_process *process = parse("");
    auto_cleanup(process_plan_free) struct process_plan plan;

    process->env.items = memory_new_array(40001, sizeof(char *));
    for (int i = 0; i < 40000; i++)
        process->env.items[i] = memory_format("SERVICE_%d=%d", i % 20000, i);
    process->env.count = 40000;
    make(process, &plan);
    cr_expect_eq(plan.env_count, 20000);
    cr_expect_str_eq(plan.env[7], "SERVICE_7=20007");
}

#define BIT(number) (1ull << (number))

/* Items 61-64; CVE-2022-29162: nothing is inheritable or ambient unless asked. */
Test(process_plan, capabilities)
{
    static const struct {
        const char *more;
        uint64_t bounding, permitted, effective, inheritable, ambient;
    } rows[] = {
        { "", 0, 0, 0, 0, 0 },
        { "'user':{'uid':1000}", 0, 0, 0, 0, 0 },
        { "'capabilities':{}", 0, 0, 0, 0, 0 },
        { "'capabilities':{'bounding':['CAP_CHOWN','CAP_CHECKPOINT_RESTORE'],'permitted':['CAP_KILL'],"
          "'effective':['CAP_KILL']}",
          BIT(0) | BIT(40), BIT(5), BIT(5), 0, 0 },
        /* unknown names are ignored with a warning */
        { "'capabilities':{'bounding':['CAP_CHOWN','CAP_NONE','chown','CAP_']}", BIT(0), 0, 0, 0, 0 },
        /* what the kernel would refuse: effective beyond permitted, inheritable beyond bounding, ambient
           beyond both */
        { "'capabilities':{'permitted':['CAP_KILL'],'effective':['CAP_KILL','CAP_CHOWN']}", 0, BIT(5), BIT(5),
          0, 0 },
        { "'capabilities':{'bounding':['CAP_KILL'],'inheritable':['CAP_KILL','CAP_CHOWN']}", BIT(5), 0, 0,
          BIT(5), 0 },
        { "'capabilities':{'bounding':['CAP_KILL','CAP_CHOWN'],'permitted':['CAP_KILL'],"
          "'inheritable':['CAP_KILL','CAP_CHOWN'],'ambient':['CAP_KILL','CAP_CHOWN']}",
          BIT(5) | BIT(0), BIT(5), 0, BIT(5) | BIT(0), BIT(5) },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        auto_cleanup(free_process) struct oci_process *process = parse(rows[i].more);
        auto_cleanup(process_plan_free) struct process_plan plan;

        make(process, &plan);
        cr_expect_eq(plan.cap_bounding, rows[i].bounding, "%s", rows[i].more);
        cr_expect_eq(plan.cap_permitted, rows[i].permitted, "%s", rows[i].more);
        cr_expect_eq(plan.cap_effective, rows[i].effective, "%s", rows[i].more);
        cr_expect_eq(plan.cap_inheritable, rows[i].inheritable, "%s", rows[i].more);
        cr_expect_eq(plan.cap_ambient, rows[i].ambient, "%s", rows[i].more);
    }
}

Test(process_plan, capability_names)
{
    for (int number = 0; number <= 40; number++)
        cr_expect_eq(capability_from_name(capability_name(number)), number);
    cr_expect_eq(capability_from_name("CAP_SYS_ADMIN"), 21);
    cr_expect_eq(capability_from_name("CAP_NET_RAW"), 13);
    cr_expect_eq(capability_from_name("sys_admin"), -1);
    cr_expect_eq(capability_from_name("CAP_CHOWNX"), -1);
    cr_expect_null(capability_name(41));
    cr_expect_null(capability_name(-1));
    cr_expect_geq(capability_last(), 37);
}

/* Item 76, 242: "0-3,7". */
Test(process_plan, number_list)
{
    static const struct {
        const char *list;
        int count;
        unsigned long words[2];
    } rows[] = {
        { "0", 1, { 1, 0 } },
        { "0-3,7", 5, { 0x8f, 0 } },
        { "63-64", 2, { 1ul << 63, 1 } },
        { " 1 , 2 - 3 ,\n", 3, { 0xe, 0 } },
        { "1,1,1-2", 2, { 6, 0 } },
        { "", 0, { 0, 0 } },
        { ",", 0, { 0, 0 } },
        { "127", 1, { 0, 1ul << 63 } },
        { "128", -1, { 0, 0 } },
        { "99999999999999999999", -1, { 0, 0 } },
        { "3-1", -1, { 0, 0 } },
        { "-1", -1, { 0, 0 } },
        { "1-", -1, { 0, 0 } },
        { "1 2", -1, { 0, 0 } },
        { "0x1", -1, { 0, 0 } },
        { "all", -1, { 0, 0 } },
        { "0-3:2", -1, { 0, 0 } },
    };

    for (size_t i = 0; i < array_length(rows); i++) {
        unsigned long words[2] = { 0 };
        struct error err = { 0 };

        cr_expect_eq(number_list_parse(rows[i].list, words, 2, &err), rows[i].count, "%s", rows[i].list);
        if (rows[i].count >= 0)
            cr_expect_eq(memcmp(words, rows[i].words, sizeof words), 0, "%s", rows[i].list);
    }
}

Test(process_plan, number_list_error)
{
    unsigned long word = 0;
    struct error err = { 0 };

    cr_assert_eq(number_list_parse("0-x", &word, 1, &err), -1);
    cr_assert_str_eq(err.text, "'0-x' is not a list like 0-3,7 of numbers below 64");
}
