/*
 * A stand-in for hdcd, the board's debugging daemon: shell commands, files and byte tunnels for the host, over a virtio
 * serial port, so that the board can be reached whatever its network does. The wire is in scripts/lab/wire.ts.
 */
#ifndef LAB_HDCD_H
#define LAB_HDCD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_CHANNELS 64
#define MAX_PAYLOAD 65536

enum channel_kind { FREE, COMMAND, TUNNEL, FILE_PUSH };

struct channel {
  enum channel_kind kind;
  uint32_t id;
  pid_t pid;
  int in;  /* what the host sends goes here, -1 when closed */
  int out; /* stdout, the terminal, or the tunnel */
  int err;
  char *pending; /* host bytes that `in` did not take yet */
  size_t pending_length;
  bool in_ends; /* close `in` once pending is empty */
};

/* wire.c */
void wire_open(void);
int wire_fd(void);
void wire_send(uint32_t channel, char type, const void *payload, size_t length);
void wire_say(uint32_t channel, char type, const char *text);
/* Reads what the host sent; calls `on_frame` for each whole frame. */
void wire_receive(void (*on_frame)(uint32_t channel, char type, char *payload, size_t length));

/* channel.c */
void channel_frame(uint32_t id, char type, char *payload, size_t length);
int channels_poll(struct pollfd *fds);
void channels_serve(const struct pollfd *fds, int count);
void channels_reap(void);
void channels_reset(void);

/* command.c: both return false with errno set */
bool command_start(struct channel *c, const char *line, bool terminal);
bool tunnel_start(struct channel *c, const char *where);

#endif
