// A leak. Listeners that are added for every job and never removed: each keeps alive what its function can see.

import { EventEmitter } from "node:events";
import { heapBytes, KiB, serve, setting, steadily } from "./service.js";

const rate = setting("LEAK_MIB_PER_MINUTE", 0.5);
const jobSize = 64 * KiB;
const settingsChanged = new EventEmitter();
settingsChanged.setMaxListeners(0); // what people do to silence the warning that would have told them

steadily(rate, jobSize, (bytes) => {
  const job = heapBytes(bytes);
  settingsChanged.on("change", () => job.fill(1)); // the job is done, its listener stays
});

serve({ retained: () => settingsChanged.listenerCount("change") * jobSize });
