/* Mounts of the first moment, reading of the cfg files, and the end of the board. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define MAX_CFG_BYTES 102400
#define MAX_IMPORTS 100

static void mount_one(const char *type, const char *target, unsigned long flags, const char *data) {
  if (mount(type, target, type, flags, data) != 0) logf_("mount %s on %s: %s", type, target, strerror(errno));
}

/* services/init/standard/device.c, 6.0; selinuxfs is left out because this kernel has no policy to load. */
void boot_mounts(void) {
  mount_one("tmpfs", "/dev", MS_NOSUID, "mode=0755");
  mount_one("tmpfs", "/mnt", MS_NOSUID, "mode=0755");
  mount(NULL, "/mnt", NULL, MS_SLAVE, NULL);
  mkdir("/mnt/data", 0755);
  mount_one("tmpfs", "/mnt/data", MS_NOSUID, "mode=0755");
  mount(NULL, "/mnt/data", NULL, MS_SHARED, NULL);
  mount_one("tmpfs", "/storage", MS_NOEXEC | MS_NODEV | MS_NOSUID, "mode=0755");
  mkdir("/dev/pts", 0755);
  mount_one("devpts", "/dev/pts", 0, NULL);
  mount_one("proc", "/proc", 0, "gid=3009,hidepid=2");
  mount_one("sysfs", "/sys", 0, NULL);
  devices_make_all();
  make_dirs("/dev/unix/socket", 0755);
}

static void read_imports(const struct json *root, int depth) {
  struct json *list = json_get(root, "import", true);
  if (!json_is(list, JSON_ARRAY)) return;
  for (struct json *item = list->child; item != NULL && json_is(item, JSON_STRING); item = item->next) {
    struct words words;
    if (!words_split(item->string, 1, &words) || words.count == 0) logf_("cannot get value for %s", item->string);
    else config_read_file(words.at[0], depth + 1);
    words_free(&words);
  }
}

void config_read_file(const char *path, int depth) {
  if (depth >= MAX_IMPORTS) {
    logf_("import level too deep at %s", path);
    return;
  }
  char *text = read_whole(path, MAX_CFG_BYTES);
  if (text == NULL) {
    logf_("cfg error, %s not found (missing, empty, or above %d bytes)", path, MAX_CFG_BYTES);
    return;
  }
  struct json *root = json_parse(text);
  if (root == NULL) {
    logf_("cfg error, failed to parse json %s", path);
  } else {
    bool chipset = strncmp(path, "/vendor/etc/init/", 17) == 0 || strncmp(path, "/chip", 5) == 0;
    services_parse(root);
    jobs_parse(root, chipset);
    read_imports(root, depth);
  }
  json_free(root);
  free(text);
}

/* Directory order, no recursion; a name counts when the first ".cfg" in it is also its end. */
static void read_folder(const char *folder) {
  DIR *dir = opendir(folder);
  for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL; entry = readdir(dir)) {
    const char *ending = strstr(entry->d_name, ".cfg");
    if (entry->d_type == DT_DIR || ending == NULL || strcmp(ending, ".cfg") != 0) continue;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    config_read_file(path, 0);
  }
  if (dir != NULL) closedir(dir);
}

void config_read_all(void) {
  config_read_file("/etc/init.cfg", 0);
  read_folder("/system/etc/init");
  read_folder("/chipset/etc/init");
  read_folder("/sys_prod/etc/init");
  read_folder("/chip_prod/etc/init");
}

/* The job `reboot` stops the services and unmounts; the power goes whatever the outcome. */
void board_reboot(const char *how) {
  bool power_off = strstr(how, "shutdown") != NULL;
  logf_("%s (%s)", power_off ? "power off" : "reboot", how);
  job_run_now(strcmp(how, "suspend") == 0 ? "suspend" : "reboot");
  logf_("the end");
  reboot(power_off ? RB_POWER_OFF : RB_AUTOBOOT);
  for (;;) pause();
}
