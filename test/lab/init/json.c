/* A JSON reader with cJSON's habits: what it lets pass, this lets pass too, because OpenHarmony's init reads with cJSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "init.h"

#define MAX_DEPTH 1000

struct reader {
  const char *at;
  int depth;
};

static struct json *read_value(struct reader *r);

static void skip_space(struct reader *r) {
  while (*r->at != '\0' && (unsigned char)*r->at <= 32) r->at++;
}

static struct json *new_value(enum json_type type) {
  struct json *value = calloc(1, sizeof(*value));
  if (value != NULL) value->type = type;
  return value;
}

void json_free(struct json *value) {
  while (value != NULL) {
    struct json *next = value->next;
    json_free(value->child);
    free(value->key);
    free(value->string);
    free(value);
    value = next;
  }
}

static int read_hex4(const char *p) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef";
    const char *found = p[i] == '\0' ? NULL : strchr(digits, p[i] | 0x20);
    if (found == NULL) return -1;
    code = code * 16 + (int)(found - digits);
  }
  return code;
}

static int write_utf8(char *out, long code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  int bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = bytes - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(lead[bytes] | code);
  return bytes;
}

/* Reads the part behind "\u"; returns how many characters of the input it took, 0 when broken. */
static int read_unicode(const char *p, char *out, int *written) {
  long code = read_hex4(p);
  if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return 0;
  int taken = 4;
  if (code >= 0xD800 && code <= 0xDBFF) {
    int low = p[4] == '\\' && p[5] == 'u' ? read_hex4(p + 6) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return 0;
    code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
    taken = 10;
  }
  *written = write_utf8(out, code);
  return taken;
}

static char *read_string(struct reader *r) {
  if (*r->at != '"') return NULL;
  const char *p = r->at + 1;
  char *out = malloc(strlen(p) + 1);
  size_t length = 0;
  while (out != NULL && *p != '"') {
    int written = 1, taken = 1;
    if (*p == '\0') goto broken;
    if (*p != '\\') {
      out[length] = *p;
    } else {
      static const char names[] = "bfnrt\"\\/", values[] = "\b\f\n\r\t\"\\/";
      const char *found = p[1] == '\0' ? NULL : strchr(names, p[1]);
      if (found != NULL) {
        out[length] = values[found - names];
        taken = 2;
      } else {
        taken = p[1] == 'u' ? read_unicode(p + 2, out + length, &written) : 0;
        if (taken == 0) goto broken;
        taken += 2;
      }
    }
    length += (size_t)written;
    p += taken;
  }
  if (out == NULL) return NULL;
  out[length] = '\0';
  r->at = p + 1;
  return out;
broken:
  free(out);
  return NULL;
}

static struct json *read_number(struct reader *r) {
  char digits[64];
  size_t length = strspn(r->at, "0123456789+-eE.");
  if (length >= sizeof(digits)) length = sizeof(digits) - 1;
  memcpy(digits, r->at, length);
  digits[length] = '\0';
  char *end = digits;
  double number = strtod(digits, &end);
  if (end == digits) return NULL;
  struct json *value = new_value(JSON_NUMBER);
  if (value != NULL) value->number = number;
  r->at += end - digits;
  return value;
}

/* Array and object differ only in the key. A trailing comma breaks both, as in cJSON. */
static struct json *read_list(struct reader *r, enum json_type type, char close) {
  if (++r->depth > MAX_DEPTH) return NULL;
  struct json *list = new_value(type);
  struct json **tail = list == NULL ? NULL : &list->child;
  r->at++;
  skip_space(r);
  if (list != NULL && *r->at == close) goto done;
  while (list != NULL) {
    char *key = NULL;
    skip_space(r);
    if (type == JSON_OBJECT) {
      key = read_string(r);
      skip_space(r);
      if (key == NULL || *r->at != ':') {
        free(key);
        break;
      }
      r->at++;
      skip_space(r);
    }
    struct json *item = read_value(r);
    if (item == NULL) {
      free(key);
      break;
    }
    item->key = key;
    *tail = item;
    tail = &item->next;
    skip_space(r);
    if (*r->at == close) goto done;
    if (*r->at != ',') break;
    r->at++;
  }
  json_free(list);
  return NULL;
done:
  r->at++;
  r->depth--;
  return list;
}

static struct json *read_word(struct reader *r) {
  struct json *value = NULL;
  if (strncmp(r->at, "null", 4) == 0) {
    value = new_value(JSON_NULL);
    r->at += 4;
  } else if (strncmp(r->at, "true", 4) == 0 || strncmp(r->at, "false", 5) == 0) {
    value = new_value(JSON_BOOL);
    if (value != NULL) value->truth = *r->at == 't';
    r->at += *r->at == 't' ? 4 : 5;
  }
  return value;
}

static struct json *read_value(struct reader *r) {
  if (*r->at == '"') {
    char *text = read_string(r);
    struct json *value = text == NULL ? NULL : new_value(JSON_STRING);
    if (value != NULL) value->string = text;
    return value;
  }
  if (*r->at == '[') return read_list(r, JSON_ARRAY, ']');
  if (*r->at == '{') return read_list(r, JSON_OBJECT, '}');
  if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')) return read_number(r);
  return read_word(r);
}

struct json *json_parse(const char *text) {
  struct reader r = {.at = text, .depth = 0};
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) r.at += 3;
  skip_space(&r);
  return read_value(&r);
}

struct json *json_get(const struct json *object, const char *key, bool exact) {
  struct json *item = object == NULL ? NULL : object->child;
  for (; item != NULL; item = item->next) {
    if (item->key == NULL) continue;
    if (exact ? strcmp(item->key, key) == 0 : strcasecmp(item->key, key) == 0) return item;
  }
  return NULL;
}

int json_size(const struct json *value) {
  int count = 0;
  for (struct json *item = value == NULL ? NULL : value->child; item != NULL; item = item->next) count++;
  return count;
}

struct json *json_at(const struct json *array, int index) {
  struct json *item = array == NULL ? NULL : array->child;
  while (item != NULL && index-- > 0) item = item->next;
  return item;
}

bool json_is(const struct json *value, enum json_type type) { return value != NULL && value->type == type; }

const char *json_string(const struct json *object, const char *key) {
  struct json *item = json_get(object, key, false);
  return json_is(item, JSON_STRING) ? item->string : NULL;
}
