/*
 * Jobs and when they run. Stages are posted as events; a stage runs every job of its name, then the jobs whose condition
 * names that stage. `trigger` puts a job behind the running one. Boot stages run once and are forgotten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init.h"

#define QUEUE_SLOTS 64

struct line {
  struct line *next;
  const struct command *command;
  char *rest;
};

struct job {
  struct job *next;
  char *name;
  char *condition;
  struct line *first;
  enum job_kind kind;
  bool once, queued, gone;
};

struct event {
  struct event *next;
  bool is_stage;
  char *name;
};

static struct job *jobs;
static struct event *events;
static struct job *queue[QUEUE_SLOTS];
static unsigned queue_start, queue_end;

static enum job_kind kind_of(const char *name) {
  static const char *const stages[] = {"pre-init", "boot",    "early-init", "init",         "late-init", "post-init", "fs",
                                       "early-fs", "post-fs", "late-fs",    "post-fs-data", "early-boot", "reboot", "suspend"};
  if (strncmp(name, "param:", 6) == 0) return JOB_PARAM;
  if (strncmp(name, "boot-service:", 13) == 0) return JOB_BOOT;
  for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
    if (strcmp(name, stages[i]) == 0) return JOB_BOOT;
  }
  return JOB_OTHER;
}

static struct job *job_find(const char *name) {
  struct job *job = jobs;
  while (job != NULL && (job->gone || strcmp(job->name, name) != 0)) job = job->next;
  return job;
}

static struct job *job_open(const char *name, const char *condition) {
  if (condition != NULL && !condition_accepted(condition)) {
    logf_("job \"%s\" dropped: condition \"%s\" is invalid", name, condition);
    return NULL;
  }
  struct job *job = job_find(name);
  if (job == NULL) {
    struct job **tail = &jobs;
    while (*tail != NULL) tail = &(*tail)->next;
    job = calloc(1, sizeof(*job));
    *tail = job;
    job->name = strdup(name);
    job->kind = kind_of(name);
    job->once = job->kind == JOB_BOOT;
  }
  if (job->condition == NULL && condition != NULL && condition[0] != '\0') job->condition = strdup(condition);
  return job;
}

static void job_append(struct job *job, const char *text) {
  const struct command *command = command_match(text);
  if (command == NULL) {
    if (text[strspn(text, " \t")] != '#') logf_("job \"%s\": command not supported, line dropped: \"%s\"", job->name, text);
    return;
  }
  struct line *line = calloc(1, sizeof(*line));
  const char *rest = strstr(text, command->name) + strlen(command->name);
  line->command = command;
  line->rest = strdup(rest + strspn(rest, " \t"));
  struct line **tail = &job->first;
  while (*tail != NULL) tail = &(*tail)->next;
  *tail = line;
}

void job_add_line(const char *name, const char *line) {
  struct job *job = job_open(name, NULL);
  if (job != NULL) job_append(job, line);
}

void jobs_parse(const struct json *root, bool chipset) {
  struct json *list = json_get(root, "jobs", true);
  if (!json_is(list, JSON_ARRAY)) return;
  for (struct json *item = list->child; item != NULL; item = item->next) {
    const char *name = json_string(item, "name");
    struct job *job = name == NULL ? NULL : job_open(name, json_string(item, "condition"));
    struct json *lines = json_get(item, "cmds", false);
    if (job == NULL || !json_is(lines, JSON_ARRAY)) continue;
    if (chipset) logf_("job \"%s\": lines from a vendor folder (on a board they run as chipset_init)", name);
    for (struct json *line = lines->child; line != NULL; line = line->next) {
      if (json_is(line, JSON_STRING)) job_append(job, line->string);
    }
  }
}

static void job_run_lines(const struct job *job) {
  for (const struct line *line = job->first; line != NULL; line = line->next) command_run(line->command, line->rest);
}

/* After a stage, the jobs whose condition joins the stage with parameters: "boot && const.secure=0". */
static void run_followers(const char *stage) {
  for (struct job *job = jobs; job != NULL; job = job->next) {
    if (job->kind != JOB_OTHER || job->condition == NULL) continue;
    int holds = condition_holds(job->condition, stage);
    if (holds < 0) logf_("job \"%s\": condition \"%s\" cannot be evaluated", job->name, job->condition);
    if (holds == 1) job_run_lines(job);
  }
}

static void job_run(struct job *job) {
  if (job->kind == JOB_BOOT && strncmp(job->name, "boot-service:", 13) != 0) logf_("stage %s", job->name);
  job_run_lines(job);
  job->queued = false;
  if (job->kind == JOB_BOOT && strncmp(job->name, "boot-service:", 13) != 0) run_followers(job->name);
  if (job->once) job->gone = true;
}

void job_run_now(const char *name) {
  struct job *job = job_find(name);
  if (job != NULL) job_run(job);
}

static void enqueue(struct job *job) {
  if (job->queued) return;
  if (queue_end - queue_start >= QUEUE_SLOTS) {
    logf_("job \"%s\" lost: the trigger queue holds %d", job->name, QUEUE_SLOTS);
    return;
  }
  job->queued = true;
  queue[queue_end++ % QUEUE_SLOTS] = job;
}

void job_trigger(const char *name) {
  struct job *job = job_find(name);
  if (job == NULL) logf_("cannot find trigger %s", name);
  else enqueue(job);
}

static void post(bool is_stage, const char *name) {
  struct event **tail = &events;
  while (*tail != NULL) tail = &(*tail)->next;
  *tail = calloc(1, sizeof(**tail));
  (*tail)->is_stage = is_stage;
  (*tail)->name = strdup(name);
}

void post_stage(const char *stage) { post(true, stage); }

void post_param(const char *name, const char *value) {
  (void)value;
  post(false, name);
}

static void enqueue_matching(const struct event *event) {
  for (struct job *job = jobs; job != NULL; job = job->next) {
    if (job->gone) continue;
    if (event->is_stage && job->kind == JOB_BOOT && strcmp(job->name, event->name) == 0) enqueue(job);
    bool watched = !event->is_stage && job->kind == JOB_PARAM && job->condition != NULL;
    if (watched && condition_mentions(job->condition, event->name) && condition_holds(job->condition, NULL) == 1) enqueue(job);
  }
}

void events_drain(void) {
  while (events != NULL || queue_start != queue_end) {
    while (queue_start != queue_end) job_run(queue[queue_start++ % QUEUE_SLOTS]);
    struct event *event = events;
    if (event == NULL) continue;
    events = event->next;
    enqueue_matching(event);
    free(event->name);
    free(event);
  }
}

void jobs_print(void) {
  static const char *const kinds[] = {"stage", "param", "plain"};
  for (const struct job *job = jobs; job != NULL; job = job->next) {
    printf("job %s kind=%s", job->name, kinds[job->kind]);
    if (job->condition != NULL) printf(" condition=%s", job->condition);
    puts("");
    for (const struct line *line = job->first; line != NULL; line = line->next) {
      struct words words;
      int limit = line->command->max;
      bool whole = words_split(line->rest, limit, &words);
      printf("  %.*s", (int)strcspn(line->command->name, " "), line->command->name);
      for (int i = 0; i < words.count; i++) printf(" [%s]", words.at[i]);
      if (!whole) printf(" (a parameter has no value)");
      else if (words.count < line->command->min) printf(" (too few words)");
      puts("");
      words_free(&words);
    }
  }
}
