/*
 * What param, service_control and reboot talk to. On a board these are separate sockets with access control; here one
 * socket takes one line and answers with text.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init.h"

int control_listen(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", CONTROL_SOCKET);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(CONTROL_SOCKET);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 8) != 0) {
    logf_("control socket: %s", strerror(errno));
    return -1;
  }
  return fd;
}

static void answer_service(int fd, const char *verb, const char *name) {
  struct service *s = name == NULL ? NULL : service_find(name);
  if (s == NULL) dprintf(fd, "no service %s\n", name == NULL ? "(none)" : name);
  else if (strcmp(verb, "start") == 0) service_start(s);
  else if (strcmp(verb, "stop") == 0) service_stop(s, SIGKILL);
  else if (strcmp(verb, "term") == 0) service_stop(s, SIGTERM);
  else dprintf(fd, "%s status %d pid %d crashes %d%s\n", s->name, s->status, s->pid, s->crashes, s->invalid ? " invalid" : "");
}

static void answer_param(int fd, const char *verb, const char *name, const char *value) {
  const char *now = name == NULL ? NULL : param_get(name);
  if (strcmp(verb, "ls") == 0) params_print(fd, name == NULL ? "" : name);
  else if (strcmp(verb, "set") == 0 && name != NULL && value != NULL) dprintf(fd, "Set parameter %s %s %s\n", name, value, param_set(name, value) ? "success" : "fail");
  else if (now != NULL) dprintf(fd, "%s\n", now);
  else dprintf(fd, "Get parameter \"%s\" fail! errNum is:106!\n", name == NULL ? "" : name);
}

static void answer(int fd, char *line) {
  char *rest = line;
  char *family = strsep(&rest, " "), *verb = strsep(&rest, " "), *name = strsep(&rest, " ");
  if (family == NULL || verb == NULL) return;
  if (strcmp(family, "service") == 0) answer_service(fd, verb, name);
  else if (strcmp(family, "param") == 0) answer_param(fd, verb, name, rest);
  else if (strcmp(family, "job") == 0) job_run_now(verb);
  else if (strcmp(family, "reboot") == 0) {
    close(fd);
    board_reboot(verb);
  }
}

void control_serve(int listener) {
  char line[1024];
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  struct timeval patience = {.tv_sec = 1};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ssize_t length = recv(fd, line, sizeof(line) - 1, 0);
  if (length > 0) {
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    answer(fd, line);
  }
  close(fd);
}
