// Takes memory, threads and descriptors, and keeps them:
//   node hog.ts [--hold=MiB] [--grow=MiB] [--most=MiB] [--after=SECONDS] [--threads=N] [--fds=N] [--group=NAME]
// `grow` is what it takes on top, ten times a second, until it is killed or has taken `most`; `after` is when it starts to.
// NAME is only there to be seen from outside.

import fs from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const mib = 1024 * 1024;
const { values } = parseArgs({
  options: {
    hold: { type: "string", default: "0" },
    grow: { type: "string", default: "0" },
    most: { type: "string", default: "Infinity" },
    after: { type: "string", default: "0" },
    threads: { type: "string", default: "0" },
    fds: { type: "string", default: "0" },
    group: { type: "string" },
  },
});

const held: unknown[] = [];
const take = (size: number) => held.push(Buffer.alloc(size * mib, 1)); // written to, or it would not be resident

take(Number(values.hold));
for (let i = 0; i < Number(values.fds); i++) held.push(fs.openSync("/dev/null", "r"));
await Promise.all(
  Array.from({ length: Number(values.threads) }, () => {
    const worker = new Worker("setInterval(() => {}, 3_600_000)", { eval: true });
    held.push(worker);
    return new Promise((online) => worker.once("online", online));
  }),
);
console.log("ready");
setTimeout(() => {
  let grown = 0;
  setInterval(() => {
    if (grown >= Number(values.most)) return;
    grown += Number(values.grow);
    take(Number(values.grow));
  }, 100);
}, Number(values.after) * 1000);
