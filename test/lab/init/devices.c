/* What ueventd does on a board: device nodes in the tmpfs on /dev, at boot and whenever the kernel announces a new one. */
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init.h"

static mode_t mode_of(const char *name) {
  static const char *const open_to_all[] = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"};
  for (size_t i = 0; i < sizeof(open_to_all) / sizeof(open_to_all[0]); i++) {
    if (strcmp(name, open_to_all[i]) == 0) return 0666;
  }
  return strcmp(name, "fuse") == 0 ? 0660 : 0600;
}

static void make_node(const char *name, bool block, unsigned major, unsigned minor) {
  char path[256], folder[256];
  snprintf(path, sizeof(path), "/dev/%s%s", block ? "block/" : "", name);
  snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
  make_dirs(folder, 0755);
  if (mknod(path, (block ? S_IFBLK : S_IFCHR) | mode_of(name), makedev(major, minor)) == 0) chmod(path, mode_of(name));
}

static void read_class(const char *folder, bool block) {
  DIR *dir = opendir(folder);
  for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL; entry = readdir(dir)) {
    char path[512], line[256], name[200] = "";
    unsigned major, minor;
    if (sscanf(entry->d_name, "%u:%u", &major, &minor) != 2) continue;
    snprintf(path, sizeof(path), "%s/%s/uevent", folder, entry->d_name);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) sscanf(line, "DEVNAME=%199s", name);
    if (stream != NULL) fclose(stream);
    if (name[0] != '\0') make_node(name, block, major, minor);
  }
  if (dir != NULL) closedir(dir);
}

/* /dev/block/by-name/<partition>: on the board from the partition table, here from the serial number of the disk. */
static void name_disks(void) {
  DIR *dir = opendir("/sys/block");
  make_dirs("/dev/block/by-name", 0755);
  for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL; entry = readdir(dir)) {
    char path[512], target[300], serial[64] = "";
    snprintf(path, sizeof(path), "/sys/block/%s/serial", entry->d_name);
    FILE *stream = fopen(path, "re");
    if (stream == NULL) continue;
    if (fscanf(stream, "%63s", serial) == 1) {
      snprintf(path, sizeof(path), "/dev/block/by-name/%s", serial);
      snprintf(target, sizeof(target), "/dev/block/%s", entry->d_name);
      if (symlink(target, path) != 0 && errno != EEXIST) logf_("link %s: %s", path, strerror(errno));
    }
    fclose(stream);
  }
  if (dir != NULL) closedir(dir);
}

void devices_make_all(void) {
  read_class("/sys/dev/char", false);
  read_class("/sys/dev/block", true);
  name_disks();
}

int devices_watch(void) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
  int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

void devices_event(int fd) {
  char message[4096];
  ssize_t length = recv(fd, message, sizeof(message) - 1, 0);
  if (length <= 0) return;
  message[length] = '\0';
  const char *name = NULL, *action = "";
  int major = -1, minor = -1;
  bool block = false;
  for (const char *p = message; p < message + length; p += strlen(p) + 1) {
    if (strncmp(p, "ACTION=", 7) == 0) action = p + 7;
    if (strncmp(p, "DEVNAME=", 8) == 0) name = p + 8;
    if (strncmp(p, "MAJOR=", 6) == 0) major = atoi(p + 6);
    if (strncmp(p, "MINOR=", 6) == 0) minor = atoi(p + 6);
    if (strcmp(p, "SUBSYSTEM=block") == 0) block = true;
  }
  if (strcmp(action, "add") == 0 && name != NULL && major >= 0 && minor >= 0) make_node(name, block, (unsigned)major, (unsigned)minor);
}
