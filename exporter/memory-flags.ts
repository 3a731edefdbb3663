// V8 flags that trade speed, which this program does not need, for memory, which a watcher of memory should not take.
// Its time goes into the kernel's reads: with 1,000 processes these flags change the CPU time per scrape by less than the
// noise, and save 40 MB of the exporter's memory. `npm run bench` measures both.

import v8 from "node:v8";

/** Commands that compute for a while and then end want the speed instead. */
const isService = process.argv[2] !== "backtest";

if (isService) {
  // The young generation would grow to some 50 MB; what a pass leaves behind is little and short-lived.
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  v8.setFlagsFromString("--optimize-for-size");
  // Without the two middle compilers; the hot loops still reach the optimizing one.
  v8.setFlagsFromString("--no-sparkplug");
  v8.setFlagsFromString("--no-maglev");
  // Functions are compiled when they are first called, and not before.
  v8.setFlagsFromString("--max-lazy");
}
