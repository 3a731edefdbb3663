// A leak outside the JavaScript heap. Buffers are memory of the process, so heap charts and heap snapshots stay flat.

import { KiB, serve, setting, steadily } from "./service.js";

const rate = setting("LEAK_MIB_PER_MINUTE", 0.5);
const chunk = 256 * KiB;
const uploads = [];

steadily(rate, chunk, (bytes) => uploads.push(Buffer.alloc(bytes, 1))); // written to, else it would not be resident

serve({ retained: () => uploads.length * chunk });
