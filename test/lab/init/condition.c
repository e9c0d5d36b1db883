/*
 * Conditions of jobs: terms `name=value` joined by && and ||, with parentheses; '*' ends a value as a wildcard. A term
 * without '=' names a boot stage. Loose ends are judged when the condition is evaluated, a single '&' or '|' at parsing.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "init.h"

struct scan {
  const char *at;
  const char *stage;
  bool broken;
};

static bool any_of(struct scan *s);

static void skip(struct scan *s) {
  while (isspace((unsigned char)*s->at)) s->at++;
}

static bool value_matches(const char *wanted, const char *value) {
  const char *star = strchr(wanted, '*');
  if (star != NULL) return strncmp(value, wanted, (size_t)(star - wanted)) == 0;
  return strcmp(wanted, value) == 0;
}

static bool term(struct scan *s) {
  char text[256] = "";
  skip(s);
  if (*s->at == '(') {
    s->at++;
    bool inner = any_of(s);
    skip(s);
    if (*s->at == ')') s->at++;
    else s->broken = true;
    return inner;
  }
  size_t length = strcspn(s->at, " &|()");
  if (length == 0 || length >= sizeof(text)) {
    s->broken = true;
    return false;
  }
  memcpy(text, s->at, length);
  s->at += length;
  char *equals = strchr(text, '=');
  if (equals == NULL) return s->stage != NULL && strcmp(text, s->stage) == 0;
  *equals = '\0';
  const char *value = param_get(text);
  return value != NULL && value_matches(equals + 1, value);
}

static bool all_of(struct scan *s) {
  bool truth = term(s);
  for (skip(s); !s->broken && strncmp(s->at, "&&", 2) == 0; skip(s)) {
    s->at += 2;
    bool right = term(s);
    truth = truth && right;
  }
  return truth;
}

static bool any_of(struct scan *s) {
  bool truth = all_of(s);
  for (skip(s); !s->broken && strncmp(s->at, "||", 2) == 0; skip(s)) {
    s->at += 2;
    bool right = all_of(s);
    truth = truth || right;
  }
  return truth;
}

int condition_holds(const char *condition, const char *stage) {
  struct scan s = {.at = condition, .stage = stage, .broken = false};
  bool truth = any_of(&s);
  skip(&s);
  return s.broken || *s.at != '\0' ? -1 : truth;
}

bool condition_accepted(const char *condition) {
  for (const char *p = condition; *p != '\0'; p++) {
    if (*p != '&' && *p != '|') continue;
    if (p[1] != p[0]) return false;
    p++;
  }
  return true;
}

bool condition_mentions(const char *condition, const char *param) {
  size_t length = strlen(param);
  for (const char *p = strstr(condition, param); p != NULL; p = strstr(p + 1, param)) {
    bool starts = p == condition || p[-1] == ' ' || p[-1] == '(';
    if (starts && p[length] == '=') return true;
  }
  return false;
}
