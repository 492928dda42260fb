/* Asks persistent policy programs one request at a time, as smtpd(8) does, and times each answer.
 *
 *   ping-pong WARMUP BLOCKS SIZE (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...
 *
 * Every program gets SIZE requests, then the next one gets SIZE, and so on for BLOCKS rounds after WARMUP that are not
 * counted, so that noise of the machine hits all alike. REQUESTS and REPLIES are files of parts that end with an empty line, and
 * begin again after the last; each reply is compared byte for byte.
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

struct text {
  char *start, *next;
};

static struct text read_text(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) fail("%s: %s", path, strerror(errno));
  size_t size = (size_t)st.st_size, have = 0;
  char *bytes = malloc(size + 1);
  for (ssize_t n; have < size; have += (size_t)n)
    if ((n = read(fd, bytes + have, size - have)) <= 0) fail("%s: cannot be read", path);
  bytes[size] = 0;
  if (size < 2 || strcmp(bytes + size - 2, "\n\n") != 0) fail("%s: does not end with an empty line", path);
  close(fd);
  return (struct text){bytes, bytes};
}

/* Returns the length of the next part. */
static size_t take_part(struct text *text, char **part) {
  if (*text->next == 0) text->next = text->start;
  *part = text->next;
  text->next = strstr(*part, "\n\n") + 2;
  return (size_t)(text->next - *part);
}

struct contestant {
  struct text requests, replies;
  char **argv;
  pid_t pid;
  int fd;
  long *blocks;
};

static void stay_on_one_cpu(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) fail("sched_setaffinity: %s", strerror(errno));
}

static void ask(struct contestant *c) {
  static char reply[4096];
  char *request, *expected;
  size_t length = take_part(&c->requests, &request), want = take_part(&c->replies, &expected), have = 0;
  write_all(c->fd, request, length);
  while (have < want) {
    ssize_t n = read(c->fd, reply + have, sizeof reply - 1 - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += (size_t)n;
    if (have >= 2 && memcmp(reply + have - 2, "\n\n", 2) == 0) break;
  }
  reply[have] = 0;
  if (have != want || memcmp(reply, expected, want) != 0)
    fail("%s: <%.*s> was answered with <%s>, and not with <%.*s>", c->argv[0], (int)length, request, reply, (int)want, expected);
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
  if (argc < 8) fail("usage: ping-pong WARMUP BLOCKS SIZE (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...");
  int count = 0, warmup = atoi(argv[1]), blocks = atoi(argv[2]), size = atoi(argv[3]);
  signal(SIGPIPE, SIG_IGN);
  stay_on_one_cpu();
  for (int i = 4; i + 3 < argc; i++) {
    if (!argv[i] || strcmp(argv[i], "--") != 0) continue;
    if (count == 32) fail("too many programs");
    struct contestant *c = &all[count++];
    argv[i] = NULL; /* ends the arguments of the program before */
    c->requests = read_text(argv[i + 1]);
    c->replies = read_text(argv[i + 2]);
    c->argv = argv + i + 3;
    c->blocks = malloc((size_t)blocks * sizeof(long));
  }
  for (int i = 0; i < count; i++) all[i].pid = start_program(all[i].argv, &all[i].fd);
  for (int block = -warmup; block < blocks; block++) {
    for (int i = 0; i < count; i++) {
      struct contestant *c = &all[i];
      long begin = now_ns();
      for (int n = 0; n < size; n++) ask(c);
      if (block >= 0) c->blocks[block] = now_ns() - begin;
    }
  }
  for (int i = 0; i < count; i++) finish(&all[i]);
  for (int i = 0; i < count; i++)
    for (int b = 0; b < blocks; b++) printf("%.0f%c", size * 1e9 / (double)all[i].blocks[b], b + 1 < blocks ? ' ' : '\n');
  return 0;
}
