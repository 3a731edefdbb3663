/* cpuclock PID...: CPU time of each process in nanoseconds, a line each: user and system, all threads, those that have
 * ended included. It comes from the per-process CPU clock: /proc/PID/stat counts in steps of 10 ms, which is too coarse. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(atoi(argv[i]), &clock) || clock_gettime(clock, &t)) return 1;
    printf("%lld\n", t.tv_sec * 1000000000LL + t.tv_nsec);
  }
  return 0;
}
