/*
 * turns: times several commands in one interleaved run, so that noise hits all alike.
 *
 *   turns ROUNDS NAME=COMMAND...
 *
 * COMMAND is split at spaces and executed without a shell. Each round runs every command once, in an order
 * that rotates. A line for each, with tabs: NAME, ms to the start of the payload (median, lowest decile), ms
 * to the end (median, lowest decile), CPU ms (median). The start is what the payload (stamp.c) writes to its
 * stdout, 0 without; the end is that of wait; CPU also counts what the command left to us: we are a
 * subreaper. Commands that read descriptor 9, where it is open, find it at its beginning.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
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

enum { MAX_COMMANDS = 16, MAX_WORDS = 128, MAX_ROUNDS = 100000 };

struct command {
    const char *name;
    char *words[MAX_WORDS];
    double *start, *wall, *cpu;
};

static void die(const char *what)
{
    fprintf(stderr, "turns: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static double children_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

static void parse(struct command *command, char *text)
{
    char *value = strchr(text, '=');
    size_t count = 0;

    if (!value) {
        errno = EINVAL;
        die(text);
    }
    *value++ = '\0';
    command->name = text;
    for (char *word; (word = strsep(&value, " ")) && count + 1 < MAX_WORDS;)
        if (*word)
            command->words[count++] = word;
}

static pid_t start_command(struct command *command, int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    errno = posix_spawnp(&pid, command->words[0], &actions, NULL, command->words, environ);
    if (errno)
        die(command->words[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void measure(struct command *command, size_t round)
{
    double cpu = children_cpu(), start;
    int status, ends[2];
    int64_t stamp;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        die("pipe");
    lseek(9, 0, SEEK_SET);
    start = now();
    pid = start_command(command, ends[1]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    command->wall[round] = now() - start;
    if (read(ends[0], &stamp, sizeof stamp) == sizeof stamp)
        command->start[round] = (double)stamp / 1e6 - start;
    close(ends[0]);
    close(ends[1]);
    while (wait(NULL) > 0)
        ;
    command->cpu[round] = children_cpu() - cpu;
    if (status) {
        fprintf(stderr, "turns: %s ended with status %x\n", command->name, (unsigned)status);
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv)
{
    struct command commands[MAX_COMMANDS] = { 0 };
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, count = 0;

    if (argc < 3 || argc - 2 > MAX_COMMANDS || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: turns ROUNDS NAME=COMMAND...\n");
        return 2;
    }
    for (; count + 2 < (size_t)argc; count++) {
        parse(&commands[count], argv[count + 2]);
        commands[count].start = calloc(3 * rounds, sizeof(double));
        if (!commands[count].start)
            die("calloc");
        commands[count].wall = commands[count].start + rounds;
        commands[count].cpu = commands[count].wall + rounds;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            measure(&commands[(i + round) % count], round);
    for (size_t i = 0; i < count; i++) {
        for (double *series = commands[i].start; series < commands[i].start + 3 * rounds; series += rounds)
            qsort(series, rounds, sizeof(double), compare);
        printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", commands[i].name, commands[i].start[rounds / 2],
               commands[i].start[rounds / 10], commands[i].wall[rounds / 2], commands[i].wall[rounds / 10],
               commands[i].cpu[rounds / 2]);
    }
    return 0;
}
