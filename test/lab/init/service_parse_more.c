/* Capabilities and sockets of a service, and the listing that --parse prints. */
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "init.h"

#define FULL_CAPS 0xFFFFFFFFu

static unsigned cap_number(const char *name) {
  /* In kernel order; the real table ends at PERFMON, so BPF and CHECKPOINT_RESTORE are unknown to it. */
  static const char *const names[] = {
      "CHOWN",      "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",     "FSETID",      "KILL",        "SETGID",
      "SETUID",     "SETPCAP",      "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
      "IPC_LOCK",   "IPC_OWNER",    "SYS_MODULE",      "SYS_RAWIO",  "SYS_CHROOT",  "SYS_PTRACE",  "SYS_PACCT",
      "SYS_ADMIN",  "SYS_BOOT",     "SYS_NICE",        "SYS_RESOURCE", "SYS_TIME",  "SYS_TTY_CONFIG", "MKNOD",
      "LEASE",      "AUDIT_WRITE",  "AUDIT_CONTROL",   "SETFCAP",    "MAC_OVERRIDE", "MAC_ADMIN",  "SYSLOG",
      "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",     "PERFMON"};
  if (strncmp(name, "CAP_", 4) == 0) name += 4;
  for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return CAP_LAST_CAP + 1;
}

bool service_read_caps(const struct json *object, struct service *s) {
  struct json *list = json_get(object, "caps", true);
  if (!json_is(list, JSON_ARRAY) || list->child == NULL) return true;
  if (json_size(list) > 100) return false;
  s->caps_count = 0;
  for (struct json *item = list->child; item != NULL; item = item->next) {
    unsigned cap = CAP_LAST_CAP + 1;
    if (json_is(item, JSON_NUMBER)) cap = (unsigned)item->number;
    else if (json_is(item, JSON_STRING)) cap = cap_number(item->string);
    if (cap > CAP_LAST_CAP && cap != FULL_CAPS) logf_("service %s: unknown capability skipped", s->name);
    else s->caps[s->caps_count++] = cap;
  }
  return true;
}

static bool read_socket(const struct json *item, struct socket_entry *entry) {
  const char *name = json_string(item, "name"), *type = json_string(item, "type");
  const char *mode = json_string(item, "permissions"), *uid = json_string(item, "uid"), *gid = json_string(item, "gid");
  bool complete = name != NULL && type != NULL && mode != NULL && uid != NULL && gid != NULL;
  if (!complete || json_string(item, "family") == NULL || json_string(item, "protocol") == NULL || strlen(name) > 32) return false;
  memset(entry, 0, sizeof(*entry));
  entry->fd = -1;
  entry->type = strcmp(type, "SOCK_STREAM") == 0 ? SOCK_STREAM : strcmp(type, "SOCK_DGRAM") == 0 ? SOCK_DGRAM : SOCK_SEQPACKET;
  entry->mode = (mode_t)strtoul(mode, NULL, 8);
  entry->uid = id_of_user(uid);
  entry->gid = id_of_group(gid);
  struct json *option = json_get(item, "option", true);
  for (option = option == NULL ? NULL : option->child; option != NULL; option = option->next) {
    if (json_is(option, JSON_STRING) && strcmp(option->string, "SOCKET_OPTION_PASSCRED") == 0) entry->passcred = true;
  }
  if (entry->uid < 0 || entry->gid < 0) return false;
  entry->name = strdup(name);
  return true;
}

void service_read_sockets(const struct json *object, struct service *s) {
  struct json *list = json_get(object, "socket", true);
  s->socket_count = 0;
  if (!json_is(list, JSON_ARRAY)) return;
  for (struct json *item = list->child; item != NULL && s->socket_count < 16; item = item->next) {
    if (!read_socket(item, &s->sockets[s->socket_count])) {
      logf_("service %s: a socket entry is not usable, none is made", s->name);
      s->socket_count = 0;
      return;
    }
    s->socket_count++;
  }
}

void service_read_onrestart(const struct json *object, struct service *s) {
  struct json *list = json_get(object, "onrestart", false);
  int count = 0;
  if (!json_is(list, JSON_ARRAY)) return;
  for (struct json *item = list->child; item != NULL && count < 16; item = item->next) {
    if (json_is(item, JSON_STRING) && strlen(item->string) < 256) s->onrestart[count++] = strdup(item->string);
  }
}

static void print_one(const struct service *s) {
  static const char *const modes[] = {"condition", "boot", "normal"};
  static const char *const jobs[SERVICE_JOBS] = {"on-boot", "pre-start", "on-start", "on-stop", "on-restart"};
  printf("service %s start-mode=%s uid=%ld gid=", s->name, modes[s->start_mode], s->uid);
  if (s->gid_count == 0) printf("%ld", s->uid);
  for (int i = 0; i < s->gid_count; i++) printf("%s%ld", i > 0 ? "," : "", s->gids[i]);
  printf(" once=%d sandbox=%d setuid=%d critical=%d/%d/%d", s->once, !s->no_sandbox, s->setuid, s->critical, s->crash_limit, s->crash_window_s);
  printf(" importance=%d console=%d ondemand=%d cgroup=%d caps=%d", s->importance, s->console, s->ondemand, s->cgroup, s->caps_count);
  printf(" secon=%s", s->secon == NULL ? "(limit_domain)" : s->secon);
  if (s->broken != NULL) printf(" broken-at=%s", s->broken);
  puts("");
  printf("  path");
  for (int i = 0; s->path[i] != NULL; i++) printf(" [%s]", s->path[i]);
  puts("");
  for (int i = 0; i < s->env_count; i++) printf("  env %s=%s\n", s->env[i].name, s->env[i].value);
  for (int i = 0; i < s->socket_count; i++) printf("  socket %s %04o\n", s->sockets[i].name, s->sockets[i].mode);
  for (int i = 0; i < SERVICE_JOBS; i++) {
    if (s->jobs[i] != NULL) printf("  job %s=%s\n", jobs[i], s->jobs[i]);
  }
}

void services_print(void) {
  for (const struct service *s = services; s != NULL; s = s->next) print_one(s);
}
