/*
 * Stand-in for the part of OpenHarmony's netsys that answers musl's resolver: tells the name servers of the default
 * network on /dev/unix/socket/dnsproxyd (openharmony/communication_netmanager_base services/netsysnative
 * src/netsys/dns_config_client.h and wrapper/dns_resolv_listen.cpp, 6.0). Only GET_CONFIG is answered. The netmanager
 * stand-in writes the names, one a line, into the file that is the argument.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH "/dev/unix/socket/dnsproxyd"
#define GET_CONFIG 1
#define MAX_SERVER_NUM 5
#define MAX_SERVER_LENGTH 50

struct request {
  uint32_t uid;
  uint32_t command;
  uint32_t net_id;
};

struct config {
  int32_t error;
  int32_t timeout_ms;
  uint32_t retry_count;
  uint32_t non_public_num;
  char name_servers[MAX_SERVER_NUM][MAX_SERVER_LENGTH + 1];
};

static void read_servers(const char *path, struct config *config) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  for (int i = 0; i < MAX_SERVER_NUM; i++) {
    char *name = config->name_servers[i];
    if (fgets(name, MAX_SERVER_LENGTH + 1, file) == NULL) break;
    name[strcspn(name, "\n")] = '\0';
  }
  fclose(file);
}

static void answer(int client, const char *path) {
  struct request request;
  struct timeval limit = {.tv_sec = 2};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (recv(client, &request, sizeof(request), MSG_WAITALL) != sizeof(request)) return;
  if (request.command != GET_CONFIG) return;
  struct config config = {.timeout_ms = 5000, .retry_count = 2};
  read_servers(path, &config);
  if (write(client, &config, sizeof(config)) < 0) perror("dnsproxyd (stand-in): write");
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
  if (argc != 2) return 2;
  mkdir("/dev/unix", 0755);
  mkdir("/dev/unix/socket", 0755);
  unlink(SOCKET_PATH);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(server, 16) < 0) {
    perror("dnsproxyd (stand-in)");
    return 1;
  }
  chmod(SOCKET_PATH, 0666);
  for (;;) {
    int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    answer(client, argv[1]);
    close(client);
  }
}
