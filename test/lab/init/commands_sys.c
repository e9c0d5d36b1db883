/* The second table: programs, parameters, triggers, and names that are known but have nothing to do on this board. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static pid_t spawn(const struct words *w) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  /* The blocked SIGCHLD and SIGTERM of PID 1 are inherited, as in the real init: only services get them unblocked. */
  execv(w->at[0], w->at);
  logf_("exec %s failed: %s", w->at[0], strerror(errno));
  _exit(0x7f);
}

static void do_exec(const struct words *w) { spawn(w); }

static void do_syncexec(const struct words *w) {
  int status = 0;
  pid_t pid = spawn(w);
  if (pid > 0 && waitpid(pid, &status, 0) == pid) {
    logf_("syncexec %s %s: exit %d", w->at[0], w->count > 1 ? w->at[1] : "", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  }
}

static void do_symlink(const struct words *w) {
  if (symlink(w->at[0], w->at[1]) != 0 && errno != EEXIST) logf_("symlink %s failed: %s", w->at[1], strerror(errno));
}

static void do_mknode(const struct words *w) {
  mode_t kind = w->at[1][0] == 'b' ? S_IFBLK : w->at[1][0] == 'f' ? S_IFIFO : S_IFCHR;
  dev_t device = makedev(strtoul(w->at[3], NULL, 10), strtoul(w->at[4], NULL, 10));
  if (mknod(w->at[0], kind | (mode_t)strtoul(w->at[2], NULL, 8), device) != 0) logf_("mknode %s failed: %s", w->at[0], strerror(errno));
}

static void do_trigger(const struct words *w) {
  if (w->count > 0) job_trigger(w->at[0]);
}

static void do_setparam(const struct words *w) { param_set(w->at[0], w->at[1]); }

static void do_load_param(const struct words *w) {
  struct stat info;
  if (stat(w->at[0], &info) == 0 && S_ISDIR(info.st_mode)) params_load_dir(w->at[0]);
  else params_load_file(w->at[0]);
}

static void do_ifup(const struct words *w) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", w->at[0]);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags |= IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  if (fd >= 0) close(fd);
}

static unsigned long fstab_flags(char *options, char *data, size_t room) {
  static const struct {
    const char *name;
    unsigned long value;
  } known[] = {{"noatime", MS_NOATIME}, {"noexec", MS_NOEXEC}, {"nosuid", MS_NOSUID}, {"nodev", MS_NODEV},
               {"ro", MS_RDONLY},       {"rw", 0},             {"sync", MS_SYNCHRONOUS}, {"defaults", 0}};
  unsigned long flags = 0;
  data[0] = '\0';
  for (char *word = strtok(options, ","); word != NULL; word = strtok(NULL, ",")) {
    size_t i = 0, count = sizeof(known) / sizeof(known[0]);
    while (i < count && strcmp(known[i].name, word) != 0) i++;
    if (i < count) flags |= known[i].value;
    else if (strlen(data) + strlen(word) + 2 < room) strcat(strcat(data, data[0] == '\0' ? "" : ","), word);
  }
  return flags;
}

/* fstab lines: device mountpoint fstype options flags; flags (check, wait, required …) have no meaning here. */
static void do_mount_fstab(const struct words *w) {
  char line[1024], device[256], target[256], type[32], options[256], data[256];
  FILE *stream = fopen(w->at[0], "re");
  if (stream == NULL) logf_("mount_fstab %s: %s", w->at[0], strerror(errno));
  while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
    if (line[0] == '#' || sscanf(line, "%255s %255s %31s %255s", device, target, type, options) != 4) continue;
    unsigned long flags = fstab_flags(options, data, sizeof(data));
    if (mount(device, target, type, flags, data) != 0) logf_("mount %s on %s failed: %s", device, target, strerror(errno));
  }
  if (stream != NULL) fclose(stream);
}

static void do_stop_all(const struct words *w) {
  (void)w;
  services_stop_all();
}

static void do_sync(const struct words *w) {
  (void)w;
  sync();
}

static void do_mksandbox(const struct words *w) { sandbox_make(w->at[0]); }

static void do_timer_start(const struct words *w) {
  char *bar = strchr(w->at[0], '|');
  if (bar == NULL) return;
  *bar = '\0';
  struct service *service = service_find(w->at[0]);
  if (service != NULL) service->timer_ms = monotonic_ms() + atol(bar + 1);
}

static void do_timer_stop(const struct words *w) {
  struct service *service = service_find(w->at[0]);
  if (service != NULL) service->timer_ms = 0;
}

static void do_nothing(const struct words *w) { (void)w; }

/* restorecon, fscrypt, swap and the like belong to parts that this board does not have; the words are still counted. */
static const struct command table[] = {
    {"syncexec ", 1, 10, do_syncexec},
    {"exec ", 1, 10, do_exec},
    {"mknode ", 5, 5, do_mknode},
    {"makedev ", 2, 2, do_nothing},
    {"symlink ", 2, 2, do_symlink},
    {"trigger ", 0, 1, do_trigger},
    {"insmod ", 1, 10, do_nothing},
    {"setparam ", 2, 2, do_setparam},
    {"load_persist_params ", 0, 1, do_nothing},
    {"load_private_persist_params ", 0, 1, do_nothing},
    {"load_param ", 1, 2, do_load_param},
    {"load_access_token_id ", 0, 1, do_nothing},
    {"ifup ", 1, 1, do_ifup},
    {"mount_fstab ", 1, 1, do_mount_fstab},
    {"umount_fstab ", 1, 1, do_nothing},
    {"remove_dm_device", 1, 1, do_nothing},
    {"mount_one_fstab", 2, 3, do_nothing},
    {"restorecon ", 1, 2, do_nothing},
    {"stopAllServices ", 0, 10, do_stop_all},
    {"sync ", 0, 1, do_sync},
    {"timer_start", 1, 1, do_timer_start},
    {"timer_stop", 1, 1, do_timer_stop},
    {"init_global_key ", 1, 1, do_nothing},
    {"init_main_user ", 0, 1, do_nothing},
    {"mkswap", 1, 1, do_nothing},
    {"swapon", 1, 1, do_nothing},
    {"mksandbox", 1, 1, do_mksandbox},
    {"stop_feed_highdog", 0, 1, do_nothing},
    {"mount_fstab_sp ", 1, 1, do_mount_fstab},
};

const struct command *commands_sys(int *count) {
  *count = (int)(sizeof(table) / sizeof(table[0]));
  return table;
}
