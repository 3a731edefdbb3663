/* procfarm: starts N idle processes of a known shape.
 *
 *   procfarm --count N --pidfile FILE [--threads T] [--anon-mib M] [--fds F] [--vmas V] [--names K] [--seconds S]
 *
 * Every one of them
 *   - is started by exec, so it has an address space of its own and not a copy of its parent's;
 *   - carries one of K names: farm-web-00, farm-db-01, ...;
 *   - ends with its parent (PR_SET_PDEATHSIG), and in any case after S seconds (alarm).
 * When all are ready the parent writes their pids to FILE, a line each, prints "ready N", and stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* At most this many are still starting while the next one is made. */
#define STARTING 64

static int count = 100, threads = 4, anon_mib = 2, fds = 40, vmas = 60, names = 24, seconds = 300;
static const char *pidfile;
static pid_t *children;
static int started;

static void *sleep_for_ever(void *unused) {
  for (;;) pause();
  return unused;
}

static void open_files(void) {
  int null = open("/dev/null", O_RDONLY);
  for (int have = null + 1; have < fds && dup(null) >= 0; have++) {
  }
}

/* Alternating protections, so that the kernel does not merge the mappings into one. */
static void make_mappings(void) {
  for (int i = 0; i < vmas; i++) {
    int writable = i % 2 == 0;
    char *p = mmap(0, 8192, PROT_READ | (writable ? PROT_WRITE : 0), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED && writable) *p = 1;
  }
}

/* In small pages, as most programs have them. */
static void touch_memory(void) {
  size_t length = (size_t)anon_mib << 20;
  if (length == 0) return;
  char *p = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) _exit(1);
  madvise(p, length, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < length; i += 4096) p[i] = (char)i;
}

static void start_threads(void) {
  pthread_attr_t small;
  pthread_t thread;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (int i = 1; i < threads; i++)
    if (pthread_create(&thread, &small, sleep_for_ever, 0)) _exit(1);
}

static int be_child(const char *name, const char *shape) {
  int parent, ready;
  if (sscanf(shape, "%d,%d,%d,%d,%d,%d,%d", &parent, &ready, &threads, &anon_mib, &fds, &vmas, &seconds) != 7) return 2;
  prctl(PR_SET_NAME, name);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) return 1; /* it ended before the line above */
  alarm(seconds);
  open_files();
  make_mappings();
  touch_memory();
  start_threads();
  if (write(ready, "r", 1) != 1) return 1;
  close(ready);
  for (;;) pause();
}

static void stop_all(int signal) {
  (void)signal;
  for (int i = 0; i < started; i++) kill(children[i], SIGKILL);
  while (wait(0) > 0) {
  }
  _exit(0);
}

static void start_child(int index, int ready) {
  static const char *kinds[] = {"web", "db", "worker", "cache", "cron", "proxy"};
  char name[32], number[32], shape[160];
  int id = index % names;
  snprintf(name, sizeof name, "farm-%s-%02d", kinds[id % 6], id);
  snprintf(number, sizeof number, "--index=%d", index);
  snprintf(shape, sizeof shape, "PROCFARM_CHILD=%d,%d,%d,%d,%d,%d,%d", getpid(), ready, threads, anon_mib, fds, vmas,
           seconds);
  pid_t pid = fork();
  if (pid < 0) {
    perror("procfarm: fork");
    stop_all(0);
  }
  if (pid == 0) {
    char *arguments[] = {name, number, "--config=/etc/service.conf", 0};
    char *environment[] = {shape, 0};
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
  }
  children[started++] = pid;
}

/* Waits until no more than `still` of those that were started are not ready. False when they never will be. */
static int wait_ready(int fd, int *ready, int still) {
  while (started - *ready > still) {
    char bytes[STARTING];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    *ready += (int)n;
  }
  return 1;
}

static int write_pids(void) {
  FILE *f = fopen(pidfile, "w");
  if (f == 0) return 0;
  for (int i = 0; i < started; i++) fprintf(f, "%d\n", children[i]);
  return fclose(f) == 0;
}

static int set_option(const char *name, const char *value) {
  struct {
    const char *name;
    int *number;
  } numbers[] = {{"--count", &count}, {"--threads", &threads}, {"--anon-mib", &anon_mib}, {"--fds", &fds},
                 {"--vmas", &vmas},   {"--names", &names},     {"--seconds", &seconds}};
  if (!strcmp(name, "--pidfile")) {
    pidfile = value;
    return 1;
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (!strcmp(name, numbers[i].name)) {
      *numbers[i].number = atoi(value);
      return 1;
    }
  return 0;
}

int main(int argc, char **argv) {
  const char *shape = getenv("PROCFARM_CHILD");
  if (shape) return be_child(argv[0], shape);

  for (int i = 1; i < argc; i += 2)
    if (i + 1 >= argc || !set_option(argv[i], argv[i + 1])) {
      fprintf(stderr, "procfarm: what is %s?\n", argv[i]);
      return 2;
    }
  if (!pidfile || count < 1 || count > 20000 || seconds < 1 || seconds > 3600 || names < 1 || names > 100) {
    fprintf(stderr, "procfarm: needs --pidfile; count 1..20000, seconds 1..3600, names 1..100\n");
    return 2;
  }
  children = calloc(count, sizeof *children);
  int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};
  for (int i = 0; i < 4; i++) signal(handled[i], stop_all);
  alarm(seconds);

  int pipefd[2], ready = 0;
  if (children == 0 || pipe(pipefd)) return 1;
  fcntl(pipefd[0], F_SETFD, FD_CLOEXEC);
  for (int i = 0; i < count; i++) {
    start_child(i, pipefd[1]);
    if (!wait_ready(pipefd[0], &ready, STARTING)) break;
  }
  close(pipefd[1]);
  if (!wait_ready(pipefd[0], &ready, 0) || started < count || !write_pids()) {
    fprintf(stderr, "procfarm: only %d of %d processes became ready\n", ready, count);
    stop_all(0);
  }
  printf("ready %d\n", ready);
  fflush(stdout);
  for (;;) pause();
}
