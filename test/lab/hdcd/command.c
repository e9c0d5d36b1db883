/* Starting what a channel is for: `sh -c LINE` with the daemon's own environment, or a connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hdcd.h"

static void run_shell(const char *line) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  if (line[0] == '\0') execl("/system/bin/sh", "sh", (char *)NULL);
  else execl("/system/bin/sh", "sh", "-c", line, (char *)NULL);
  _exit(127);
}

static bool start_on_terminal(struct channel *c, const char *line) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  char name[64];
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, sizeof(name)) != 0) return false;
  c->pid = fork();
  if (c->pid == 0) {
    setsid();
    int slave = open(name, O_RDWR);
    ioctl(slave, TIOCSCTTY, 0);
    for (int i = 0; i <= 2; i++) dup2(slave, i);
    if (slave > 2) close(slave);
    setenv("TERM", "xterm", 1);
    run_shell(line);
  }
  c->out = master;
  c->in = dup(master);
  return c->pid > 0;
}

static bool start_on_pipes(struct channel *c, const char *line) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return false;
  c->pid = fork();
  if (c->pid == 0) {
    setsid();
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    run_shell(line);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  c->in = in[1];
  c->out = out[0];
  c->err = err[0];
  return c->pid > 0;
}

bool command_start(struct channel *c, const char *line, bool terminal) {
  bool started = terminal ? start_on_terminal(c, line) : start_on_pipes(c, line);
  for (int *fd = &c->in; fd <= &c->err; fd++) {
    if (*fd >= 0) fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
    if (*fd >= 0) fcntl(*fd, F_SETFD, FD_CLOEXEC);
  }
  return started;
}

static int connect_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

static int connect_tcp(const char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char host[64];
  unsigned port = 0;
  if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    errno = EINVAL;
    return -1;
  }
  address.sin_port = htons((uint16_t)port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

/* unix:PATH or tcp:IPV4:PORT, in init's own namespaces. */
bool tunnel_start(struct channel *c, const char *where) {
  int fd = strncmp(where, "unix:", 5) == 0 ? connect_unix(where + 5) : connect_tcp(where + 4);
  if (fd < 0) return false;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  c->out = fd;
  c->in = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return true;
}
