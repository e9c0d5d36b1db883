#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

static int kmsg = -1;

void log_open(bool to_stdout) {
  if (!to_stdout) kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

/* Level 4, so that the console shows it while the kernel's own chatter (5 and above) stays away. */
void logf_(const char *format, ...) {
  char line[768];
  int start = kmsg < 0 ? 0 : snprintf(line, sizeof(line), "<4>init (stand-in): ");
  va_list args;
  va_start(args, format);
  vsnprintf(line + start, sizeof(line) - (size_t)start - 1, format, args);
  va_end(args);
  if (kmsg < 0) {
    puts(line);
    return;
  }
  strcat(line, "\n");
  ssize_t ignored = write(kmsg, line, strlen(line));
  (void)ignored;
}
