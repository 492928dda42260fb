/* Asks persistent policy programs one request at a time, as smtpd(8) does, and times each answer.
 *
 *   ping-pong WARMUP BLOCKS SIZE SECONDS (-- REQUESTS REPLIES PROGRAM ARGUMENT...)...
 *
 * Every program gets SIZE requests, then the next one gets SIZE, and so on for BLOCKS rounds after WARMUP that are not
 * counted, so that noise of the machine hits all alike. None begins after SECONDS unless FEWEST are not yet done. REQUESTS and REPLIES are files whose parts end with an
 * empty line; each reply is compared byte for byte.
 * All run on one CPU: where the scheduler puts two programs that wait for each other makes more difference than what they do.
 * Prints for each program a line with its rate in each block, in requests a second. */
#include "program.h"

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
