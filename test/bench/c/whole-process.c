/* Times whole processes, from fork to the exit that wait4(2) reports.
 *
 *   whole-process WARMUP ROUNDS SECONDS (-- REQUESTS PROGRAM ARGUMENT...)...
 *
 * In every round each program runs once, in turn, so that noise of the machine hits all alike; WARMUP rounds before
 * are not counted, and none begins after SECONDS unless FEWEST are not yet done. Program and socket are as in program.h.
 * What a program writes on the socket is taken until it has exited.
 * Prints a line of JSON for each run: program (its place in the list), round, ns, status (as the shell counts it),
 * rss (the most it used, in KiB), output (hex). */
#include "program.h"

#define FEWEST 5

struct contestant {
  struct parts requests;
  char **argv;
};

static void run(struct contestant *c, int number, int round) {
  static char output[1 << 20];
  size_t have = 0;
  int fd, status;
  long begin = now_ns();
  pid_t pid = start_program(c->argv, &fd);
  write_all(fd, c->requests.at[0], c->requests.length[0]);
  /* A child that the program leaves behind to log may hold the socket open: the reply ends the wait, too. */
  for (ssize_t n; (n = read(fd, output + have, sizeof output - have)) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ECONNRESET) break; /* exited without having read its request */
    if (n < 0) fail("%s: read: %s", c->argv[0], strerror(errno));
    have += (size_t)n;
    if (have >= 2 && memcmp(output + have - 2, "\n\n", 2) == 0) break;
  }
  struct rusage usage;
  while (wait4(pid, &status, 0, &usage) < 0)
    if (errno != EINTR) fail("wait4: %s", strerror(errno));
  long took = now_ns() - begin;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (ssize_t n; (n = read(fd, output + have, sizeof output - have)) > 0;) have += (size_t)n;
  close(fd);
  if (round < 0) return;
  printf("{\"program\":%d,\"round\":%d,\"ns\":%ld,\"status\":%d,\"rss\":%ld,\"output\":\"", number,
         round, took, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), usage.ru_maxrss);
  for (size_t i = 0; i < have; i++) printf("%02x", (unsigned char)output[i]);
  puts("\"}");
}

int main(int argc, char **argv) {
  static struct contestant all[32];
  int count = 0, warmup = argc > 3 ? atoi(argv[1]) : 0, rounds = argc > 3 ? atoi(argv[2]) : 0;
  if (rounds < 1) fail("usage: whole-process WARMUP ROUNDS SECONDS (-- REQUESTS PROGRAM ARGUMENT...)...");
  signal(SIGPIPE, SIG_IGN);
  for (int i = 4; i + 2 < argc; i++) {
    if (!argv[i] || strcmp(argv[i], "--") != 0) continue;
    if (count == 32) fail("too many programs");
    argv[i] = NULL; /* ends the arguments of the program before */
    all[count].requests = read_parts(argv[i + 1]);
    all[count++].argv = argv + i + 2;
  }
  long end = now_ns() + atol(argv[3]) * 1000000000L;
  for (int round = -warmup; round < rounds && (round < FEWEST || now_ns() < end); round++)
    for (int i = 0; i < count; i++) run(&all[i], i, round);
  return 0;
}
