// Settings that trade speed, which this program does not need, for memory, which a watcher of memory should not take. Its time
// goes into the kernel's reads: with 1,000 processes these settings change the CPU time per scrape by less than the noise,
// and save 40 MB of the exporter's memory. `npm run bench` measures both.

import v8 from "node:v8";

/** Read by glibc when a program starts: one heap for all threads. */
const allocatorSettings = { MALLOC_ARENA_MAX: "1" };

/** Commands that compute for a while and then end want the speed instead. */
export const isService =
  process.argv[2] === undefined || process.argv[2] === "serve" || process.argv[2].startsWith("--");

if (isService) {
  // The program starts itself anew in the same process, since the allocator cannot be told later.
  const unset = Object.entries(allocatorSettings).filter(([name]) => process.env[name] === undefined);
  if (unset.length > 0 && process.execve !== undefined) {
    const environment = { ...process.env, ...Object.fromEntries(unset) } as Record<string, string>;
    process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], environment);
  }
  // The young generation would grow to some 50 MB; what a pass leaves behind is little and short-lived.
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  v8.setFlagsFromString("--optimize-for-size");
  // Without the two middle compilers; the hot loops still reach the optimizing one.
  v8.setFlagsFromString("--no-sparkplug");
  v8.setFlagsFromString("--no-maglev");
  // Functions are compiled when they are first called, and not before.
  v8.setFlagsFromString("--max-lazy");
}
