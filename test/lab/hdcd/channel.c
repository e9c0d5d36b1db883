/*
 * Channels. From the host: x run a command ('p' or '-' before the line: with a terminal or not), u open a tunnel, f push
 * a file ("MODE PATH"), d data, z end of data, k signal, w window size. To the host: o stdout, e stderr, d tunnel data,
 * z tunnel end, q ended (status as 4 bytes), n refused (text).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hdcd.h"

static struct channel channels[MAX_CHANNELS];

static struct channel *channel_find(uint32_t id) {
  for (int i = 0; i < MAX_CHANNELS; i++) {
    if (channels[i].kind != FREE && channels[i].id == id) return &channels[i];
  }
  return NULL;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void channel_free(struct channel *c) {
  close_fd(&c->in);
  close_fd(&c->out);
  close_fd(&c->err);
  free(c->pending);
  memset(c, 0, sizeof(*c));
}

static void channel_end(struct channel *c, int32_t status) {
  unsigned char bytes[4];
  for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)((uint32_t)status >> (8 * i));
  wire_send(c->id, 'q', bytes, sizeof(bytes));
  channel_free(c);
}

static void channel_open(uint32_t id, char type, char *payload) {
  struct channel *c = NULL;
  for (int i = 0; i < MAX_CHANNELS && c == NULL; i++) {
    if (channels[i].kind == FREE) c = &channels[i];
  }
  if (c == NULL) {
    wire_say(id, 'n', "too many channels at once");
    return;
  }
  memset(c, 0, sizeof(*c));
  c->id = id;
  c->in = c->out = c->err = -1;
  bool opened = false;
  if (type == 'x') {
    c->kind = COMMAND;
    opened = command_start(c, payload + 1, payload[0] == 'p');
  } else if (type == 'u') {
    c->kind = TUNNEL;
    opened = tunnel_start(c, payload);
  } else {
    unsigned mode = 0;
    int start = 0;
    c->kind = FILE_PUSH;
    if (sscanf(payload, "%o %n", &mode, &start) == 1) c->in = open(payload + start, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    opened = c->in >= 0 && fchmod(c->in, (mode_t)mode) == 0;
  }
  if (opened) return;
  wire_say(id, 'n', strerror(errno));
  channel_free(c);
}

/* Hands pending bytes on as far as they are taken; a reader that went away just loses them. */
static void flush_pending(struct channel *c) {
  while (c->in >= 0 && c->pending_length > 0) {
    ssize_t n = write(c->in, c->pending, c->pending_length);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      close_fd(&c->in);
      c->pending_length = 0;
      if (c->kind == FILE_PUSH) {
        wire_say(c->id, 'n', strerror(error));
        channel_free(c);
      }
      return;
    }
    c->pending_length -= (size_t)n;
    memmove(c->pending, c->pending + n, c->pending_length);
  }
  if (!c->in_ends || c->in < 0) return;
  if (c->kind == TUNNEL) shutdown(c->in, SHUT_WR);
  close_fd(&c->in);
  if (c->kind == FILE_PUSH) channel_end(c, 0);
}

static void take_data(struct channel *c, const char *bytes, size_t length) {
  if (c->in < 0) return;
  char *grown = realloc(c->pending, c->pending_length + length);
  if (grown == NULL) return;
  c->pending = grown;
  memcpy(c->pending + c->pending_length, bytes, length);
  c->pending_length += length;
  flush_pending(c);
}

void channel_frame(uint32_t id, char type, char *payload, size_t length) {
  struct channel *c = channel_find(id);
  if (type == 'x' || type == 'u' || type == 'f') {
    if (c == NULL) channel_open(id, type, payload);
  } else if (c == NULL) {
    return; /* it ended while this frame was under way */
  } else if (type == 'd') {
    take_data(c, payload, length);
  } else if (type == 'z') {
    c->in_ends = true;
    flush_pending(c);
  } else if (type == 'k') {
    if (c->pid > 0) kill(-c->pid, length > 0 ? payload[0] : SIGKILL);
    else channel_end(c, 0);
  } else if (type == 'w' && length >= 4) {
    struct winsize size = {.ws_row = (unsigned char)payload[0] | (unsigned char)payload[1] << 8,
                           .ws_col = (unsigned char)payload[2] | (unsigned char)payload[3] << 8};
    if (c->out >= 0) ioctl(c->out, TIOCSWINSZ, &size);
  }
}

/* One read; false at the end of the stream. */
static bool pump(struct channel *c, int *fd, char type) {
  static char buffer[32768];
  ssize_t n = read(*fd, buffer, sizeof(buffer));
  if (n > 0) {
    wire_send(c->id, type, buffer, (size_t)n);
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  close_fd(fd);
  return false;
}

int channels_poll(struct pollfd *fds) {
  for (int i = 0; i < MAX_CHANNELS; i++) {
    struct channel *c = &channels[i];
    bool used = c->kind != FREE;
    fds[i * 3] = (struct pollfd){.fd = used ? c->out : -1, .events = POLLIN};
    fds[i * 3 + 1] = (struct pollfd){.fd = used ? c->err : -1, .events = POLLIN};
    fds[i * 3 + 2] = (struct pollfd){.fd = used && c->pending_length > 0 ? c->in : -1, .events = POLLOUT};
  }
  return MAX_CHANNELS * 3;
}

void channels_serve(const struct pollfd *fds, int count) {
  for (int i = 0; i * 3 < count; i++) {
    struct channel *c = &channels[i];
    if (c->kind == FREE) continue;
    char type = c->kind == TUNNEL ? 'd' : 'o';
    if (fds[i * 3 + 2].revents != 0) flush_pending(c);
    if (fds[i * 3 + 1].revents != 0 && c->err >= 0) pump(c, &c->err, 'e');
    if (fds[i * 3].revents == 0 || c->out < 0) continue;
    if (!pump(c, &c->out, type) && c->kind == TUNNEL) {
      wire_send(c->id, 'z', "", 0);
      channel_end(c, 0);
    }
  }
}

/* A command has ended when its process has: what it left in the background may keep the pipes, its output so far counts. */
void channels_reap(void) {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    for (int i = 0; i < MAX_CHANNELS; i++) {
      struct channel *c = &channels[i];
      if (c->kind != COMMAND || c->pid != pid) continue;
      struct pollfd rest[2];
      do {
        rest[0] = (struct pollfd){.fd = c->out, .events = POLLIN};
        rest[1] = (struct pollfd){.fd = c->err, .events = POLLIN};
        poll(rest, 2, 0);
        if (rest[0].revents != 0) pump(c, &c->out, 'o');
        if (rest[1].revents != 0) pump(c, &c->err, 'e');
      } while (((rest[0].revents | rest[1].revents) & POLLIN) != 0);
      channel_end(c, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
}

void channels_reset(void) {
  for (int i = 0; i < MAX_CHANNELS; i++) {
    if (channels[i].kind == COMMAND && channels[i].pid > 0) kill(-channels[i].pid, SIGKILL);
    if (channels[i].kind != FREE) channel_free(&channels[i]);
  }
}
