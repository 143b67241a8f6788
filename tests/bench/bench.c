/*
 * bench: times the commands of several OCI runtimes in one interleaved run, so that noise hits all alike.
 *
 *   bench ROUNDS BUNDLE STATE NAME=PATH... [floor=PATH]
 *
 * Each round runs every scenario with every runtime, in an order that rotates. It prints JSON:
 *   { "rounds": N, "results": [ { "runtime", "scenario", "wall_ms": {min, median, p90}, "cpu_ms": {…}, "rss_kib" } ] }
 *
 * wall is from before fork to the end of wait4. cpu is user + system of the command and of everything that ended
 * with it: we are a subreaper, so the container's init counts too. rss is the largest process among them.
 * The floor is no runtime: the least program that makes the same container (floor.c), measured as "run" only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { RUN, CREATE, START, DELETE, LIFE, EXEC, STATE, SCENARIOS, MAX_RUNTIMES = 8, MAX_ROUNDS = 10000 };
static const char *const scenario_names[SCENARIOS] = {
    "run", "create", "start", "delete", "create+start+delete", "exec", "state",
};

struct sample {
    double wall, cpu; /* milliseconds */
};

struct series {
    struct sample *samples;
    int count;
    long rss;
};

struct runtime {
    const char *name, *path;
    char state[4096]; /* its own state directory */
    struct series series[SCENARIOS];
};

static const char *bundle;
static char pause_bundle[4096];

static void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* CPU of all children that were waited for */
static double children_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* runs one command to its end; its output goes to /dev/null */
static void command(char *const argv[], double *wall, long *rss)
{
    static posix_spawn_file_actions_t actions;
    static bool ready;
    if (!ready) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        ready = true;
    }
    struct rusage usage;
    int status;
    pid_t pid;
    double start = now();
    errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    if (errno)
        die(argv[0]);
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            die("wait4");
    *wall = now() - start;
    if (usage.ru_maxrss > *rss)
        *rss = usage.ru_maxrss;
    if (status) {
        fprintf(stderr, "bench: %s ended with status %x; its words are above\n", argv[0], (unsigned)status);
        exit(1);
    }
}

/* reaps what was given to us, the init of a container among them; with wait it waits until none is left */
static void reap(bool wait)
{
    while (waitpid(-1, NULL, wait ? 0 : WNOHANG) > 0)
        ;
}

static void add(struct runtime *runtime, int scenario, double wall, double cpu)
{
    struct series *series = &runtime->series[scenario];
    series->samples[series->count++] = (struct sample){wall, cpu};
}

/* one command of the runtime, measured by itself */
static struct sample measure(struct runtime *runtime, int scenario, char *const argv[], bool wait_for_init)
{
    double wall, before = children_cpu();
    command(argv, &wall, &runtime->series[scenario].rss);
    if (wait_for_init)
        reap(true);
    double cpu = children_cpu() - before;
    add(runtime, scenario, wall, cpu);
    return (struct sample){wall, cpu};
}

#define COMMAND(runtime, ...) ((char *[]){(char *)(runtime)->path, "--root", (runtime)->state, __VA_ARGS__, NULL})

static bool is_floor(const struct runtime *runtime)
{
    return !strcmp(runtime->name, "floor");
}

static void round_run(struct runtime *runtime)
{
    char rootfs[4200];
    snprintf(rootfs, sizeof rootfs, "%s/rootfs", bundle);
    if (is_floor(runtime))
        measure(runtime, RUN, (char *[]){(char *)runtime->path, rootfs, "/bin/true", NULL}, false);
    else
        measure(runtime, RUN, COMMAND(runtime, "run", "--bundle", (char *)bundle, "bench-run"), false);
    reap(false);
}

static void round_life(struct runtime *runtime)
{
    struct sample create, start, delete;
    create = measure(runtime, CREATE, COMMAND(runtime, "create", "--bundle", (char *)bundle, "bench-life"), false);
    start = measure(runtime, START, COMMAND(runtime, "start", "bench-life"), true);
    delete = measure(runtime, DELETE, COMMAND(runtime, "delete", "bench-life"), false);
    add(runtime, LIFE, create.wall + start.wall + delete.wall, create.cpu + start.cpu + delete.cpu);
    for (int i = CREATE; i <= DELETE; i++)
        if (runtime->series[i].rss > runtime->series[LIFE].rss)
            runtime->series[LIFE].rss = runtime->series[i].rss;
}

/* exec and state need a container that runs: a new one for each round, made outside the clock */
static void round_running(struct runtime *runtime)
{
    double wall;
    long rss = 0;
    command(COMMAND(runtime, "run", "--detach", "--bundle", pause_bundle, "bench-exec"), &wall, &rss);
    measure(runtime, EXEC, COMMAND(runtime, "exec", "bench-exec", "/bin/true"), false);
    measure(runtime, STATE, COMMAND(runtime, "state", "bench-exec"), false);
    command(COMMAND(runtime, "delete", "--force", "bench-exec"), &wall, &rss);
    reap(true);
}

/* ---- results ------------------------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_numbers(const char *name, const struct series *series, bool cpu)
{
    static double values[MAX_ROUNDS];
    for (int i = 0; i < series->count; i++)
        values[i] = cpu ? series->samples[i].cpu : series->samples[i].wall;
    qsort(values, (size_t)series->count, sizeof *values, compare);
    printf("\"%s\":{\"min\":%.3f,\"median\":%.3f,\"p90\":%.3f}", name, values[0], values[series->count / 2],
           values[series->count * 9 / 10]);
}

static void print_results(const struct runtime *runtimes, int count, int rounds)
{
    const char *separator = "";
    printf("{\"rounds\":%d,\"results\":[", rounds);
    for (int s = 0; s < SCENARIOS; s++) {
        for (int i = 0; i < count; i++) {
            const struct series *series = &runtimes[i].series[s];
            if (!series->count)
                continue;
            printf("%s\n{\"runtime\":\"%s\",\"scenario\":\"%s\",", separator, runtimes[i].name, scenario_names[s]);
            print_numbers("wall_ms", series, false);
            printf(",");
            print_numbers("cpu_ms", series, true);
            printf(",\"rss_kib\":%ld}", series->rss);
            separator = ",";
        }
    }
    puts("\n]}");
}

int main(int argc, char **argv)
{
    static struct runtime runtimes[MAX_RUNTIMES];
    int count = 0, rounds = argc > 1 ? atoi(argv[1]) : 0;
    if (argc < 5 || rounds < 1 || rounds > MAX_ROUNDS || argc - 4 > MAX_RUNTIMES) {
        fputs("usage: bench ROUNDS BUNDLE STATE NAME=PATH... [floor=PATH]\n", stderr);
        return 2;
    }
    bundle = argv[2];
    snprintf(pause_bundle, sizeof pause_bundle, "%s-pause", bundle);
    for (int i = 4; i < argc; i++, count++) {
        char *path = strchr(argv[i], '=');
        if (!path)
            return 2;
        *path = 0;
        runtimes[count].name = argv[i];
        runtimes[count].path = path + 1;
        snprintf(runtimes[count].state, sizeof runtimes[count].state, "%s/%s", argv[3], argv[i]);
        for (int s = 0; s < SCENARIOS; s++)
            runtimes[count].series[s].samples = calloc((size_t)rounds + 1, sizeof(struct sample));
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    /* the first round warms caches and does not count */
    for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < count; i++) {
            struct runtime *runtime = &runtimes[(i + round + 1) % count];
            round_run(runtime);
            if (is_floor(runtime))
                continue;
            round_life(runtime);
            round_running(runtime);
        }
        for (int i = 0; round < 0 && i < count; i++)
            for (int s = 0; s < SCENARIOS; s++)
                runtimes[i].series[s].count = 0;
    }
    print_results(runtimes, count, rounds);
    return 0;
}
