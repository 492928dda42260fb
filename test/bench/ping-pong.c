/* Asks persistent policy programs one request at a time, as smtpd(8) does, and times each block of answers.
 *
 *   ping-pong WARMUP BLOCKS SIZE (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...
 *   ping-pong    without arguments: the floor, a program that reads until the empty line, answers, and does nothing else
 *
 * Every program gets SIZE requests, then the next one gets SIZE, and so on for BLOCKS rounds after WARMUP that are not
 * counted, so that noise of the machine hits all alike. REQUESTS and REPLIES are files of parts that end with an empty line, and
 * begin again after the last; each reply is compared byte for byte.
 * All run on one CPU: where the scheduler puts two programs that wait for each other makes more difference than what they do.
 * A program's descriptors 0, 1 and 2 are one end of a socket pair, as under spawn(8). In trouble this says why on standard error and
 * exits 1; programs that still run find the end of their input.
 * Prints a line for each round: the rate of each program, in requests a second. */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct text {
  char *start, *next;
};

struct contestant {
  struct text requests, replies;
  char **argv;
  pid_t pid;
  int fd;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct text read_text(const char *path) {
  FILE *file = fopen(path, "r");
  char *bytes = NULL;
  size_t room = 0;
  ssize_t size = file ? getdelim(&bytes, &room, 0, file) : -1; /* the whole file, which holds no NUL */
  if (size < 2) err(1, "%s", path);
  if (strcmp(bytes + size - 2, "\n\n") != 0) errx(1, "%s: does not end with an empty line", path);
  fclose(file);
  return (struct text){bytes, bytes};
}

/* Returns the length of the next part. */
static size_t take_part(struct text *text, char **part) {
  if (*text->next == 0) text->next = text->start;
  *part = text->next;
  text->next = strstr(*part, "\n\n") + 2;
  return (size_t)(text->next - *part);
}

static void start(struct contestant *c) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) err(1, "socketpair");
  if ((c->pid = fork()) < 0) err(1, "fork");
  if (c->pid == 0) {
    for (int fd = 0; fd < 3; fd++) dup2(pair[1], fd);
    execv(c->argv[0], c->argv);
    _exit(127);
  }
  close(pair[1]);
  c->fd = pair[0];
}

static void ask(struct contestant *c) {
  static char reply[4096];
  char *request, *expected;
  size_t length = take_part(&c->requests, &request), want = take_part(&c->replies, &expected), have = 0;
  if (send(c->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) err(1, "%s: send", c->argv[0]);
  while (have < want) {
    ssize_t n = read(c->fd, reply + have, sizeof reply - 1 - have);
    if (n <= 0) break;
    have += (size_t)n;
    if (have >= 2 && memcmp(reply + have - 2, "\n\n", 2) == 0) break;
  }
  reply[have] = 0;
  if (have != want || memcmp(reply, expected, want) != 0)
    errx(1, "%s: <%.*s> was answered with <%s>, and not with <%.*s>", c->argv[0], (int)length, request, reply, (int)want, expected);
}

static void finish(struct contestant *c) {
  char byte;
  int status;
  shutdown(c->fd, SHUT_WR);
  if (read(c->fd, &byte, 1) > 0) errx(1, "%s: wrote more than its replies", c->argv[0]);
  if (waitpid(c->pid, &status, 0) < 0 || status != 0) errx(1, "%s: wait status %d", c->argv[0], status);
}

static int only_answer(void) {
  static char request[65536];
  static const char reply[] = "action=dunno\n\n";
  size_t have = 0;
  for (ssize_t n; (n = read(0, request + have, sizeof request - have)) > 0;) {
    have += (size_t)n;
    if (have < 2 || memcmp(request + have - 2, "\n\n", 2) != 0) continue;
    if (write(1, reply, sizeof reply - 1) < 0) return 1;
    have = 0;
  }
  return have != 0;
}

int main(int argc, char **argv) {
  if (argc == 1) return only_answer();
  static struct contestant all[8];
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  if (argc < 8 || sched_setaffinity(0, sizeof one, &one) < 0) err(1, "cannot begin");
  int count = 0, warmup = atoi(argv[1]), blocks = atoi(argv[2]), size = atoi(argv[3]);
  for (int i = 4; i + 3 < argc; i++) {
    if (strcmp(argv[i], "--") != 0) continue;
    if (count == 8) errx(1, "too many programs");
    argv[i] = NULL; /* ends the arguments of the program before */
    all[count++] = (struct contestant){read_text(argv[i + 1]), read_text(argv[i + 2]), argv + i + 3, 0, 0};
  }
  for (int i = 0; i < count; i++) start(&all[i]);
  for (int block = -warmup; block < blocks; block++) {
    for (int i = 0; i < count; i++) {
      double begin = now();
      for (int n = 0; n < size; n++) ask(&all[i]);
      if (block >= 0) printf("%.0f%c", size / (now() - begin), i + 1 < count ? ' ' : '\n');
    }
  }
  for (int i = 0; i < count; i++) finish(&all[i]);
  return 0;
}
