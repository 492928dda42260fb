/* Asks persistent policy programs one request at a time, as smtpd(8) does, and times each answer.
 *
 *   ping-pong WARMUP BLOCKS SIZE SECONDS (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...
 *
 * Every program gets SIZE requests, then the next one gets SIZE, and so on for BLOCKS rounds after WARMUP that are not
 * counted, so that noise of the machine hits all alike. None begins after SECONDS unless FEWEST are not yet done. REQUESTS and REPLIES are files whose parts end with an
 * empty line; each reply is compared byte for byte.
 * All run on one CPU: where the scheduler puts two programs that wait for each other makes more difference than what they do.
 * A program's descriptors 0, 1 and 2 are one end of a socket pair, as under spawn(8). In trouble this says why on standard error and
 * exits 1; programs still running are then killed by the kernel (PR_SET_PDEATHSIG).
 * Prints for each program a line with its rate in each block, in requests a second. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* Returns the pid; *socket_fd is our end. */
static pid_t start_program(char **argv, int *socket_fd) {
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

static void write_all(int fd, const char *bytes, size_t length) {
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

static struct parts read_parts(const char *path) {
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

#define FEWEST 10

struct contestant {
  struct parts requests, replies;
  char **argv;
  pid_t pid;
  int fd;
  size_t next;
  long *blocks;
};

static void stay_on_one_cpu(void) {
  cpu_set_t all, one;
  int cpu = CPU_SETSIZE - 1;
  if (sched_getaffinity(0, sizeof all, &all) < 0) fail("sched_getaffinity: %s", strerror(errno));
  while (cpu > 0 && !CPU_ISSET(cpu, &all)) cpu--;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) fail("sched_setaffinity: %s", strerror(errno));
}

static void ask(struct contestant *c) {
  static char reply[4096];
  size_t i = c->next++ % c->requests.count, have = 0, want = c->replies.length[i % c->replies.count];
  const char *expected = c->replies.at[i % c->replies.count];
  write_all(c->fd, c->requests.at[i], c->requests.length[i]);
  while (have < want) {
    ssize_t n = read(c->fd, reply + have, sizeof reply - 1 - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += (size_t)n;
    if (have >= 2 && memcmp(reply + have - 2, "\n\n", 2) == 0) break;
  }
  reply[have] = 0;
  if (have != want || memcmp(reply, expected, want) != 0)
    fail("%s: request %zu was answered with <%s>, and not with <%.*s>", c->argv[0], i, reply, (int)want, expected);
}

static void finish(struct contestant *c) {
  char byte;
  int status;
  shutdown(c->fd, SHUT_WR);
  if (read(c->fd, &byte, 1) > 0) fail("%s: wrote more than its replies", c->argv[0]);
  if (waitpid(c->pid, &status, 0) < 0 || status != 0) fail("%s: wait status %d", c->argv[0], status);
}

int main(int argc, char **argv) {
  static struct contestant all[32];
  int count = 0, warmup = argc > 4 ? atoi(argv[1]) : 0, blocks = argc > 4 ? atoi(argv[2]) : 0;
  int size = argc > 4 ? atoi(argv[3]) : 0, done = 0;
  if (blocks < 1 || size < 1) fail("usage: ping-pong WARMUP BLOCKS SIZE SECONDS (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...");
  signal(SIGPIPE, SIG_IGN);
  stay_on_one_cpu();
  for (int i = 5; i + 3 < argc; i++) {
    if (!argv[i] || strcmp(argv[i], "--") != 0) continue;
    if (count == 32) fail("too many programs");
    struct contestant *c = &all[count++];
    argv[i] = NULL; /* ends the arguments of the program before */
    c->requests = read_parts(argv[i + 1]);
    c->replies = read_parts(argv[i + 2]);
    c->argv = argv + i + 3;
    c->blocks = malloc((size_t)blocks * sizeof(long));
  }
  for (int i = 0; i < count; i++) all[i].pid = start_program(all[i].argv, &all[i].fd);
  long end = now_ns() + atol(argv[4]) * 1000000000L;
  for (int block = -warmup; block < blocks && (block < FEWEST || now_ns() < end); block++) {
    if (block >= 0) done++;
    for (int i = 0; i < count; i++) {
      struct contestant *c = &all[i];
      long begin = now_ns();
      for (int n = 0; n < size; n++) ask(c);
      if (block >= 0) c->blocks[block] = now_ns() - begin;
    }
  }
  for (int i = 0; i < count; i++) finish(&all[i]);
  for (int i = 0; i < count; i++)
    for (int b = 0; b < done; b++) printf("%.0f%c", size * 1e9 / (double)all[i].blocks[b], b + 1 < done ? ' ' : '\n');
  return 0;
}
