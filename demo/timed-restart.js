// A leak that a timed restart hides: it ends by itself long before the limit, and its restart policy starts it again.
// On a chart of a week, memory looks level.

import { heapBytes, KiB, minutes, serve, setting, steadily } from "./service.js";

const rate = setting("LEAK_MIB_PER_MINUTE", 0.5);
const restartEvery = setting("RESTART_MINUTES", 120);
const entry = 16 * KiB;
const results = [];

steadily(rate, entry, (bytes) => results.push(heapBytes(bytes)));

setTimeout(() => {
  console.log(`ends after ${restartEvery} minutes, as the schedule says`);
  process.exit(0);
}, minutes(restartEvery));

serve({ retained: () => results.length * entry });
