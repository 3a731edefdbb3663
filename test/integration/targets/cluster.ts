// A server with workers that are replaced when they end:
//   node cluster.ts [--workers=N] [--grow=MiB] [--group=NAME]
// `grow` is what each worker takes, ten times a second, until it is killed.

import cluster from "node:cluster";
import { once } from "node:events";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "2" },
    grow: { type: "string", default: "0" },
    group: { type: "string" },
  },
});

if (cluster.isPrimary) {
  cluster.on("exit", () => cluster.fork());
  for (let i = 0; i < Number(values.workers); i++) await once(cluster.fork(), "online");
  console.log("ready");
} else {
  const held: unknown[] = [];
  setInterval(() => held.push(Buffer.alloc(Number(values.grow) * 1024 * 1024, 1)), 100);
}
