/* Commands on files, folders and mounts, and the few others of the real init's first table, in its order. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static void complain(const char *what, const char *path) {
  int error = errno;
  logf_("%s %s failed: %s", what, path, strerror(error));
}

static void set_owner(const char *path, const char *user, const char *group) {
  long uid = id_of_user(user), gid = id_of_group(group);
  if (uid < 0 || gid < 0 || chown(path, (uid_t)uid, (gid_t)gid) != 0) logf_("chown %s to %s:%s failed", path, user, group);
}

static void do_mkdir(const struct words *w) {
  if (w->count == 3) {
    logf_("mkdir %s: wants 1, 2 or 4 words", w->at[0]);
    return;
  }
  if (mkdir(w->at[0], 0755) != 0 && errno != EEXIST) {
    complain("mkdir", w->at[0]);
    return;
  }
  if (w->count > 1 && chmod(w->at[0], (mode_t)strtoul(w->at[1], NULL, 8)) != 0) complain("mkdir (mode)", w->at[0]);
  if (w->count == 4) set_owner(w->at[0], w->at[2], w->at[3]);
}

static void do_chmod(const struct words *w) {
  mode_t mode = (mode_t)strtoul(w->at[0], NULL, 8);
  if (mode == 0 || chmod(w->at[1], mode) != 0) complain("chmod", w->at[1]);
}

static void do_chown(const struct words *w) { set_owner(w->at[2], w->at[0], w->at[1]); }

static void wait_for(const char *path, unsigned long seconds) {
  if (seconds > 5) seconds = 5;
  long end = monotonic_ms() + (long)seconds * 1000;
  struct stat info;
  while (stat(path, &info) != 0 && errno == ENOENT && monotonic_ms() < end) usleep(10000);
}

/* Compared by prefix, so "rootfs" would count as "ro": the real one does the same. */
static bool mount_flag(const char *word, const char *source, unsigned long *flags) {
  static const struct {
    const char *name;
    unsigned long value;
  } table[] = {{"noatime", MS_NOATIME},   {"noexec", MS_NOEXEC},   {"nosuid", MS_NOSUID}, {"nodev", MS_NODEV},
               {"nodiratime", MS_NODIRATIME}, {"ro", MS_RDONLY},   {"rdonly", MS_RDONLY}, {"rw", 0},
               {"sync", MS_SYNCHRONOUS},  {"remount", MS_REMOUNT}, {"bind", MS_BIND},     {"rec", MS_REC},
               {"unbindable", MS_UNBINDABLE}, {"private", MS_PRIVATE}, {"slave", MS_SLAVE}, {"shared", MS_SHARED},
               {"defaults", 0}};
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    if (strncmp(word, table[i].name, strlen(table[i].name)) != 0) continue;
    *flags |= table[i].value;
    return true;
  }
  if (strncmp(word, "wait", 4) != 0) return false;
  wait_for(source, 5);
  return true;
}

static void do_mount(const struct words *w) {
  if (w->count < 3) {
    logf_("mount: wants fstype source target");
    return;
  }
  unsigned long flags = 0;
  int index = 3;
  while (index < w->count && mount_flag(w->at[index], w->at[1], &flags)) index++;
  char data[128] = "";
  for (; index < w->count; index++) {
    size_t used = strlen(data);
    snprintf(data + used, sizeof(data) - used, "%s%s", used > 0 ? " " : "", w->at[index]);
  }
  if (mount(w->at[1], w->at[2], w->at[0], flags, data[0] == '\0' ? NULL : data) != 0) complain("mount", w->at[2]);
}

static void do_umount(const struct words *w) {
  if (umount(w->at[0]) != 0 && errno != EINVAL && errno != ENOENT) complain("umount", w->at[0]);
}

static void do_export(const struct words *w) { setenv(w->at[0], w->at[1], 1); }

static void do_rm(const struct words *w) {
  if (unlink(w->at[0]) != 0) complain("rm", w->at[0]);
}

static void do_rmdir(const struct words *w) {
  if (rmdir(w->at[0]) != 0) complain("rmdir", w->at[0]);
}

/* Creates but never truncates, does not follow a link, and says nothing when the file cannot be opened. */
static void do_write(const struct words *w) {
  char text[256] = "";
  for (int i = 1; i < w->count; i++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof(text) - used, "%s%s", i > 1 ? " " : "", w->at[i]);
  }
  int fd = open(w->at[0], O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) complain("write", w->at[0]);
  close(fd);
}

static void do_copy(const struct words *w) {
  char buffer[8192];
  struct stat info;
  int from = open(w->at[0], O_RDONLY | O_CLOEXEC);
  int to = from < 0 || fstat(from, &info) != 0 ? -1 : open(w->at[1], O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, info.st_mode & 07777);
  if (to < 0) complain("copy", w->at[0]);
  for (ssize_t n = 1; to >= 0 && n > 0;) {
    n = read(from, buffer, sizeof(buffer));
    if (n > 0 && write(to, buffer, (size_t)n) != n) break;
  }
  if (to >= 0) {
    fsync(to);
    close(to);
  }
  if (from >= 0) close(from);
}

static void do_setrlimit(const struct words *w) {
  static const char *const names[] = {"CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
                                      "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
  struct rlimit limit = {.rlim_cur = (rlim_t)atoi(w->at[1]), .rlim_max = (rlim_t)atoi(w->at[2])};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strncmp(w->at[0], "RLIMIT_", 7) != 0 || strcmp(w->at[0] + 7, names[i]) != 0) continue;
    if (setrlimit((int)i, &limit) != 0) complain("setrlimit", w->at[0]);
    return;
  }
  logf_("setrlimit: unknown %s", w->at[0]);
}

static void do_sleep(const struct words *w) {
  unsigned long seconds = strtoul(w->at[0], NULL, 10);
  sleep(seconds > 5 ? 5 : (unsigned)seconds);
}

static void do_wait(const struct words *w) { wait_for(w->at[0], w->count > 1 ? strtoul(w->at[1], NULL, 10) : 5); }

static void do_hostname(const struct words *w) { write_text("/proc/sys/kernel/hostname", w->at[0]); }
static void do_domainname(const struct words *w) { write_text("/proc/sys/kernel/domainname", w->at[0]); }

static void with_service(const struct words *w, const char *verb, int signal) {
  struct service *service = w->count == 0 ? NULL : service_find(w->at[0]);
  if (service == NULL) {
    logf_("%s: cannot find service %s", verb, w->count == 0 ? "(none)" : w->at[0]);
    return;
  }
  if (signal != 0) service_stop(service, signal);
  else service_start(service);
}

static void do_start(const struct words *w) { with_service(w, "start", 0); }
static void do_stop(const struct words *w) { with_service(w, "stop", SIGKILL); }
static void do_term(const struct words *w) { with_service(w, "termservice", SIGTERM); }

static void do_reset(const struct words *w) {
  struct service *service = service_find(w->at[0]);
  if (service != NULL && service->pid > 0) kill(service->pid, SIGKILL);
  else with_service(w, "reset", 0);
}

static void do_reboot(const struct words *w) {
  if (w->count > 0) board_reboot(w->at[0]);
}

static const struct command table[] = {
    {"start ", 0, 1, do_start},       {"mkdir ", 1, 4, do_mkdir},         {"chmod ", 2, 2, do_chmod},
    {"chown ", 3, 3, do_chown},       {"mount ", 1, 10, do_mount},        {"export ", 2, 2, do_export},
    {"rm ", 1, 1, do_rm},             {"rmdir ", 1, 1, do_rmdir},         {"write ", 2, 10, do_write},
    {"stop ", 1, 1, do_stop},         {"termservice ", 1, 1, do_term},    {"reset ", 1, 1, do_reset},
    {"copy ", 2, 2, do_copy},         {"reboot ", 0, 1, do_reboot},       {"setrlimit ", 3, 3, do_setrlimit},
    {"sleep ", 1, 1, do_sleep},       {"wait ", 1, 2, do_wait},           {"hostname ", 1, 1, do_hostname},
    {"domainname ", 1, 1, do_domainname}, {"umount ", 1, 1, do_umount},
};

const struct command *commands_fs(int *count) {
  *count = (int)(sizeof(table) / sizeof(table[0]));
  return table;
}
