// A leak so fast that the kernel kills the process at its memory limit, again and again. Run it under a limit.

import { KiB, serve, setting, steadily } from "./service.js";

const rate = setting("LEAK_MIB_PER_MINUTE", 4);
const chunk = 256 * KiB;
const pictures = [];

steadily(rate, chunk, (bytes) => pictures.push(Buffer.alloc(bytes, 1)));

serve({ retained: () => pictures.length * chunk });
