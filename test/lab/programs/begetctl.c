/* Stand-in for begetctl under its several names: param, service_control, reboot, begetctl. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_SOCKET "/dev/unix/socket/lab_init_control"

static int ask(const char *line) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char answer[4096];
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", CONTROL_SOCKET);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
    perror("cannot reach init");
    return 1;
  }
  if (write(fd, line, strlen(line)) < 0) return 1;
  for (ssize_t n = read(fd, answer, sizeof(answer)); n > 0; n = read(fd, answer, sizeof(answer))) fwrite(answer, 1, (size_t)n, stdout);
  close(fd);
  return 0;
}

static int usage(void) {
  puts("param get|set|ls [NAME] [VALUE]\nservice_control start|stop|term|status NAME\nbegetctl start_service|stop_service NAME\nreboot [shutdown]");
  return 1;
}

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  const char *self = slash == NULL ? argv[0] : slash + 1;
  char line[1024];
  if (strcmp(self, "begetctl") == 0 && argc > 1) {
    argv++;
    argc--;
    self = argv[0];
    if (strcmp(self, "start_service") == 0 || strcmp(self, "stop_service") == 0) {
      if (argc < 2) return usage();
      snprintf(line, sizeof(line), "service %s %s", self[2] == 'a' ? "start" : "stop", argv[1]);
      return ask(line);
    }
  }
  if (strcmp(self, "reboot") == 0) {
    snprintf(line, sizeof(line), "reboot reboot%s%s", argc > 1 ? "," : "", argc > 1 ? argv[1] : "");
    return ask(line);
  }
  const char *family = strcmp(self, "param") == 0 ? "param" : strcmp(self, "service_control") == 0 ? "service" : NULL;
  if (family == NULL || argc < 2) return usage();
  snprintf(line, sizeof(line), "%s %s%s%s%s%s", family, argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "", argc > 3 ? " " : "", argc > 3 ? argv[3] : "");
  return ask(line);
}
