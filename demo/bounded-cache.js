// No leak. A cache grows until it is full; from then on the oldest entry leaves for each that comes.

import { KiB, MiB, serve, setting, steadily } from "./service.js";

const rate = setting("FILL_MIB_PER_MINUTE", 1);
const most = setting("CACHE_MIB", 48) * MiB;
const entry = 64 * KiB;
const cache = new Map();
let records = 0;

steadily(rate, entry, (bytes) => {
  cache.set(`record ${records++}`, Buffer.alloc(bytes, 1));
  if (cache.size * entry > most) cache.delete(cache.keys().next().value); // a Map remembers the order
});

serve({
  work: (count) => cache.get(`record ${count % records}`),
  retained: () => cache.size * entry,
});
