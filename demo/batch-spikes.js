// No leak. A batch job takes much memory for a while, and gives all of it back.

import { MiB, minutes, serve, setting } from "./service.js";

const size = setting("BATCH_MIB", 64) * MiB;
const every = minutes(setting("BATCH_MINUTES", 30));
const busyPart = 0.25;
let batch;

function run() {
  batch = Buffer.alloc(size, 1);
  setTimeout(() => {
    batch.buffer.transfer(0); // frees the memory now, not when the garbage collector gets to it
    batch = undefined;
  }, every * busyPart);
}

setInterval(run, every);

serve({ retained: () => batch?.length ?? 0 });
