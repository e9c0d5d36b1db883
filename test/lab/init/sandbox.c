/*
 * The mount sandbox: one private mount namespace per kind, made once, with a root of its own in which only some folders
 * of the system are bound. Services under /system/bin enter "system" unless their cfg says "sandbox": 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static const char *const system_folders[] = {
    "/system/bin", "/system/etc",  "/system/lib", "/system/profile", "/system/resource", "/vendor/lib",   "/dev",
    "/proc",       "/data",        "/log",        "/sys",            "/config",          "/mnt",          "/sys_prod",
    "/vendor/etc", "/chip_prod/lib", "/chip_prod/etc", "/module_update", NULL};
static const char *const chipset_folders[] = {"/vendor/bin", "/vendor/lib", "/vendor/etc", "/system/lib", "/dev",
                                              "/proc",       "/data",       "/sys",        "/config",     NULL};

static int system_ns = -1, chipset_ns = -1;

static void build(const char *root, const char *const *folders) {
  char target[256];
  make_dirs(root, 0755);
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0 || mount(root, root, NULL, MS_BIND | MS_REC, NULL) != 0) {
    logf_("sandbox %s: %s", root, strerror(errno));
    _exit(1);
  }
  for (; *folders != NULL; folders++) {
    struct stat info;
    if (stat(*folders, &info) != 0) continue; /* a missing source only costs a log line on a board */
    snprintf(target, sizeof(target), "%s%s", root, *folders);
    make_dirs(target, 0755);
    unsigned long recursive = strcmp(*folders, "/mnt") == 0 ? 0 : MS_REC;
    if (mount(*folders, target, NULL, MS_BIND | recursive, NULL) != 0) logf_("sandbox: bind %s: %s", *folders, strerror(errno));
  }
  if (chdir(root) != 0) _exit(1);
  if (symlink("/system/bin", "bin") != 0 || symlink("/system/etc", "etc") != 0 || symlink("/system/lib", "lib") != 0) {
    logf_("sandbox %s: links: %s", root, strerror(errno));
  }
  if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0) {
    logf_("sandbox %s: pivot_root: %s", root, strerror(errno));
    _exit(1);
  }
}

/* Built by a helper whose namespace PID 1 then holds open; the helper waits until that is done. */
void sandbox_make(const char *kind) {
  bool is_system = strcmp(kind, "system") == 0;
  int *slot = is_system ? &system_ns : &chipset_ns;
  int ready[2], done[2];
  char path[64], byte = 0;
  if (*slot >= 0 || pipe2(ready, O_CLOEXEC) != 0 || pipe2(done, O_CLOEXEC) != 0) return;
  pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
    build(is_system ? "/mnt/sandbox/system" : "/mnt/sandbox/chipset", is_system ? system_folders : chipset_folders);
    ssize_t told = write(ready[1], "k", 1);
    close(done[1]);
    told += read(done[0], &byte, 1);
    _exit(told < 0);
  }
  close(ready[1]);
  if (pid > 0 && read(ready[0], &byte, 1) == 1) {
    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    *slot = open(path, O_RDONLY | O_CLOEXEC);
  }
  close(ready[0]);
  close(done[0]);
  close(done[1]);
  if (pid > 0) waitpid(pid, NULL, 0);
  if (*slot < 0) logf_("mksandbox %s failed", kind);
}

bool sandbox_enter(const char *program) {
  const char *enabled = param_get("const.sandbox");
  if (enabled == NULL || strcmp(enabled, "enable") != 0) return true;
  int ns = -1;
  if (strncmp(program, "/system/bin/", 12) == 0) ns = system_ns;
  else if (strncmp(program, "/vendor/bin/", 12) == 0) ns = chipset_ns;
  else return true;
  return ns >= 0 && setns(ns, CLONE_NEWNS) == 0;
}
