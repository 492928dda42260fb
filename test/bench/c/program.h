/* Starts a program as spawn(8) does: file descriptors 0, 1 and 2 are one end of a socket pair. Shared by the drivers.
 * In trouble a driver says why on standard error and exits 1; programs still running are then killed by the kernel
 * (PR_SET_PDEATHSIG), so that nothing outlives a driver, however it ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static inline long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* Returns the pid; *socket_fd is our end. */
static inline pid_t start_program(char **argv, int *socket_fd) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) fail("socketpair: %s", strerror(errno));
  pid_t pid = fork();
  if (pid < 0) fail("fork: %s", strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    for (int fd = 0; fd < 3; fd++) dup2(pair[1], fd);
    execv(argv[0], argv);
    _exit(127);
  }
  close(pair[1]);
  *socket_fd = pair[0];
  return pid;
}

static inline void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write: %s", strerror(errno));
    bytes += n;
    length -= (size_t)n;
  }
}

/* The parts of a file that each end with an empty line; an empty file has one empty part. */
struct parts {
  char **at;
  size_t *length;
  size_t count;
};

static inline struct parts read_parts(const char *path) {
  struct parts parts = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) fail("%s: %s", path, strerror(errno));
  char *bytes = malloc((size_t)st.st_size + 1);
  size_t have = 0;
  for (ssize_t n; have < (size_t)st.st_size; have += (size_t)n)
    if ((n = read(fd, bytes + have, (size_t)st.st_size - have)) <= 0) fail("%s: cannot be read", path);
  bytes[have] = 0;
  close(fd);
  size_t room = 0;
  char *part = bytes;
  do {
    char *end = strstr(part, "\n\n");
    size_t length = end ? (size_t)(end - part) + 2 : (size_t)(bytes + have - part);
    if (parts.count == room) {
      room = room ? room * 2 : 64;
      parts.at = realloc(parts.at, room * sizeof *parts.at);
      parts.length = realloc(parts.length, room * sizeof *parts.length);
    }
    parts.at[parts.count] = part;
    parts.length[parts.count++] = length;
    part += length;
  } while (part < bytes + have);
  return parts;
}
