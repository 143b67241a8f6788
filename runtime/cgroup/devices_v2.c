/*
 * The device program of cgroup v2: see devices_v2.h. Runs in the runtime; the loading half needs CAP_BPF or
 * root.
 *
 * The program walks the rules from the last to the first and keeps the access bits that no rule has decided
 * yet: a deny rule that matches one of them ends it with "no", an allow rule takes its bits away, and none
 * left is "yes". So a request for rw is allowed by one rule for r and another for w, and denied by any later
 * rule that denies either.
 */
#include "cgroup/devices_v2.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    RESULT = BPF_REG_0,
    CONTEXT = BPF_REG_1,
    TYPE = BPF_REG_2,
    UNDECIDED = BPF_REG_3,
    MAJOR = BPF_REG_4,
    MINOR = BPF_REG_5
};

#define LONGEST_RULE 9 /* instructions */
#define PROGRAM_NAME "aril_devices"
#define ATTACHED_MAX 64 /* the kernel's BPF_CGROUP_MAX_PROGS */

static void emit(struct device_program *program, struct bpf_insn instruction)
{
    program->instructions[program->count++] = instruction;
}

static struct bpf_insn load_word(int to, int offset)
{
    return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
                              .dst_reg = (unsigned)to & 15,
                              .src_reg = CONTEXT,
                              .off = (short)offset };
}

static struct bpf_insn operation(int code, int reg, uint32_t value)
{
    return (struct bpf_insn){ .code = (unsigned char)(BPF_ALU | BPF_K | code),
                              .dst_reg = (unsigned)reg & 15,
                              .imm = (int32_t)value };
}

/* Jumps on the 32 bits of a register; where to is filled in later. */
static struct bpf_insn jump_if(int code, int reg, uint32_t value, int offset)
{
    return (struct bpf_insn){ .code = (unsigned char)(BPF_JMP32 | BPF_K | code),
                              .dst_reg = (unsigned)reg & 15,
                              .off = (short)offset,
                              .imm = (int32_t)value };
}

static void emit_verdict(struct device_program *program, bool allow)
{
    emit(program, (struct bpf_insn){ .code = BPF_ALU64 | BPF_K | BPF_MOV, .dst_reg = RESULT, .imm = allow });
    emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static void emit_context(struct device_program *program)
{
    /* access_type is (access << 16) | type. */
    emit(program, load_word(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
    emit(program,
         (struct bpf_insn){ .code = BPF_ALU | BPF_X | BPF_MOV, .dst_reg = UNDECIDED, .src_reg = TYPE });
    emit(program, operation(BPF_RSH, UNDECIDED, 16));
    emit(program, operation(BPF_AND, TYPE, 0xffff));
    emit(program, load_word(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major)));
    emit(program, load_word(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor)));
}

static void emit_rule(struct device_program *program, const struct device_rule *rule)
{
    size_t start = program->count;

    emit(program, jump_if(BPF_JNE, TYPE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 0));
    if (rule->major != DEVICE_ANY)
        emit(program, jump_if(BPF_JNE, MAJOR, (uint32_t)rule->major, 0));
    if (rule->minor != DEVICE_ANY)
        emit(program, jump_if(BPF_JNE, MINOR, (uint32_t)rule->minor, 0));
    if (rule->allow) {
        emit(program, operation(BPF_AND, UNDECIDED, DEVICE_ACCESS_ALL & ~rule->access));
        emit(program, jump_if(BPF_JNE, UNDECIDED, 0, 0));
    } else {
        emit(program, jump_if(BPF_JSET, UNDECIDED, rule->access, 1)); /* over the next one, to the verdict */
        emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_JA });
    }
    emit_verdict(program, rule->allow);
    for (size_t i = start; i < program->count; i++) /* the rest: to the next rule */
        if ((BPF_CLASS(program->instructions[i].code) == BPF_JMP32 ||
             program->instructions[i].code == (BPF_JMP | BPF_JA)) &&
            program->instructions[i].off == 0)
            program->instructions[i].off = (short)(program->count - i - 1);
}

struct device_program devices_v2_program(const struct device_rules *rules)
{
    struct device_program program = { 0 };

    program.instructions = memory_new_array(rules->count * LONGEST_RULE + 8, sizeof *program.instructions);
    emit_context(&program);
    for (size_t i = rules->count; i > 0; i--)
        emit_rule(&program, &rules->items[i - 1]);
    emit_verdict(&program, rules->allow);
    return program;
}

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static int load(const struct device_program *program)
{
    static const char license[] = "Apache-2.0";
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)program->instructions;
    attributes.insn_cnt = (uint32_t)program->count;
    attributes.license = (uintptr_t)license;
    memcpy(attributes.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME);
    return bpf(BPF_PROG_LOAD, &attributes);
}

/*
 * Before Linux 5.11 programs count as locked memory of our user, who is root like systemd and all other
 * containers: the usual 64 KiB are soon full, and EPERM is all that the kernel says. The limit is the old one
 * again afterwards, because the container inherits it.
 */
static int load_beyond_limit(const struct device_program *program)
{
    const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
    struct rlimit old;
    int fd = load(program), code = errno;

    if (fd >= 0 || code != EPERM)
        return fd;
    if (getrlimit(RLIMIT_MEMLOCK, &old) == 0 && setrlimit(RLIMIT_MEMLOCK, &none) == 0) {
        fd = load(program);
        code = errno;
        setrlimit(RLIMIT_MEMLOCK, &old);
    }
    errno = code;
    return fd;
}

static int open_program(uint32_t id)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = id;
    return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

/*
 * systemd attaches one of its own for a DevicePolicy, and whoever made the cgroup may have: every program
 * must allow a device, so theirs stay.
 */
static bool is_ours(uint32_t id)
{
    auto_close int fd = open_program(id);
    struct bpf_prog_info info = { 0 };
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)fd;
    attributes.info.info_len = sizeof info;
    attributes.info.info = (uintptr_t)&info;
    return fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0 && strcmp(info.name, PROGRAM_NAME) == 0;
}

/* Those of our programs that are attached now; a new cgroup has none. */
static uint32_t query(int cgroup_fd, uint32_t ids[ATTACHED_MAX])
{
    union bpf_attr attributes;
    uint32_t count = 0;

    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup_fd;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)ids;
    attributes.query.prog_cnt = ATTACHED_MAX;
    if (bpf(BPF_PROG_QUERY, &attributes) < 0)
        return 0;
    for (uint32_t i = 0; i < attributes.query.prog_cnt; i++)
        if (is_ours(ids[i]))
            ids[count++] = ids[i];
    return count;
}

static int attach(int cgroup_fd, int program_fd, int replaced_fd)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup_fd;
    attributes.attach_bpf_fd = (uint32_t)program_fd;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced_fd >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)replaced_fd;
    }
    return bpf(BPF_PROG_ATTACH, &attributes);
}

static int detach(int cgroup_fd, uint32_t id)
{
    auto_close int fd = open_program(id);
    union bpf_attr attributes;

    if (fd < 0)
        return -1;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup_fd;
    attributes.attach_bpf_fd = (uint32_t)fd;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    return bpf(BPF_PROG_DETACH, &attributes);
}

/* One old program is replaced in one step (Linux 5.6). Else the new one joins the old ones, which then go:
 * never a gap. */
static int attach_only(int cgroup_fd, int program_fd, struct error *err)
{
    uint32_t ids[ATTACHED_MAX], count = query(cgroup_fd, ids);

    if (count == 1) {
        auto_close int old = open_program(ids[0]);

        if (old >= 0 && attach(cgroup_fd, program_fd, old) == 0)
            return 0;
    }
    if (attach(cgroup_fd, program_fd, -1) < 0)
        return fail_errno(err, "linux.resources.devices: attach the BPF program");
    for (uint32_t i = 0; i < count; i++)
        if (detach(cgroup_fd, ids[i]) < 0)
            return fail_errno(err, "linux.resources.devices: detach the old BPF program");
    return 0;
}

int devices_v2_apply(int cgroup_fd, const struct device_rules *rules, struct error *err)
{
    struct device_program program = devices_v2_program(rules);
    auto_free void *owned = program.instructions;
    auto_close int program_fd = load_beyond_limit(&program);

    (void)owned;
    if (program_fd < 0)
        return fail_errno(err, "linux.resources.devices: load a BPF program");
    return attach_only(cgroup_fd, program_fd, err);
}
