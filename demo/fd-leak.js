// A leak of file descriptors. Memory stays as it is; one day nothing can be opened any more, and the service ends.

import fs from "node:fs";
import { minutes, serve, setting } from "./service.js";

const perMinute = setting("LEAK_FDS_PER_MINUTE", 2);
const opened = [];

setInterval(() => {
  try {
    opened.push(fs.openSync("/dev/null"));
  } catch (error) {
    console.error(`after ${opened.length} files: ${error.message}`); // EMFILE: too many open files
    process.exit(1);
  }
}, minutes(1) / perMinute);

serve({ retained: () => opened.length * 256 }); // about what the kernel takes for each
