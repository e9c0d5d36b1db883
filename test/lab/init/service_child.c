/* What happens in a service's process between fork and exec, in the real init's order. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "init.h"

static void give_up(const struct service *s, const char *what) {
  logf_("service %s: %s failed: %s", s->name, what, strerror(errno));
  _exit(1);
}

static void make_sockets(struct service *s) {
  for (int i = 0; i < s->socket_count; i++) {
    struct socket_entry *entry = &s->sockets[i];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64], value[16];
    int on = 1, fd = socket(AF_UNIX, entry->type, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "/dev/unix/socket/%s", entry->name);
    unlink(address.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) give_up(s, "socket");
    if (entry->passcred) setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    if (lchown(address.sun_path, (uid_t)entry->uid, (gid_t)entry->gid) != 0) give_up(s, "socket owner");
    chmod(address.sun_path, entry->mode);
    snprintf(name, sizeof(name), "OHOS_SOCKET_%s", entry->name);
    snprintf(value, sizeof(value), "%d", fd);
    setenv(name, value, 1);
  }
}

static void open_console(int kind) {
  int fd = open(kind == 1 ? "/dev/console" : "/dev/kmsg", (kind == 1 ? O_RDWR : O_WRONLY) | O_NOCTTY);
  if (kind == 1) setsid();
  if (fd < 0) return;
  if (kind == 1) ioctl(fd, TIOCSCTTY, 0);
  for (int i = kind == 1 ? 0 : 1; i <= 2; i++) dup2(fd, i);
  if (fd > 2) close(fd);
}

static void write_pids(const struct service *s) {
  for (int i = 0; s->writepid[i] != NULL; i++) {
    FILE *stream = fopen(s->writepid[i], "we");
    if (stream == NULL) {
      logf_("service %s: cannot open %s: %s", s->name, s->writepid[i], strerror(errno));
      continue;
    }
    fprintf(stream, "%d", getpid());
    fclose(stream);
  }
}

/*
 * The lock that decides whether runc can work below this service: without "setuid": true keep-caps is set and locked, and
 * runc's own PR_SET_KEEPCAPS then fails with EPERM (from 5.0.1 on, services/init/adapter/init_adapter.c).
 */
static void lock_securebits(const struct service *s) {
  unsigned long bits = s->setuid ? SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED : SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED;
  if (prctl(PR_SET_SECUREBITS, bits) != 0) give_up(s, "securebits");
}

static void set_ids(const struct service *s) {
  gid_t groups[64];
  for (int i = 0; i < s->gid_count; i++) groups[i] = (gid_t)s->gids[i];
  if (setgid(s->gid_count > 0 ? groups[0] : (gid_t)s->uid) != 0) give_up(s, "setgid");
  if (s->gid_count > 1 && setgroups((size_t)s->gid_count - 1, groups + 1) != 0) give_up(s, "setgroups");
  if (s->uid != 0 && setuid((uid_t)s->uid) != 0) give_up(s, "setuid");
}

static bool has_cap(const struct service *s, unsigned cap) {
  for (int i = 0; i < s->caps_count; i++) {
    if (s->caps[i] == cap || s->caps[i] == 0xFFFFFFFFu) return true;
  }
  return false;
}

/* Root without a list keeps everything; with one, the rest leaves the bounding set too and the listed become ambient. */
static void set_caps(const struct service *s) {
  if (s->caps_count == 0) return;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{0}};
  for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
    if (!has_cap(s, cap)) {
      if (s->uid == 0) prctl(PR_CAPBSET_DROP, cap);
      continue;
    }
    data[cap / 32].effective |= 1u << (cap % 32);
    data[cap / 32].permitted |= 1u << (cap % 32);
    data[cap / 32].inheritable |= 1u << (cap % 32);
  }
  if (syscall(SYS_capset, &header, data) != 0) give_up(s, "capset");
  for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
    if (has_cap(s, cap)) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
  }
}

static void unblock_signals(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

void service_child(struct service *s) {
  if (!s->no_sandbox && !sandbox_enter(s->path[0])) logf_("service %s: cannot enter its sandbox", s->name);
  for (int i = 0; i < s->env_count; i++) setenv(s->env[i].name, s->env[i].value, 1);
  if (s->jobs[ON_START] != NULL) job_run_now(s->jobs[ON_START]);
  unblock_signals();
  make_sockets(s);
  if (s->console != 0) open_console(s->console);
  write_pids(s);
  lock_securebits(s);
  set_ids(s);
  set_caps(s);
  if (s->importance != 0 && setpriority(PRIO_PROCESS, 0, s->importance) != 0) give_up(s, "priority");
  execv(s->path[0], s->path);
  give_up(s, "exec");
}
