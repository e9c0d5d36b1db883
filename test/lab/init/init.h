/*
 * A stand-in for OpenHarmony's init, written for the virtual board only. It reads the same *.cfg files by the same
 * rules, starts services with the same environment, and stops them the same way, so that a configuration that works
 * here has a chance on a board. What it does was taken from openharmony/startup_init, branch 6.0; no line is from it.
 */
#ifndef LAB_INIT_H
#define LAB_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- log.c: to /dev/kmsg as PID 1, to stdout with --parse ---- */
void log_open(bool to_stdout);
void logf_(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- json.c: a reader as forgiving as cJSON, which the real init uses ---- */
enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
  enum json_type type;
  char *key;
  char *string;
  double number;
  bool truth;
  struct json *child;
  struct json *next;
};

/* Returns NULL when the text is not JSON. A byte-order mark and anything behind the value are accepted. */
struct json *json_parse(const char *text);
void json_free(struct json *value);
/* First entry whose key matches; letter case counts only when `exact`. */
struct json *json_get(const struct json *object, const char *key, bool exact);
int json_size(const struct json *value);
struct json *json_at(const struct json *array, int index);
/* NULL unless the entry is a string. */
const char *json_string(const struct json *object, const char *key);
bool json_is(const struct json *value, enum json_type type);

/* ---- text.c ---- */
#define MAX_WORDS 10

struct words {
  int count;
  char *at[MAX_WORDS + 1];
};

/* Splits at spaces, keeps at most `limit` words, drops the rest, expands ${param}; false when a parameter is missing. */
bool words_split(const char *text, int limit, struct words *out);
void words_free(struct words *words);
/* Numeric id or -1; names come from <etc>/passwd and <etc>/group. */
long id_of_user(const char *name);
long id_of_group(const char *name);
void set_etc(const char *folder);
/* Whole file, NULL when missing, empty or above `limit` bytes. */
char *read_whole(const char *path, long limit);
bool write_text(const char *path, const char *text);
void make_dirs(const char *path, mode_t mode);

/* ---- param.c ---- */
void params_load_cmdline(void);
void params_load_file(const char *path);
void params_load_dir(const char *folder);
const char *param_get(const char *name);
/* false when the name starts with const. or ohos.boot. and has a value already. */
bool param_set(const char *name, const char *value);
void params_print(int fd, const char *prefix);

/* ---- condition.c ---- */
/* 1 true, 0 false, -1 broken. A term without '=' is true while the boot stage `stage` runs. */
int condition_holds(const char *condition, const char *stage);
bool condition_accepted(const char *condition);
bool condition_mentions(const char *condition, const char *param);

/* ---- jobs.c ---- */
enum job_kind { JOB_BOOT, JOB_PARAM, JOB_OTHER };

void jobs_parse(const struct json *root, bool chipset);
void job_add_line(const char *name, const char *line);
/* Runs a job at once, whatever its condition; no such job is no error. */
void job_run_now(const char *name);
/* The `trigger NAME` command: queues the job behind what runs now. */
void job_trigger(const char *name);
void post_stage(const char *stage);
void post_param(const char *name, const char *value);
/* Works off posted events; returns when there are none left. */
void events_drain(void);
void jobs_print(void);

/* ---- commands.c, commands_fs.c, commands_sys.c ---- */
struct command {
  const char *name; /* with the trailing space that the real table has */
  int min;
  int max;
  void (*run)(const struct words *words);
};

const struct command *command_match(const char *line);
void command_run(const struct command *command, const char *rest);
const struct command *commands_fs(int *count);
const struct command *commands_sys(int *count);

/* ---- services ---- */
#define PATH_WORDS 19
#define CRASH_COUNT 4
#define CRASH_SECONDS 240

enum start_mode { START_CONDITION, START_BOOT, START_NORMAL };
enum service_job { ON_BOOT, PRE_START, ON_START, ON_STOP, ON_RESTART, SERVICE_JOBS };
enum service_status { IDLE = 0, STARTED = 2, STOPPING = 4, STOPPED = 5 };

struct env_entry {
  char *name;
  char *value;
};

struct socket_entry {
  char *name;
  int type;
  mode_t mode;
  long uid;
  long gid;
  bool passcred;
  int fd;
};

struct service {
  struct service *next;
  char *name;
  char *path[PATH_WORDS + 1];
  char *writepid[100];
  char *secon;
  char *jobs[SERVICE_JOBS];
  struct env_entry env[64];
  struct socket_entry sockets[16];
  char *onrestart[17];
  long uid;
  long gids[64];
  int gid_count;
  unsigned caps[100];
  int caps_count;
  int env_count;
  int socket_count;
  int importance;
  int console;
  enum start_mode start_mode;
  bool once, critical, ondemand, period, setuid, cgroup, no_sandbox, invalid, stopping;
  int period_s, crash_limit, crash_window_s;
  const char *broken; /* the key at which parsing ended, NULL when all was read */
  enum service_status status;
  pid_t pid;
  int crashes;
  long first_crash_s;
  long timer_ms; /* when to start again (monotonic), 0 for never */
};

extern struct service *services; /* the one parsed last comes first, as in the real init's list */
struct service *service_find(const char *name);
void services_parse(const struct json *root);
void services_print(void);

/* service_run.c */
bool service_start(struct service *service);
void service_stop(struct service *service, int signal);
void services_stop_all(void);
void services_start_mode(enum start_mode mode);
void service_set_status(struct service *service, enum service_status status);
/* service_child.c: never returns */
void service_child(struct service *service);
/* service_reap.c */
void services_reap(void);
void services_run_timers(void);
long services_next_timer_ms(void);
long monotonic_ms(void);
void service_cgroup_join(const struct service *service);
void service_cgroup_kill(const struct service *service);

/* ---- sandbox.c ---- */
void sandbox_make(const char *kind);
bool sandbox_enter(const char *program);

/* ---- devices.c ---- */
void devices_make_all(void);
int devices_watch(void);
void devices_event(int fd);

/* ---- boot.c ---- */
void boot_mounts(void);
void config_read_file(const char *path, int depth);
void config_read_all(void);
void board_reboot(const char *how);

/* ---- control.c ---- */
#define CONTROL_SOCKET "/dev/unix/socket/lab_init_control"
int control_listen(void);
void control_serve(int listener);

#endif
