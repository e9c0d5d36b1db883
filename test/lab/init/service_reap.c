/* Ended children: restart at once, but after four ends within 240 s only 240 s later (branches 4.1 to 6.1). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

long monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* false when the service has crashed too often within its window. */
static bool crash_allowed(struct service *s) {
  long now = monotonic_ms() / 1000;
  if (s->crashes == 0 || now - s->first_crash_s > s->crash_window_s) {
    s->first_crash_s = now;
    s->crashes = 1;
    return s->crash_limit > 1;
  }
  return ++s->crashes < s->crash_limit;
}

static void restart(struct service *s) {
  /* These lines run at the first restart only: the real init frees them afterwards. */
  for (int i = 0; s->onrestart[i] != NULL; i++) {
    const struct command *command = command_match(s->onrestart[i]);
    if (command != NULL) command_run(command, s->onrestart[i] + strlen(command->name));
    free(s->onrestart[i]);
    s->onrestart[i] = NULL;
  }
  if (s->jobs[ON_RESTART] != NULL) job_run_now(s->jobs[ON_RESTART]);
  service_start(s);
}

static void reap(struct service *s) {
  s->pid = -1;
  service_set_status(s, STOPPED);
  if (s->invalid || s->timer_ms != 0) return;
  if (s->stopping) {
    s->stopping = false;
    s->crashes = 0;
    return;
  }
  if (s->once || s->ondemand) return;
  if (s->period) {
    s->timer_ms = monotonic_ms() + s->period_s * 1000L;
    return;
  }
  if (!crash_allowed(s)) {
    if (s->critical) {
      logf_("critical service %s crashed %d times: a board panics here, this one reboots", s->name, s->crash_limit);
      board_reboot("panic");
    }
    logf_("service %s ended %d times within %d s, starts again %d s later", s->name, s->crash_limit, s->crash_window_s, s->crash_window_s);
    s->crashes = 0;
    s->timer_ms = monotonic_ms() + s->crash_window_s * 1000L;
    return;
  }
  restart(s);
}

void services_reap(void) {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    struct service *s = services;
    while (s != NULL && s->pid != pid) s = s->next;
    if (s == NULL) continue;
    if (WIFSIGNALED(status)) logf_("service %s (pid %d) ended by signal %d", s->name, pid, WTERMSIG(status));
    else logf_("service %s (pid %d) ended with code %d", s->name, pid, WEXITSTATUS(status));
    if (s->cgroup) service_cgroup_kill(s);
    reap(s);
  }
}

void services_run_timers(void) {
  for (struct service *s = services; s != NULL; s = s->next) {
    if (s->timer_ms == 0 || s->timer_ms > monotonic_ms()) continue;
    s->timer_ms = 0;
    restart(s);
  }
}

/* Time until the next timer, -1 when there is none. */
long services_next_timer_ms(void) {
  long soonest = -1, now = monotonic_ms();
  for (struct service *s = services; s != NULL; s = s->next) {
    if (s->timer_ms == 0) continue;
    long left = s->timer_ms > now ? s->timer_ms - now : 0;
    if (soonest < 0 || left < soonest) soonest = left;
  }
  return soonest;
}

/* "cgroup": true (5.1.0 and later): the service sits in its own pids group, whose other members die with it. */
static void cgroup_path(const struct service *s, char *path, size_t size, const char *file) {
  snprintf(path, size, "/dev/pids/native/%s/pid_%d%s", s->name, s->pid, file);
}

void service_cgroup_join(const struct service *s) {
  char path[256], pid[16];
  cgroup_path(s, path, sizeof(path), "");
  make_dirs(path, 0755);
  cgroup_path(s, path, sizeof(path), "/cgroup.procs");
  snprintf(pid, sizeof(pid), "%d", s->pid);
  if (!write_text(path, pid)) logf_("service %s: cannot join %s: %s", s->name, path, strerror(errno));
}

void service_cgroup_kill(const struct service *s) {
  char path[256];
  int pid = 0;
  cgroup_path(s, path, sizeof(path), "/cgroup.procs");
  FILE *stream = fopen(path, "re");
  while (stream != NULL && fscanf(stream, "%d\n", &pid) == 1) {
    if (pid > 0 && pid != s->pid) kill(pid, SIGKILL);
  }
  if (stream != NULL) fclose(stream);
  cgroup_path(s, path, sizeof(path), "");
  rmdir(path);
}
