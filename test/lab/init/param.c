/* System parameters: enough of them for conditions, ${name} in commands, and the `param` tool. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init.h"

#define MAX_NAME 96
#define MAX_VALUE 96
#define MAX_CONST_VALUE 4096

struct param {
  struct param *next;
  char *name;
  char *value;
};

static struct param *params;

static struct param *find(const char *name) {
  struct param *p = params;
  while (p != NULL && strcmp(p->name, name) != 0) p = p->next;
  return p;
}

const char *param_get(const char *name) {
  struct param *p = find(name);
  return p == NULL ? NULL : p->value;
}

static bool is_fixed(const char *name) {
  return strncmp(name, "const.", 6) == 0 || strncmp(name, "ohos.boot.", 10) == 0;
}

bool param_set(const char *name, const char *value) {
  size_t limit = is_fixed(name) ? MAX_CONST_VALUE : MAX_VALUE;
  struct param *p = find(name);
  if (strlen(name) >= MAX_NAME || strlen(value) >= limit || (p != NULL && is_fixed(name))) return false;
  if (p == NULL) {
    p = calloc(1, sizeof(*p));
    if (p == NULL) return false;
    p->name = strdup(name);
    p->next = params;
    params = p;
  }
  free(p->value);
  p->value = strdup(value);
  post_param(name, value);
  return true;
}

static void set_pair(char *pair) {
  char *equals = strchr(pair, '=');
  if (equals == NULL) return;
  char *end = equals;
  while (end > pair && end[-1] == ' ') end--;
  *end = '\0';
  char *value = equals + 1 + strspn(equals + 1, " ");
  value[strcspn(value, "\r\n")] = '\0';
  param_set(pair, value);
}

void params_load_cmdline(void) {
  char line[4096] = "";
  FILE *stream = fopen("/proc/cmdline", "re");
  if (stream == NULL) return;
  if (fgets(line, sizeof(line), stream) != NULL) {
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
      if (strncmp(word, "ohos.boot.", 10) == 0) set_pair(word);
    }
  }
  fclose(stream);
}

void params_load_file(const char *path) {
  char line[MAX_CONST_VALUE + MAX_NAME];
  FILE *stream = fopen(path, "re");
  while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
    if (line[0] != '#') set_pair(line);
  }
  if (stream != NULL) fclose(stream);
}

void params_load_dir(const char *folder) {
  DIR *dir = opendir(folder);
  if (dir == NULL) return;
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    const char *ending = strstr(entry->d_name, ".para");
    if (ending == NULL || strcmp(ending, ".para") != 0) continue;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    params_load_file(path);
  }
  closedir(dir);
}

void params_print(int fd, const char *prefix) {
  for (struct param *p = params; p != NULL; p = p->next) {
    if (strncmp(p->name, prefix, strlen(prefix)) == 0) dprintf(fd, "%s = %s\n", p->name, p->value);
  }
}
