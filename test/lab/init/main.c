/* PID 1 of the virtual board; with --parse a checker of cfg files on any machine. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

/* init --parse [--etc DIR] [--param NAME=VALUE]… FILE…: reads the files as at boot and prints what is left of them. */
static int parse_only(int count, char **args) {
  log_open(true);
  for (int i = 0; i < count; i++) {
    if (strcmp(args[i], "--etc") == 0 && i + 1 < count) {
      set_etc(args[++i]);
    } else if (strcmp(args[i], "--param") == 0 && i + 1 < count) {
      char *equals = strchr(args[++i], '=');
      if (equals == NULL) return 2;
      *equals = '\0';
      param_set(args[i], equals + 1);
    } else {
      config_read_file(args[i], 0);
    }
  }
  services_print();
  jobs_print();
  return 0;
}

static int catch_signals(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void silence(void) {
  int fd = open("/dev/null", O_RDWR);
  for (int i = 0; i <= 2 && fd >= 0; i++) dup2(fd, i);
  if (fd > 2) close(fd);
}

static void take_signals(int fd) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) services_reap();
    if (info.ssi_signo == SIGTERM) board_reboot("reboot");
  }
}

static void loop(int signals) {
  struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = control_listen(), .events = POLLIN}, {.fd = devices_watch(), .events = POLLIN}};
  for (;;) {
    events_drain();
    services_reap();
    const char *power = param_get("ohos.startup.powerctrl");
    if (power != NULL) board_reboot(power);
    long wait = services_next_timer_ms();
    if (poll(fds, 3, wait > 60000 ? 60000 : (int)wait) < 0 && errno != EINTR) sleep(1);
    if (fds[0].revents & POLLIN) take_signals(signals);
    if (fds[1].revents & POLLIN) control_serve(fds[1].fd);
    if (fds[2].revents & POLLIN) devices_event(fds[2].fd);
    services_run_timers();
  }
}

static void run_boot(void) {
  umask(0);
  boot_mounts();
  silence();
  umask(022);
  log_open(false);
  logf_("this is the virtual board's stand-in for OpenHarmony's init, not the real one");
  write_text("/proc/self/oom_score_adj", "-1000");
  syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* KEY_SPEC_SESSION_KEYRING */, 1);
  /* The kernel hands its own HOME and TERM to PID 1; PATH it never sets. */
  unsetenv("PATH");
  params_load_cmdline();
  params_load_dir("/system/etc/param/ohos_const");
  params_load_dir("/system/etc/param");
  int signals = catch_signals();
  config_read_all();
  post_stage("pre-init");
  post_stage("init");
  services_start_mode(START_BOOT);
  post_stage("post-init");
  services_start_mode(START_NORMAL);
  loop(signals);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--parse") == 0) return parse_only(argc - 2, argv + 2);
  if (getpid() != 1) {
    fprintf(stderr, "usage: init --parse [--etc DIR] [--param NAME=VALUE] FILE...\n");
    return 2;
  }
  run_boot();
}
