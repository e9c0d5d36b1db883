/* Finding and running the commands of jobs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "init.h"

static const struct command *match_in(const struct command *table, int count, const char *line) {
  for (int i = 0; i < count; i++) {
    if (strncmp(line, table[i].name, strlen(table[i].name)) == 0) return &table[i];
  }
  return NULL;
}

/* The name is compared with its trailing space: "sync" is no command, "sync " is. */
const struct command *command_match(const char *line) {
  int count = 0;
  while (isspace((unsigned char)*line)) line++;
  if (*line == '#') return NULL;
  const struct command *table = commands_fs(&count);
  const struct command *found = match_in(table, count, line);
  if (found != NULL) return found;
  table = commands_sys(&count);
  return match_in(table, count, line);
}

void command_run(const struct command *command, const char *rest) {
  struct words words;
  if (!words_split(rest, command->max, &words)) {
    logf_("%s%s: a parameter has no value", command->name, rest);
    return;
  }
  if (words.count < command->min) logf_("%s%s: %d words, wants at least %d", command->name, rest, words.count, command->min);
  else command->run(&words);
  words_free(&words);
}
