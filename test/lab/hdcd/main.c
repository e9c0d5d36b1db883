#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "hdcd.h"

int main(void) {
  static struct pollfd fds[MAX_CHANNELS * 3 + 2];
  sigset_t mask, before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, &before);
  signal(SIGPIPE, SIG_IGN);
  int children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  wire_open();
  for (;;) {
    int count = channels_poll(fds);
    fds[count] = (struct pollfd){.fd = wire_fd(), .events = POLLIN};
    fds[count + 1] = (struct pollfd){.fd = children, .events = POLLIN};
    if (poll(fds, (nfds_t)count + 2, -1) < 0) continue;
    channels_serve(fds, count);
    if (fds[count].revents != 0) wire_receive(channel_frame);
    if (fds[count + 1].revents != 0) {
      struct signalfd_siginfo info;
      while (read(children, &info, sizeof(info)) > 0) {
      }
      channels_reap();
    }
  }
}
