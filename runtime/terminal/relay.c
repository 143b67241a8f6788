/*
 * Copies between our stdin and stdout and the master of a container's terminal, in the foreground runtime.
 * The caller's poll loop drives it (supervise/): nothing here may wait, or signals would wait too. Knows
 * nothing of processes.
 *
 *     stdin ──▶ to_container ──▶ master      read only when the buffer is empty: what the other side does not
 *     stdout ◀── to_user ◀── master          take stays with the one who writes it
 */
#include "terminal/terminal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "terminal/raw.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 4096              /* what one read of a terminal returns at most */
#define CAREFUL_WRITE 512             /* poll() promises at least that much room where a write could wait */
#define LAST_OUTPUT_LIMIT (64 * 1024) /* bytes read after the end; a terminal holds a quarter of that */
#define CLOSE_PATIENCE_MS 1000

struct relay_buffer {
    size_t start, end;
    char data[BUFFER_SIZE];
};

struct terminal_relay {
    int master;        /* -1: nothing more will come from it */
    int hangup_watch;  /* an epoll fd while no process has the terminal open, otherwise -1 */
    int output;        /* STDOUT_FILENO, or our own opening of it */
    bool output_waits; /* writing to it could wait */
    bool input_open;
    char last_input;
    bool finishing;
    size_t last_output;
    struct raw_terminal terminal;
    struct relay_buffer to_container, to_user;
};

/* ---- ends and modes ----------------------------------------------------------------------------------- */

/*
 * O_NONBLOCK belongs to the open file, which our stdout shares with the shell and others, so it is set on an
 * opening of our own. That can fail (a socket, a terminal of another user, no /proc): then small writes have
 * to do.
 */
static void open_output(struct terminal_relay *relay)
{
    struct stat status;
    int fd;

    relay->output = STDOUT_FILENO;
    if (fstat(STDOUT_FILENO, &status) < 0 || S_ISREG(status.st_mode))
        return;
    relay->output_waits = true;
    if (!S_ISCHR(status.st_mode) && !S_ISFIFO(status.st_mode))
        return;
    fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        relay->output = fd;
        relay->output_waits = false;
    }
}

/* See raw.c for ONLCR. IUTF8: the backspace of line editing erases a whole character, as it does outside. */
static int adapt_modes(int master, struct error *err)
{
    struct termios inside, outside;

    if (tcgetattr(master, &inside) < 0)
        return fail_errno(err, "terminal: get modes");
    if (!raw_terminal_is_both_ways())
        inside.c_oflag &= ~(tcflag_t)ONLCR;
    if (tcgetattr(STDIN_FILENO, &outside) == 0)
        inside.c_iflag |= outside.c_iflag & IUTF8;
    return tcsetattr(master, TCSANOW, &inside) < 0 ? fail_errno(err, "terminal: set modes") : 0;
}

/* ---- hanging up ------------------------------------------------------------------------------------ */

/* Nobody reads what the container writes, or nobody can write any more: as when a window is closed. */
static void hang_up(struct terminal_relay *relay)
{
    cleanup_close(&relay->hangup_watch);
    cleanup_close(&relay->master);
    relay->hangup_watch = relay->master = -1;
    relay->to_user.start = relay->to_user.end = 0;
}

/*
 * The last process closed the terminal. That need not be the end: systemd and getty close and reopen theirs.
 * poll() would report POLLHUP for ever; an edge-triggered epoll is silent until something is written.
 */
static void watch_for_reopening(struct terminal_relay *relay)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };

    if (relay->hangup_watch >= 0)
        return;
    relay->hangup_watch = epoll_create1(EPOLL_CLOEXEC);
    if (relay->hangup_watch < 0 || epoll_ctl(relay->hangup_watch, EPOLL_CTL_ADD, relay->master, &event) < 0)
        hang_up(relay);
}

/* ---- copying --------------------------------------------------------------------------------------- */

static bool buffer_is_empty(const struct relay_buffer *buffer)
{
    return buffer->start == buffer->end;
}

/* Writes what fits now. False: the other end is gone. */
static bool write_some(int fd, struct relay_buffer *buffer, size_t most)
{
    while (!buffer_is_empty(buffer)) {
        size_t length = buffer->end - buffer->start;
        ssize_t written = write(fd, buffer->data + buffer->start, length < most ? length : most);

        if (written < 0)
            return errno == EAGAIN || errno == EINTR;
        buffer->start += (size_t)written;
        if (most < BUFFER_SIZE) /* poll() spoke for one write */
            return true;
    }
    return true;
}

static void write_output(struct terminal_relay *relay)
{
    if (!write_some(relay->output, &relay->to_user, relay->output_waits ? CAREFUL_WRITE : BUFFER_SIZE))
        hang_up(relay);
}

static void write_input(struct terminal_relay *relay)
{
    /* EIO: no process has the terminal open. Keeping this would keep later input from the next one that opens
     * it. */
    if (!write_some(relay->master, &relay->to_container, BUFFER_SIZE))
        relay->to_container.start = relay->to_container.end = 0;
}

static void read_output(struct terminal_relay *relay)
{
    ssize_t got = read(relay->master, relay->to_user.data, BUFFER_SIZE);

    if (got > 0) {
        relay->to_user.start = 0;
        relay->to_user.end = (size_t)got;
        relay->last_output += relay->finishing ? (size_t)got : 0;
        cleanup_close(&relay->hangup_watch);
        relay->hangup_watch = -1;
        if (!relay->output_waits)
            write_output(relay);
    } else if (relay->finishing) {
        hang_up(relay); /* EIO, or EAGAIN: the kernel has passed on all that was written before */
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        watch_for_reopening(relay);
    }
}

/* After the end: until there is no more, or our stdout takes no more at once. */
static void read_last_output(struct terminal_relay *relay)
{
    while (relay->master >= 0 && buffer_is_empty(&relay->to_user)) {
        if (relay->last_output >= LAST_OUTPUT_LIMIT)
            hang_up(relay);
        else
            read_output(relay);
    }
}

/* What ends a file inside: usually ^D, but the container may have set another character. */
static char eof_character(const struct terminal_relay *relay)
{
    struct termios inside;

    if (tcgetattr(relay->master, &inside) < 0 || inside.c_cc[VEOF] == _POSIX_VDISABLE)
        return CEOF;
    return (char)inside.c_cc[VEOF];
}

/*
 * `echo ls | aril run …`: the end of a pipe becomes the end-of-file character. It ends a line first when
 * there is one, so an unfinished line takes two.
 */
static void queue_eof(struct terminal_relay *relay)
{
    struct relay_buffer *buffer = &relay->to_container;

    memset(buffer->data, eof_character(relay), 2);
    buffer->start = 0;
    buffer->end = relay->last_input == '\n' ? 1 : 2;
}

/*
 * What was typed before, in whole lines, while our terminal edits them: after the switch to raw mode the
 * kernel would give us a NUL for each ^D among it.
 */
static void read_typed_ahead(struct terminal_relay *relay)
{
    struct relay_buffer *buffer = &relay->to_container;
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    if (!raw_terminal_in_foreground())
        return;
    while (buffer->end < BUFFER_SIZE && poll(&input, 1, 0) > 0) {
        ssize_t got;

        if (input.revents != POLLIN) /* hung up */
            return;
        got = read(STDIN_FILENO, buffer->data + buffer->end, BUFFER_SIZE - buffer->end);
        if (got < 0)
            return;
        if (got == 0)
            buffer->data[buffer->end] = eof_character(relay);
        buffer->end += got == 0 ? 1 : (size_t)got;
    }
}

static void read_input(struct terminal_relay *relay)
{
    struct relay_buffer *buffer = &relay->to_container;
    ssize_t got = read(STDIN_FILENO, buffer->data, BUFFER_SIZE);

    if (got > 0) {
        buffer->start = 0;
        buffer->end = (size_t)got;
        relay->last_input = buffer->data[got - 1];
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        relay->input_open = false;
        queue_eof(relay);
    }
    write_input(relay);
}

/* ---- opening --------------------------------------------------------------------------------------- */

struct terminal_relay *terminal_relay_open(int master, bool has_size, struct error *err)
{
    auto_close int own_master = master;
    struct terminal_relay *relay = NULL;
    int flags = fcntl(master, F_GETFL);

    if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0) {
        fail_errno(err, "terminal: fcntl");
        return NULL;
    }
    if (adapt_modes(master, err) < 0)
        return NULL;
    relay = memory_new(sizeof *relay);
    relay->master = take_fd(&own_master);
    relay->hangup_watch = -1;
    relay->input_open = true;
    relay->last_input = '\n';
    open_output(relay);
    if (!has_size)
        terminal_relay_resize(relay);
    read_typed_ahead(relay);
    raw_terminal_enter(&relay->terminal);
    return relay;
}

/* ---- the caller's loop ----------------------------------------------------------------------------- */

static short master_events(const struct terminal_relay *relay)
{
    short events = 0;

    if (buffer_is_empty(&relay->to_user))
        events |= POLLIN;
    if (!buffer_is_empty(&relay->to_container))
        events |= POLLOUT;
    return events;
}

int terminal_relay_fds(struct terminal_relay *relay, struct pollfd *fds, int max)
{
    struct pollfd wanted[TERMINAL_RELAY_FDS];
    int count = 0;

    if (!buffer_is_empty(&relay->to_user))
        wanted[count++] = (struct pollfd){ .fd = relay->output, .events = POLLOUT };
    if (relay->master >= 0 &&
        !relay->finishing) { /* the last output is read as soon as there is room for it */
        if (relay->hangup_watch >= 0)
            wanted[count++] = (struct pollfd){ .fd = relay->hangup_watch, .events = POLLIN };
        else if (master_events(relay))
            wanted[count++] = (struct pollfd){ .fd = relay->master, .events = master_events(relay) };
        if (relay->input_open && buffer_is_empty(&relay->to_container))
            wanted[count++] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
    }
    if (count > max)
        count = max;
    memcpy(fds, wanted, (size_t)count * sizeof *fds);
    return count;
}

static void handle_one(struct terminal_relay *relay, const struct pollfd *ready)
{
    if (ready->fd == relay->output) {
        write_output(relay);
    } else if (ready->fd == relay->hangup_watch) {
        epoll_wait(relay->hangup_watch, &(struct epoll_event){ 0 }, 1, 0);
        read_output(relay);
    } else if (ready->fd == relay->master) {
        if (!buffer_is_empty(&relay->to_container))
            write_input(relay);
        if (buffer_is_empty(&relay->to_user))
            read_output(relay);
    } else if (ready->fd == STDIN_FILENO) {
        read_input(relay);
    }
}

void terminal_relay_handle(struct terminal_relay *relay, const struct pollfd *fds, int count)
{
    for (int i = 0; i < count; i++)
        if (fds[i].revents && fds[i].fd >= 0)
            handle_one(relay, &fds[i]);
    if (relay->finishing)
        read_last_output(relay);
}

void terminal_relay_resize(struct terminal_relay *relay)
{
    struct winsize size;

    if (relay->master >= 0 && raw_terminal_size(&size))
        ioctl(relay->master, TIOCSWINSZ, &size);
}

void terminal_relay_suspend(struct terminal_relay *relay)
{
    raw_terminal_leave(&relay->terminal);
}

void terminal_relay_resume(struct terminal_relay *relay)
{
    raw_terminal_enter(&relay->terminal);
    terminal_relay_resize(relay);
}

/* ---- the end --------------------------------------------------------------------------------------- */

void terminal_relay_finish(struct terminal_relay *relay)
{
    relay->finishing = true;
    relay->input_open = false;
    relay->to_container.start = relay->to_container.end = 0;
    cleanup_close(&relay->hangup_watch);
    relay->hangup_watch = -1;
    read_last_output(relay);
}

void terminal_relay_close(struct terminal_relay *relay)
{
    struct pollfd fds[TERMINAL_RELAY_FDS];
    int count;

    if (!relay)
        return;
    terminal_relay_finish(relay);
    while ((count = terminal_relay_fds(relay, fds, TERMINAL_RELAY_FDS)) > 0) {
        if (poll(fds, (nfds_t)count, CLOSE_PATIENCE_MS) <= 0)
            break;
        terminal_relay_handle(relay, fds, count);
    }
    hang_up(relay);
    raw_terminal_leave(&relay->terminal);
    if (relay->output != STDOUT_FILENO)
        cleanup_close(&relay->output);
    free(relay);
}
