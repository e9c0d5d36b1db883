/* /system/bin/sa_main hosts most of a board's own services. This stand-in hosts none: it just keeps their processes alive. */
#include <unistd.h>

int main(void) {
  for (;;) pause();
}
