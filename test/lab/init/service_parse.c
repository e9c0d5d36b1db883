/*
 * Services of a cfg. Keys are read in the real init's order, because a bad one ends the reading there: what came before
 * stays, what comes behind keeps its default, and the service remains registered (branches up to 6.1). The real reader
 * minds letter case only for some keys, and wants numbers for some switches and booleans for others; so does this one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "init.h"

struct service *services;

struct service *service_find(const char *name) {
  struct service *service = services;
  while (service != NULL && strcmp(service->name, name) != 0) service = service->next;
  return service;
}

static void replace(char **slot, const char *text) {
  free(*slot);
  *slot = text == NULL ? NULL : strdup(text);
}

/* Strings of an array into `slots`; false when it is no array, has none or too many, or holds something else. */
static bool read_strings(const struct json *object, const char *key, char **slots, int limit) {
  struct json *list = json_get(object, key, false);
  int count = json_size(list);
  if (!json_is(list, JSON_ARRAY) || count == 0 || count > limit) return false;
  for (int i = 0; i <= limit; i++) replace(&slots[i], NULL);
  for (int i = 0; i < count; i++) {
    struct json *item = json_at(list, i);
    if (!json_is(item, JSON_STRING) || strlen(item->string) > 200) return false;
    slots[i] = strdup(item->string);
  }
  return true;
}

static bool read_uid(const struct json *object, struct service *s) {
  struct json *item = json_get(object, "uid", false);
  if (item == NULL) return true;
  s->uid = json_is(item, JSON_STRING) ? id_of_user(item->string) : json_is(item, JSON_NUMBER) ? (long)item->number : -1;
  return s->uid >= 0;
}

static long one_gid(const struct json *item) {
  if (json_is(item, JSON_STRING)) return id_of_group(item->string);
  return json_is(item, JSON_NUMBER) ? (long)item->number : -1;
}

static bool read_gids(const struct json *object, struct service *s) {
  struct json *item = json_get(object, "gid", true);
  if (item == NULL) return true;
  s->gid_count = 0;
  if (!json_is(item, JSON_ARRAY)) {
    s->gids[s->gid_count++] = one_gid(item);
    return s->gids[0] >= 0;
  }
  if (item->child == NULL) return false;
  for (struct json *entry = item->child; entry != NULL && s->gid_count < 64; entry = entry->next) {
    long gid = one_gid(entry);
    if (gid >= 0) s->gids[s->gid_count++] = gid;
    else logf_("service %s: unknown gid skipped", s->name);
  }
  if (s->gid_count == 0) s->gids[s->gid_count++] = s->uid;
  return true;
}

/* A switch that must be a number; only the value 1 switches on. `value` may be NULL when just the type matters. */
static bool read_number(const struct json *object, const char *key, int *value) {
  struct json *item = json_get(object, key, false);
  if (item == NULL) return true;
  if (!json_is(item, JSON_NUMBER)) return false;
  if (value != NULL) *value = (int)item->number;
  return true;
}

static bool read_bool(const struct json *object, const char *key, bool *value) {
  struct json *item = json_get(object, key, false);
  if (item == NULL) return true;
  if (!json_is(item, JSON_BOOL)) return false;
  *value = item->truth;
  return true;
}

static bool read_once(const struct json *object, struct service *s) {
  int value = s->once;
  bool good = read_number(object, "once", &value);
  if (good) s->once = value == 1;
  return good;
}

static bool read_importance(const struct json *object, struct service *s) {
  return read_number(object, "importance", &s->importance) && s->importance >= -20 && s->importance <= 19;
}

static bool read_critical(const struct json *object, struct service *s) {
  s->crash_limit = CRASH_COUNT;
  s->crash_window_s = CRASH_SECONDS;
  struct json *item = json_get(object, "critical", false);
  if (item == NULL) return true;
  s->critical = false;
  if (json_is(item, JSON_NUMBER)) {
    s->critical = (int)item->number == 1;
    return true;
  }
  int size = json_size(item);
  if (!json_is(item, JSON_ARRAY) || !json_is(json_at(item, 0), JSON_NUMBER) || (size != 1 && size != 3)) return false;
  s->critical = (int)json_at(item, 0)->number == 1;
  if (size == 1) return true;
  s->crash_limit = (int)json_at(item, 1)->number;
  s->crash_window_s = (int)json_at(item, 2)->number;
  return s->crash_limit > 0 && s->crash_window_s > 0;
}

static bool read_disabled(const struct json *object, struct service *s) {
  (void)s; /* read, never consulted */
  return read_number(object, "disabled", NULL);
}

static bool read_console(const struct json *object, struct service *s) { return read_number(object, "console", &s->console); }

static bool read_ignored_numbers(const struct json *object, struct service *s) {
  (void)s;
  return read_number(object, "notify-state", NULL) && read_number(object, "module-update", NULL);
}

static bool read_env(const struct json *object, struct service *s) {
  struct json *list = json_get(object, "env", true);
  if (!json_is(list, JSON_ARRAY) || list->child == NULL) return true;
  s->env_count = 0;
  for (struct json *item = list->child; item != NULL && s->env_count < 64; item = item->next) {
    const char *name = json_string(item, "name"), *value = json_string(item, "value");
    if (name == NULL || value == NULL || name[0] == '\0' || value[0] == '\0') return false;
    /* The real one copies into 64 and 128 bytes by the length of the source and overruns; this one refuses. */
    if (strlen(name) > 63 || strlen(value) > 127) return false;
    struct env_entry *entry = &s->env[s->env_count++];
    replace(&entry->name, name);
    replace(&entry->value, value);
  }
  return true;
}

static bool read_period(const struct json *object, struct service *s) {
  struct json *item = json_get(object, "period", false);
  s->period = item != NULL;
  return read_number(object, "period", &s->period_s);
}

static bool read_sandbox(const struct json *object, struct service *s) {
  int value = !s->no_sandbox;
  bool good = read_number(object, "sandbox", &value);
  if (good) s->no_sandbox = value == 0;
  return good;
}

static bool read_ondemand(const struct json *object, struct service *s) {
  return read_bool(object, "ondemand", &s->ondemand) && !(s->ondemand && s->critical);
}

static bool read_setuid(const struct json *object, struct service *s) { return read_bool(object, "setuid", &s->setuid); }

static bool read_modes(const struct json *object, struct service *s) {
  const char *mode = json_string(object, "start-mode");
  s->start_mode = START_NORMAL;
  if (mode != NULL && strcmp(mode, "condition") == 0) s->start_mode = START_CONDITION;
  if (mode != NULL && strcmp(mode, "boot") == 0) s->start_mode = START_BOOT;
  return true;
}

static bool read_jobs(const struct json *object, struct service *s) {
  static const char *const names[SERVICE_JOBS] = {"on-boot", "pre-start", "on-start", "on-stop", "on-restart"};
  struct json *jobs = json_get(object, "jobs", false);
  for (int i = 0; i < SERVICE_JOBS; i++) {
    const char *job = json_string(jobs, names[i]);
    if (job != NULL) replace(&s->jobs[i], job);
  }
  return true;
}

static bool read_cgroup(const struct json *object, struct service *s) {
  s->cgroup = false;
  return read_bool(object, "cgroup", &s->cgroup);
}

static bool read_path(const struct json *object, struct service *s) { return read_strings(object, "path", s->path, PATH_WORDS); }

static bool read_writepid(const struct json *object, struct service *s) {
  if (json_get(object, "writepid", false) != NULL) read_strings(object, "writepid", s->writepid, 99);
  return true;
}

bool service_read_caps(const struct json *object, struct service *s);
void service_read_sockets(const struct json *object, struct service *s);
void service_read_onrestart(const struct json *object, struct service *s);

static const struct {
  const char *key;
  bool (*read)(const struct json *object, struct service *service);
} readers[] = {
    {"path", read_path},         {"uid", read_uid},           {"gid", read_gids},       {"once", read_once},
    {"importance", read_importance}, {"critical", read_critical}, {"disabled", read_disabled}, {"console", read_console},
    {"notify-state", read_ignored_numbers}, {"writepid", read_writepid}, {"env", read_env}, {"period", read_period},
    {"sandbox", read_sandbox},   {"caps", service_read_caps}, {"ondemand", read_ondemand}, {"setuid", read_setuid},
    {"start-mode", read_modes},  {"jobs", read_jobs},         {"cgroup", read_cgroup},
};

static struct service *service_add(const char *name) {
  struct service *s = calloc(1, sizeof(*s));
  s->name = strdup(name);
  s->pid = -1;
  s->crash_limit = CRASH_COUNT;
  s->crash_window_s = CRASH_SECONDS;
  s->next = services;
  services = s;
  return s;
}

void services_parse(const struct json *root) {
  struct json *list = json_get(root, "services", true);
  if (!json_is(list, JSON_ARRAY)) return;
  for (struct json *item = list->child; item != NULL; item = item->next) {
    const char *name = json_string(item, "name");
    if (name == NULL) {
      logf_("a service without name is skipped");
      continue;
    }
    struct service *s = service_find(name);
    if (s == NULL) s = service_add(name);
    else logf_("service %s already exists, updating", name);
    s->broken = NULL;
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]) && s->broken == NULL; i++) {
      if (!readers[i].read(item, s)) s->broken = readers[i].key;
    }
    if (s->broken != NULL) {
      logf_("service %s: cannot read key \"%s\", the keys behind it keep their defaults", name, s->broken);
      continue;
    }
    service_read_sockets(item, s);
    service_read_onrestart(item, s);
    replace(&s->secon, json_string(item, "secon"));
    if (s->secon == NULL) logf_("service %s has no secon: SELinux would confine it to limit_domain", name);
  }
}
