// A leak that only requests feed: it stands still at night, and grows by day.

import { heapBytes, KiB, serve, setting, speed } from "./service.js";

// a day's requests are not multiplied when the day is compressed, so each keeps as much more
const perRequest = Math.round(setting("LEAK_KIB_PER_REQUEST", 1) * speed) * KiB;
const sessions = new Map();

serve({
  work: (count) => sessions.set(`session ${count}`, heapBytes(perRequest)), // every client is taken for a new one
  retained: () => sessions.size * perRequest,
});
