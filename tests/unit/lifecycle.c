/* runtime/launch/lifecycle.c, delete.c on a record whose "init" is a child of the test (items 28, 29, 38-41,
 * E2, E7, E9, X3). */
#include "launch/lifecycle.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process_info.h"
#include "oci-specs/schema.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static char root[64];
static struct store store;
static struct container container;
static pid_t init;

/* A container whose process runs, as create and start leave it; without a cgroup. */
static void make_container(void)
{
    struct container_status status = { .id = (char *)"", .bundle = (char *)"/" };
    struct process_info info;
    struct error err = { 0 };

    strcpy(root, "/tmp/aril-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(store_open(root, true, &store, &err), 0, "%s", err.text);
    init = fork();
    if (init == 0) {
        pause();
        _exit(0);
    }
    cr_assert_eq(process_info_read(init, &info), 0);
    status.pid = init;
    status.pid_start_time = info.start_time;
    status.has_pid = status.has_pid_start_time = true;
    status.own_pid_namespace = status.has_own_pid_namespace = true;
    cr_assert_eq(store_create(&store, "web1", &status, &container, &err), 0, "%s", err.text);
    container_unlock(&container);
}

static void remove_container(void)
{
    if (init > 0) {
        kill(init, SIGKILL);
        waitpid(init, NULL, 0);
    }
    container_close(&container);
    store_close(&store);
    file_remove_tree_at(AT_FDCWD, root);
}

TestSuite(lifecycle, .init = make_container, .fini = remove_container);

static void end_init(void)
{
    kill(init, SIGKILL);
    waitpid(init, NULL, 0);
    init = 0;
}

static void put_start_socket(void)
{
    auto_close int fd = openat(container.fd, "start.sock", O_WRONLY | O_CREAT, 0600);

    cr_assert_geq(fd, 0);
}

static bool is_there(void)
{
    return faccessat(store.fd, "web1", F_OK, 0) == 0;
}

Test(process_info, a_name_of_brackets_misleads_nobody)
{
    struct process_info before, after;
    char name[16];

    cr_assert_eq(process_info_read(getpid(), &before), 0);
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, "a) Z 1 2 (b) X");
    cr_assert_eq(process_info_read(getpid(), &after), 0);
    prctl(PR_SET_NAME, name);
    cr_assert_eq(after.state, 'R');
    cr_assert_gt(after.start_time, 0);
    cr_assert_eq(after.start_time, before.start_time);
}

Test(lifecycle, states) /* items 38-41 */
{
    struct container other;
    struct error err = { 0 };

    cr_expect_eq(container_state(&container), CONTAINER_RUNNING);
    put_start_socket();
    cr_expect_eq(container_state(&container), CONTAINER_CREATED);
    container.status->pid_start_time++; /* the pid is someone else's now (item 40) */
    cr_expect_eq(container_state(&container), CONTAINER_STOPPED);
    container.status->pid_start_time--;
    kill(init, SIGKILL);
    waitid(P_PID, (id_t)init, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
    cr_expect_eq(container_state(&container), CONTAINER_STOPPED, "a zombie (item 41)");
    container.status->pid = 0;
    cr_expect_eq(container_state(&container), CONTAINER_STOPPED, "a create that died");
    cr_assert_eq(store_load(&store, "web1", &other, &err), 0);
    cr_assert_eq(container_lock(&other, 0, &err), 0, "%s", err.text);
    cr_expect_eq(container_state(&container), CONTAINER_CREATING, "a create that lives");
    container_close(&other);
}

Test(lifecycle, kill_reaches_init)
{
    struct error err = { 0 };
    int status;

    cr_assert_eq(container_kill(&container, 0, false, &err), 0, "%s", err.text);
    cr_assert_eq(container_kill(&container, SIGUSR1, false, &err), 0, "%s", err.text);
    cr_assert_eq(waitpid(init, &status, 0), init);
    cr_assert_eq(WTERMSIG(status), SIGUSR1);
    init = 0;
}

Test(lifecycle, kill_of_a_stopped_container)
{
    struct error err = { 0 };

    end_init();
    cr_assert_eq(container_kill(&container, SIGTERM, false, &err), -1);
    cr_assert_eq(err.code, ESRCH);
    cr_assert_str_eq(err.text, "container not running: no such process");
    cr_assert_eq(container_kill(&container, SIGKILL, true, &err), 0, "%s", err.text);
}

/* The pid was given to another process: it must not be hit. */
Test(lifecycle, kill_never_hits_a_reused_pid)
{
    struct error err = { 0 };

    container.status->pid_start_time++;
    cr_assert_eq(container_kill(&container, SIGKILL, false, &err), -1);
    cr_assert_str_eq(err.text, "container not running: no such process");
    cr_assert_eq(container_kill(&container, SIGKILL, true, &err), 0);
    container_save(&container, &err);
    cr_assert_eq(container_delete(&container, true, &err), 0, "%s", err.text);
    cr_assert_eq(waitpid(init, NULL, WNOHANG), 0, "the other process was killed");
}

Test(lifecycle, pause_and_resume_need_the_right_state)
{
    struct error err = { 0 };

    cr_assert_eq(container_pause(&container, &err), -1);
    cr_assert_str_eq(err.text, "the container has no cgroup: disabled, or its user may not make one");
    cr_assert_eq(container_resume(&container, &err), -1);
    cr_assert_str_eq(err.text, "container not paused: running");
    end_init();
    cr_assert_eq(container_pause(&container, &err), -1);
    cr_assert_str_eq(err.text, "container not running: stopped");
}

Test(lifecycle, processes_without_a_cgroup)
{
    auto_free pid_t *pids = NULL;
    struct error err = { 0 };
    size_t count;

    cr_assert_eq(container_processes(&container, &pids, &count, &err), 0);
    cr_assert_eq(count, 1);
    cr_assert_eq(pids[0], init);
}

Test(lifecycle, delete_refuses_what_runs)
{
    struct error err = { 0 };

    cr_assert_eq(container_delete(&container, false, &err), -1);
    cr_assert_str_eq(err.text,
                     "cannot delete container web1 that is not stopped: running (the container `web1` "
                     "is not in `created` or `stopped` state)");
    cr_assert(is_there());
    cr_assert_eq(waitpid(init, NULL, WNOHANG), 0);
}

Test(lifecycle, delete_of_a_created_container_kills_it)
{
    struct error err = { 0 };
    int status;

    put_start_socket();
    cr_assert_eq(container_delete(&container, false, &err), 0, "%s", err.text);
    cr_assert_not(is_there());
    cr_assert_eq(waitpid(init, &status, 0), init);
    cr_assert_eq(WTERMSIG(status), SIGKILL);
    init = 0;
}

Test(lifecycle, delete_with_force_kills)
{
    struct error err = { 0 };
    int status;

    cr_assert_eq(container_delete(&container, true, &err), 0, "%s", err.text);
    cr_assert_not(is_there());
    cr_assert_eq(waitpid(init, &status, 0), init);
    cr_assert_eq(WTERMSIG(status), SIGKILL);
    init = 0;
}

Test(lifecycle, delete_of_a_stopped_container)
{
    struct error err = { 0 };

    end_init();
    cr_assert_eq(container_delete(&container, false, &err), 0, "%s", err.text);
    cr_assert_not(is_there());
}

Test(lifecycle, delete_waits_for_the_lock_and_gives_up)
{
    struct container other;
    struct error err = { 0 };

    cr_assert_eq(store_load(&store, "web1", &other, &err), 0);
    cr_assert_eq(container_lock(&other, 0, &err), 0);
    cr_assert_eq(container_delete(&container, false, &err), -1);
    cr_assert_str_eq(err.text, "container `web1` is locked by another command");
    cr_assert(is_there());
    container_close(&other);
}

/* `delete --force` takes ENOENT for success: only a missing container may have that code. */
Test(lifecycle, delete_of_what_another_command_deleted)
{
    struct container other;
    struct error err = { 0 };

    cr_assert_eq(store_load(&store, "web1", &other, &err), 0);
    cr_assert_eq(container_delete(&container, true, &err), 0, "%s", err.text);
    container_unlock(&container);
    cr_assert_eq(container_delete(&other, true, &err), -1);
    cr_assert_eq(err.code, ENOENT);
    cr_assert_str_eq(err.text, "container `web1` does not exist");
    container_close(&other);
}
