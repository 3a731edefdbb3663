// No leak. Tables are read after the start, fast at first and then slower; when all are there, nothing grows any more.

import { KiB, MiB, minutes, serve, setting } from "./service.js";

const whole = setting("WARM_UP_MIB", 64) * MiB;
const duration = minutes(setting("WARM_UP_MINUTES", 20));
const table = 256 * KiB;
const tables = [];
const started = performance.now();

const warmingUp = setInterval(() => {
  const progress = Math.min(1, (performance.now() - started) / duration);
  const wanted = whole * (1 - (1 - progress) ** 2);
  while ((tables.length + 1) * table <= wanted) tables.push(Buffer.alloc(table, 1));
  if (progress === 1) clearInterval(warmingUp);
}, 100);

serve({ retained: () => tables.length * table });
