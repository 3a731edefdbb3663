// A leak. A cache without a bound: what is put in is found again, and never thrown out.

import { heapBytes, KiB, serve, setting, steadily } from "./service.js";

const rate = setting("LEAK_MIB_PER_MINUTE", 0.5);
const entry = 16 * KiB;
const cache = new Map();

// a background task reads one more record, whether anybody asks for it or not
steadily(rate, entry, (bytes) => cache.set(`record ${cache.size}`, heapBytes(bytes)));

serve({
  work: (count) => cache.get(`record ${count % cache.size}`),
  retained: () => cache.size * entry,
});
