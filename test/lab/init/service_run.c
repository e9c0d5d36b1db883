/* Starting and stopping services from PID 1. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

void service_set_status(struct service *s, enum service_status status) {
  char name[160], text[16];
  s->status = status;
  snprintf(name, sizeof(name), "startup.service.ctl.%s", s->name);
  snprintf(text, sizeof(text), "%d", status);
  param_set(name, text);
  snprintf(name, sizeof(name), "startup.service.ctl.%s.pid", s->name);
  snprintf(text, sizeof(text), "%d", s->pid > 0 ? s->pid : 0);
  param_set(name, text);
}

static bool can_start(struct service *s) {
  struct stat info;
  if (s->path[0] == NULL) {
    logf_("service %s has no usable path", s->name);
    return false;
  }
  if (s->invalid) {
    logf_("service %s is invalid until the next boot", s->name);
    return false;
  }
  s->stopping = false;
  if (stat(s->path[0], &info) == 0) return true;
  /* A program below /data/ may appear later, so only others are given up for good. */
  s->invalid = strncmp(s->path[0], "/data/", 6) != 0;
  logf_("service %s: %s does not exist%s", s->name, s->path[0], s->invalid ? ", service is invalid from now on" : "");
  return false;
}

bool service_start(struct service *s) {
  if (s->pid > 0) return true;
  if (!can_start(s)) return false;
  if (s->jobs[PRE_START] != NULL) job_run_now(s->jobs[PRE_START]);
  pid_t pid = fork();
  if (pid == 0) service_child(s);
  if (pid < 0) {
    logf_("service %s: fork failed: %s", s->name, strerror(errno));
    return false;
  }
  s->pid = pid;
  logf_("service %s started, pid %d", s->name, pid);
  if (s->cgroup) service_cgroup_join(s);
  service_set_status(s, STARTED);
  return true;
}

static void close_sockets(struct service *s) {
  for (int i = 0; i < s->socket_count; i++) {
    char path[128];
    snprintf(path, sizeof(path), "/dev/unix/socket/%s", s->sockets[i].name);
    unlink(path);
  }
}

/* on-stop runs even when the service is down. Only the main process is signalled; its children live on. */
void service_stop(struct service *s, int signal) {
  service_set_status(s, STOPPING);
  if (s->jobs[ON_STOP] != NULL) job_run_now(s->jobs[ON_STOP]);
  s->stopping = true;
  s->timer_ms = 0;
  if (s->pid <= 0) return;
  close_sockets(s);
  if (kill(s->pid, signal) != 0) logf_("service %s: cannot signal pid %d: %s", s->name, s->pid, strerror(errno));
  logf_("service %s stopped with signal %d, pid %d", s->name, signal, s->pid);
  if (s->cgroup) service_cgroup_kill(s);
  s->pid = -1;
  service_set_status(s, STOPPED);
}

void services_stop_all(void) {
  for (struct service *s = services; s != NULL; s = s->next) {
    s->invalid = true;
    service_stop(s, SIGKILL);
  }
  usleep(100000);
}

/* Groups of four, one job each, as the real init does it. */
void services_start_mode(enum start_mode mode) {
  char job[64] = "", line[256];
  int in_group = 0, group = 0;
  for (struct service *s = services; s != NULL; s = s->next) {
    if (s->start_mode != mode || s->ondemand) continue;
    if (in_group == 0) snprintf(job, sizeof(job), "boot-service:service-%d-%03d", mode, group++);
    snprintf(line, sizeof(line), "start %s", s->name);
    job_add_line(job, line);
    if (++in_group < 4) continue;
    post_stage(job);
    in_group = 0;
  }
  if (in_group > 0) post_stage(job);
}
