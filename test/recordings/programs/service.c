// Memory as C programs have it.
//   service malloc BYTES         leaks so many bytes ten times a second
//   service shared BYTES         the same in shared memory
//   service fragments COUNT      replaces pieces of changing size: holes that do not fit, until they all have been made
//   service mapped FILE BYTES    reads a mapped file from its start to its end, ten times a second so many bytes

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static void rest(void) {
  struct timespec tenth = {0, 100000000};
  nanosleep(&tenth, NULL);
}

static void leak(size_t bytes) {
  for (;; rest()) memset(malloc(bytes), 1, bytes);
}

static void leak_shared(size_t bytes) {
  char *all = mmap(NULL, 1UL << 32, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (size_t used = 0; used + bytes < 1UL << 32; used += bytes, rest()) memset(all + used, 1, bytes);
}

static void fragment(size_t count) {
  char **pieces = calloc(count, sizeof *pieces);
  unsigned random = 1;
  size_t largest = 64;
  for (unsigned long turn = 0;; turn++, rest()) {
    for (int i = 0; i < 20; i++) {
      random = random * 1103515245u + 12345u;
      size_t at = (random >> 8) % count;
      size_t bytes = 32 + (random >> 4) % largest;
      free(pieces[at]);
      pieces[at] = memset(malloc(bytes), 1, bytes);
    }
    largest = 64 + turn % 4096;
  }
}

static void read_mapped(const char *name, size_t bytes) {
  int file = open(name, O_RDONLY);
  struct stat found;
  if (file < 0 || fstat(file, &found) != 0) exit(1);
  const volatile char *all = mmap(NULL, found.st_size, PROT_READ, MAP_SHARED, file, 0);
  unsigned long sum = 0;
  for (size_t at = 0;; rest())
    for (size_t end = at + bytes; at < end; at += 4096) sum += all[at % found.st_size];
}

int main(int count, char **words) {
  if (count < 3) return 2;
  size_t number = strtoul(words[count - 1], NULL, 10);
  if (strcmp(words[1], "malloc") == 0) leak(number);
  if (strcmp(words[1], "shared") == 0) leak_shared(number);
  if (strcmp(words[1], "fragments") == 0) fragment(number);
  if (strcmp(words[1], "mapped") == 0) read_mapped(words[2], number);
  return 2;
}
