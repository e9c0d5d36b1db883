/*
 * /system/bin/iptables and its relatives. A board has the legacy binary with its lock at /system/etc/xtables.lock
 * (openharmony/third_party_iptables config.h); here Debian's legacy binary stands in, told the same by its environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  if (argc < 1) return 2;
  if (slash != NULL) argv[0] = (char *)slash + 1;
  setenv("XTABLES_LOCKFILE", "/system/etc/xtables.lock", 1);
  setenv("XTABLES_LIBDIR", "/system/lib/lab/xtables", 1);
  execv("/system/lib/lab/xtables-legacy-multi", argv);
  perror("xtables-legacy-multi");
  return 1;
}
