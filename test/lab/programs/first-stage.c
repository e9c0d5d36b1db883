/*
 * First stage of the boot, from the initial ramdisk: loads the kernel modules that a board has built in, mounts the system
 * and vendor partitions, moves the system onto / and hands over to its init, as OpenHarmony's SwitchRoot does
 * (openharmony/startup_init interfaces/innerkits/fs_manager/switch_root/switch_root.c, 6.0).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int kmsg = -1;

static void say(const char *format, ...) {
  char line[512];
  int start = snprintf(line, sizeof(line), "<4>first stage: ");
  va_list args;
  va_start(args, format);
  vsnprintf(line + start, sizeof(line) - (size_t)start - 1, format, args);
  va_end(args);
  strcat(line, "\n");
  ssize_t ignored = write(kmsg, line, strlen(line));
  (void)ignored;
}

static void die(const char *what) {
  say("%s: %s; powering off", what, strerror(errno));
  reboot(RB_POWER_OFF);
  exit(1);
}

/* /modules/list holds one file name a line, dependencies first. What is missing there cannot be loaded later either. */
static void load_modules(void) {
  char name[256], path[512];
  int loaded = 0;
  FILE *list = fopen("/modules/list", "re");
  while (list != NULL && fscanf(list, "%255s", name) == 1) {
    snprintf(path, sizeof(path), "/modules/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0) loaded++;
    else say("module %s: %s", name, strerror(errno));
    if (fd >= 0) close(fd);
  }
  if (list != NULL) fclose(list);
  say("%d kernel modules", loaded);
}

static int try_mount(const char *disk, const char *target) {
  DIR *dir = opendir("/sys/block");
  int done = 0;
  for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL && !done; entry = readdir(dir)) {
    char path[512], serial[64] = "";
    unsigned major = 0, minor = 0;
    snprintf(path, sizeof(path), "/sys/block/%s/serial", entry->d_name);
    FILE *stream = fopen(path, "re");
    if (stream == NULL) continue;
    int known = fscanf(stream, "%63s", serial) == 1 && strcmp(serial, disk) == 0;
    fclose(stream);
    snprintf(path, sizeof(path), "/sys/block/%s/dev", entry->d_name);
    stream = known ? fopen(path, "re") : NULL;
    if (stream == NULL) continue;
    if (fscanf(stream, "%u:%u", &major, &minor) != 2) major = 0;
    fclose(stream);
    snprintf(path, sizeof(path), "/dev/block/%s", entry->d_name);
    mknod(path, S_IFBLK | 0600, makedev(major, minor));
    done = mount(path, target, "ext4", MS_RDONLY, "barrier=1") == 0;
    if (!done) die(target);
  }
  if (dir != NULL) closedir(dir);
  return done;
}

static void mount_disk(const char *disk, const char *target) {
  for (int i = 0; i < 1000; i++) {
    if (try_mount(disk, target)) return;
    usleep(10000);
  }
  errno = ENODEV;
  die(disk);
}

static void free_ramdisk(int dir_fd, dev_t device) {
  DIR *dir = fdopendir(dir_fd);
  for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL; entry = readdir(dir)) {
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (fstatat(dir_fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_dev != device) continue;
    if (S_ISDIR(info.st_mode)) {
      int child = openat(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (child >= 0) free_ramdisk(child, device);
    }
    unlinkat(dir_fd, entry->d_name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
  }
  if (dir != NULL) closedir(dir);
}

static void switch_root(void) {
  struct stat old;
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || fstat(root, &old) != 0) die("old root");
  if (mount("/vendor", "/usr/vendor", NULL, MS_MOVE, NULL) != 0) die("move /vendor");
  if (chdir("/usr") != 0 || mount("/usr", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0) die("switch root");
  free_ramdisk(root, old.st_dev);
}

int main(void) {
  kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  load_modules();
  mount_disk("system", "/usr");
  mount_disk("vendor", "/vendor");
  umount("/proc");
  umount("/sys");
  switch_root();
  char *const args[] = {"/system/bin/init", "--second-stage", NULL};
  execv(args[0], args);
  die("exec /system/bin/init");
}
