/*
 * measure: runs commands in interleaved rounds and says what each took, so that noise hits all subjects
 * alike.
 *
 *   measure ROUNDS <PLAN >RESULTS
 *
 * The plan has one directive a line; words are separated by blanks, there are no quotes:
 *
 *   case SCENARIO SUBJECT [rounds=N] [parallel=N] [ended] [settle] [tty] [stamp]
 *   before COMMAND...     not measured, before each round; more than one may be given, also of the next two
 *   timed COMMAND...      measured
 *   after COMMAND...      not measured
 *
 * Cases of one scenario that follow each other are run in turn, round by round, in an order that rotates. A
 * first round warms the caches and does not count. With parallel=N each command is started N times at once,
 * with % in its words replaced by the number of the copy. ended waits, before the clock runs, until all that
 * was made before has ended; settle waits, after it, for what the command left behind. tty gives it a
 * terminal as standard input. stamp reads from its standard output when the payload started (stamp.c).
 * Commands that read descriptor 9, where it is open, find it at its beginning.
 *
 * A line of JSON comes out for each case. wall is from before the first fork to the end of the last command.
 * cpu (user + system) and faults are those of the command and of everything that it made, ended or not: we
 * are a subreaper, so the init of a container is our child. rss is that of the largest process that ended.
 * start, with stamp, is from before the first fork to the stamp.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MAX_CASES = 256, MAX_WORDS = 512, MAX_COMMANDS = 4, MAX_ROUNDS = 10000, MAX_COPIES = 256 };

/* Small: what we have in memory when a command begins would count as its own. */
struct command {
    char **words;
};

struct command_list {
    struct command items[MAX_COMMANDS];
    int count;
};

struct sample {
    double wall, cpu, faults, rss; /* milliseconds, milliseconds, number, KiB */
    double start;                  /* milliseconds */
};

struct measured_case {
    const char *scenario, *subject;
    int rounds, parallel;
    bool ended, settle, tty, stamp;
    struct command_list before, timed, after;
    struct sample *samples;
    int count;
};

/* what a process and its children have used */
struct usage {
    double cpu; /* milliseconds */
    long faults;
};

static void die(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the plan
 * ----------------------------------------------------------------------------------------------- */

static void read_option(struct measured_case *item, const char *word)
{
    if (!strncmp(word, "rounds=", 7))
        item->rounds = atoi(word + 7);
    else if (!strncmp(word, "parallel=", 9))
        item->parallel = atoi(word + 9);
    else if (!strcmp(word, "ended"))
        item->ended = true;
    else if (!strcmp(word, "settle"))
        item->settle = true;
    else if (!strcmp(word, "tty"))
        item->tty = true;
    else if (!strcmp(word, "stamp"))
        item->stamp = true;
    else
        errno = EINVAL, die(word);
    if (item->rounds < 1 || item->rounds > MAX_ROUNDS || item->parallel < 1 || item->parallel > MAX_COPIES)
        errno = EINVAL, die(word);
}

/* splits the line, which then belongs to the words */
static int split(char *line, char **words)
{
    int count = 0;
    char *rest;
    for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        if (count == MAX_WORDS - 1)
            errno = E2BIG, die(words[0]);
        words[count++] = word;
    }
    words[count] = NULL;
    return count;
}

static char **copy_words(char **words, int count)
{
    char **copy = calloc((size_t)count + 1, sizeof *copy);
    if (!copy)
        die("memory");
    memcpy(copy, words, (size_t)count * sizeof *copy);
    return copy;
}

static struct command_list *list_named(struct measured_case *item, const char *name)
{
    if (!strcmp(name, "before"))
        return &item->before;
    if (!strcmp(name, "timed"))
        return &item->timed;
    if (!strcmp(name, "after"))
        return &item->after;
    errno = EINVAL, die(name);
    return NULL;
}

static int read_plan(struct measured_case *cases, int rounds)
{
    char *line = NULL, *words[MAX_WORDS];
    size_t size = 0;
    int count = 0;
    while (getline(&line, &size, stdin) > 0) {
        int found = split(line, words);
        if (found == 0)
            continue;
        line = NULL; /* the words stay */
        if (!strcmp(words[0], "case") && found >= 3 && count < MAX_CASES) {
            cases[count] = (struct measured_case){ words[1], words[2], rounds, .parallel = 1 };
            for (int i = 3; i < found; i++)
                read_option(&cases[count], words[i]);
            cases[count].samples = calloc((size_t)cases[count].rounds, sizeof(struct sample));
            count++;
            continue;
        }
        struct command_list *list = count ? list_named(&cases[count - 1], words[0]) : NULL;
        if (!list || list->count == MAX_COMMANDS)
            errno = EINVAL, die(words[0]);
        list->items[list->count++].words = copy_words(words + 1, found - 1);
    }
    return count;
}

/* ---- what was used
 * ------------------------------------------------------------------------------------------ */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* adds what a living child has used */
static void add_living(const char *pid, struct usage *usage)
{
    char path[64], line[1024];
    unsigned long long nanoseconds;
    long faults;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%s/schedstat", pid);
    if ((file = fopen(path, "re"))) {
        if (fscanf(file, "%llu", &nanoseconds) == 1)
            usage->cpu += (double)nanoseconds / 1e6;
        fclose(file);
    }
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if ((file = fopen(path, "re"))) {
        const char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        if (end && sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %ld", &faults) == 1)
            usage->faults += faults;
        fclose(file);
    }
}

/* all that our children used, dead or alive */
static struct usage used(void)
{
    char children[4096], path[64], *rest;
    struct rusage dead;
    struct usage usage;
    getrusage(RUSAGE_CHILDREN, &dead);
    usage.cpu = (double)(dead.ru_utime.tv_sec + dead.ru_stime.tv_sec) * 1e3 +
                (double)(dead.ru_utime.tv_usec + dead.ru_stime.tv_usec) / 1e3;
    usage.faults = dead.ru_minflt + dead.ru_majflt;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    if (!file)
        die(path);
    size_t length = fread(children, 1, sizeof children - 1, file);
    children[length] = 0;
    fclose(file);
    for (char *pid = strtok_r(children, " ", &rest); pid; pid = strtok_r(NULL, " ", &rest))
        add_living(pid, &usage);
    return usage;
}

/* ---- commands
 * ----------------------------------------------------------------------------------------------- */

static void expand(const struct command *command, int copy, char **words, char *space, size_t size)
{
    size_t used_space = 0;
    int i;
    for (i = 0; command->words[i]; i++) {
        const char *mark = strchr(command->words[i], '%');
        words[i] = command->words[i];
        if (!mark)
            continue;
        words[i] = space + used_space;
        used_space += (size_t)snprintf(words[i], size - used_space, "%.*s%d%s",
                                       (int)(mark - command->words[i]), command->words[i], copy, mark + 1) +
                      1;
        if (used_space > size)
            errno = E2BIG, die(command->words[0]);
    }
    words[i] = NULL;
}

/* output is a descriptor, or -1 for /dev/null */
static pid_t spawn(const struct command *command, int copy, const char *input, int output)
{
    char *words[MAX_WORDS], space[8192];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    pid_t pid;
    expand(command, copy, words, space, sizeof space);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDWR | O_NOCTTY, 0);
    if (output < 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    else
        posix_spawn_file_actions_adddup2(&actions, output, 1);
    sigfillset(&all); /* nohup and shells have jobs ignore some */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    errno = posix_spawn(&pid, words[0], &actions, &attributes, words, environ);
    if (errno)
        die(words[0]);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void reap_one(pid_t pid, const struct command *command, long *rss)
{
    struct rusage usage;
    int status;
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            die("wait4");
    if (usage.ru_maxrss > *rss)
        *rss = usage.ru_maxrss;
    if (status) {
        fprintf(stderr, "measure: ended with status %d:",
                WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
        for (int i = 0; command->words[i]; i++)
            fprintf(stderr, " %s", command->words[i]);
        fputs("\n", stderr);
        exit(1);
    }
}

static void run(const struct command_list *list, int copies, const char *input, int output, long *rss)
{
    pid_t pids[MAX_COPIES];
    for (int i = 0; i < list->count; i++) {
        for (int copy = 0; copy < copies; copy++)
            pids[copy] = spawn(&list->items[i], copy, input, output);
        for (int copy = 0; copy < copies; copy++)
            reap_one(pids[copy], &list->items[i], rss);
    }
}

/* ends the zombies that were given to us; with wait, waits until nothing is left */
static void reap_adopted(bool wait, long *rss)
{
    struct rusage usage;
    while (wait4(-1, NULL, wait ? 0 : WNOHANG, &usage) > 0)
        if (usage.ru_maxrss > *rss)
            *rss = usage.ru_maxrss;
}

static const char *open_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        die("terminal");
    return ptsname(master); /* the master stays open until the end */
}

/* the stamp in the pipe, in milliseconds of the monotonic clock */
static double read_stamp(int pipe_end)
{
    int64_t stamp;
    if (read(pipe_end, &stamp, sizeof stamp) != sizeof stamp)
        die("no stamp");
    return (double)stamp / 1e6;
}

static struct sample one_round(struct measured_case *item)
{
    static const char *terminal;
    static int ends[2] = { -1, -1 };
    long ignored = 0, rss = 0;
    if (item->tty && !terminal)
        terminal = open_terminal();
    if (item->stamp && ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        die("pipe");
    lseek(9, 0, SEEK_SET);
    run(&item->before, item->parallel, "/dev/null", -1, &ignored);
    reap_adopted(item->ended, &ignored);
    struct usage before = used();
    double start = now();
    run(&item->timed, item->parallel, item->tty ? terminal : "/dev/null", item->stamp ? ends[1] : -1, &rss);
    double wall = now() - start;
    reap_adopted(item->settle, &rss);
    struct usage after = used();
    run(&item->after, item->parallel, "/dev/null", -1, &ignored);
    reap_adopted(false, &ignored);
    return (struct sample){ wall, after.cpu - before.cpu, (double)(after.faults - before.faults), (double)rss,
                            item->stamp ? read_stamp(ends[0]) - start : 0 };
}

/* ---- the rounds
 * --------------------------------------------------------------------------------------------- */

static void run_scenario(struct measured_case *cases, int count)
{
    int rounds = 0;
    for (int i = 0; i < count; i++)
        if (cases[i].rounds > rounds)
            rounds = cases[i].rounds;
    for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < count; i++) {
            struct measured_case *item = &cases[(i + round + 1) % count];
            if (round >= item->rounds)
                continue;
            struct sample sample = one_round(item);
            if (round >= 0)
                item->samples[item->count++] = sample;
        }
    }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_numbers(const char *name, const struct measured_case *item, size_t offset)
{
    static double values[MAX_ROUNDS];
    for (int i = 0; i < item->count; i++)
        values[i] = *(const double *)((const char *)&item->samples[i] + offset);
    qsort(values, (size_t)item->count, sizeof *values, compare);
    double median = (values[(item->count - 1) / 2] + values[item->count / 2]) / 2;
    printf(",\"%s\":{\"min\":%.3f,\"median\":%.3f,\"p90\":%.3f}", name, values[0], median,
           values[item->count * 9 / 10]);
}

static void print_case(const struct measured_case *item)
{
    printf("{\"scenario\":\"%s\",\"subject\":\"%s\",\"rounds\":%d", item->scenario, item->subject,
           item->count);
    print_numbers("wall_ms", item, offsetof(struct sample, wall));
    print_numbers("cpu_ms", item, offsetof(struct sample, cpu));
    print_numbers("faults", item, offsetof(struct sample, faults));
    print_numbers("rss_kib", item, offsetof(struct sample, rss));
    if (item->stamp)
        print_numbers("start_ms", item, offsetof(struct sample, start));
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct measured_case cases[MAX_CASES];
    int rounds = argc == 2 ? atoi(argv[1]) : 0;
    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fputs("usage: measure ROUNDS <PLAN >RESULTS\n", stderr);
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int count = read_plan(cases, rounds);
    for (int first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && !strcmp(cases[next].scenario, cases[first].scenario); next++)
            ;
        fprintf(stderr, "    %s\n", cases[first].scenario);
        run_scenario(&cases[first], next - first);
        for (int i = first; i < next; i++)
            print_case(&cases[i]);
    }
    return 0;
}
