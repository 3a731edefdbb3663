/* procfloor: the least that a sampler of processes must do, in C: it reads and parses nothing.
 *
 *   procfloor PIDFILE
 *
 * Opens `status` and the folder `fd` of every process once, and then answers each line on standard input with a line:
 *
 *   sample      status by pread and the fd count by fstat of each process, and one listing of /proc:
 *               CPU time that it took, in nanoseconds
 *   spin MS     looks at the clock for MS milliseconds and does nothing else: the longest time between two looks, in
 *               nanoseconds, which is time that the machine gave to others
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct process {
  int status, fds;
};

static struct process *processes;
static int count;
static char buffer[1 << 16];

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_in_proc(int pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    perror(path);
    exit(1);
  }
  return fd;
}

static void open_all(const char *pidfile) {
  struct rlimit limit;
  if (!getrlimit(RLIMIT_NOFILE, &limit)) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  FILE *f = fopen(pidfile, "r");
  int pid, room = 0;
  if (f == 0) {
    perror(pidfile);
    exit(1);
  }
  while (fscanf(f, "%d", &pid) == 1) {
    if (count == room) processes = realloc(processes, (room = 2 * room + 64) * sizeof *processes);
    processes[count++] = (struct process){open_in_proc(pid, "status"), open_in_proc(pid, "fd")};
  }
  fclose(f);
}

static void list_proc(void) {
  int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0) {
  }
  close(fd);
}

static long long sample(void) {
  struct stat folder;
  long long start = now(CLOCK_PROCESS_CPUTIME_ID);
  list_proc();
  for (int i = 0; i < count; i++)
    if (pread(processes[i].status, buffer, sizeof buffer, 0) <= 0 || fstat(processes[i].fds, &folder)) {
      fprintf(stderr, "procfloor: a process has ended\n");
      exit(1);
    }
  return now(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static long long spin(long long nanoseconds) {
  long long start = now(CLOCK_MONOTONIC), last = start, longest = 0;
  while (last - start < nanoseconds) {
    long long next = now(CLOCK_MONOTONIC);
    if (next - last > longest) longest = next - last;
    last = next;
  }
  return longest;
}

int main(int argc, char **argv) {
  char line[64];
  double milliseconds;
  if (argc != 2) return fprintf(stderr, "usage: procfloor PIDFILE\n"), 2;
  open_all(argv[1]);
  while (fgets(line, sizeof line, stdin)) {
    if (!strcmp(line, "sample\n")) printf("%lld\n", sample());
    else if (sscanf(line, "spin %lf", &milliseconds) == 1) printf("%lld\n", spin((long long)(milliseconds * 1e6)));
    else return 2;
    fflush(stdout);
  }
  return 0;
}
