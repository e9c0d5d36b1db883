/* Words of a command line, names to ids, small files. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static const char *etc_folder = "/etc";

void set_etc(const char *folder) { etc_folder = folder; }

/* Replaces every ${name}; a '$' without braces or a parameter without value spoils the whole word. */
static char *expand(const char *from, size_t length) {
  char *out = calloc(1, 4096);
  size_t used = 0;
  const char *end = from + length;
  while (out != NULL && from < end) {
    const char *dollar = memchr(from, '$', (size_t)(end - from));
    size_t plain = (size_t)((dollar == NULL ? end : dollar) - from);
    if (used + plain >= 2048) goto broken;
    memcpy(out + used, from, plain);
    used += plain;
    if (dollar == NULL) break;
    const char *open = strchr(dollar, '{');
    const char *close = open == NULL ? NULL : strchr(open, '}');
    char name[97];
    if (close == NULL || (size_t)(close - open) > sizeof(name)) goto broken;
    snprintf(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
    const char *value = param_get(name);
    if (value == NULL || used + strlen(value) >= 4000) goto broken;
    strcpy(out + used, value);
    used += strlen(value);
    from = close + 1;
  }
  return out;
broken:
  free(out);
  return NULL;
}

bool words_split(const char *text, int limit, struct words *out) {
  memset(out, 0, sizeof(*out));
  if (limit > MAX_WORDS) limit = MAX_WORDS;
  for (const char *p = text; out->count < limit;) {
    while (isspace((unsigned char)*p)) p++;
    if (*p == '\0') break;
    size_t length = strcspn(p, " ");
    char *word = expand(p, length);
    if (word == NULL) {
      words_free(out);
      return false;
    }
    out->at[out->count++] = word;
    p += length;
  }
  return true;
}

void words_free(struct words *words) {
  for (int i = 0; i < words->count; i++) free(words->at[i]);
  words->count = 0;
}

static long find_id(const char *file, const char *name) {
  if (name[0] != '\0' && strspn(name, "0123456789") == strlen(name)) return atol(name);
  char path[256], line[1024];
  snprintf(path, sizeof(path), "%s/%s", etc_folder, file);
  FILE *stream = fopen(path, "re");
  long id = -1;
  while (stream != NULL && id < 0 && fgets(line, sizeof(line), stream) != NULL) {
    size_t length = strcspn(line, ":");
    if (length != strlen(name) || strncmp(line, name, length) != 0) continue;
    const char *second = strchr(line + length + 1, ':');
    if (second != NULL) id = atol(second + 1);
  }
  if (stream != NULL) fclose(stream);
  return id;
}

long id_of_user(const char *name) { return find_id("passwd", name); }
long id_of_group(const char *name) { return find_id("group", name); }

char *read_whole(const char *path, long limit) {
  struct stat info;
  if (stat(path, &info) != 0 || info.st_size <= 0 || info.st_size > limit) return NULL;
  FILE *stream = fopen(path, "re");
  if (stream == NULL) return NULL;
  char *text = calloc(1, (size_t)info.st_size + 1);
  if (text != NULL && fread(text, (size_t)info.st_size, 1, stream) != 1) {
    free(text);
    text = NULL;
  }
  fclose(stream);
  return text;
}

bool write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  return whole;
}

void make_dirs(const char *path, mode_t mode) {
  char part[512];
  snprintf(part, sizeof(part), "%s", path);
  for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(part, mode);
    *slash = '/';
  }
  mkdir(part, mode);
}
