// Small real programs in Node.js, one for each way in which memory behaves: `node node.js NAME`. Each serves itself some requests per second
// over HTTP, as a load test would.

import { EventEmitter } from "node:events";
import http from "node:http";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const KiB = 1024;
let count = 0;
/** (A repeated string would only be a note to repeat one.) */
const record = (bytes) => ({
  id: ++count,
  name: `user ${count}`,
  body: Buffer.alloc(bytes, "x1y2z9").toString("latin1"),
});
const every = (milliseconds, work) => setInterval(work, milliseconds);

/** Answers `perSecond` requests, each of which does `work`. */
function serve(perSecond, work) {
  const server = http.createServer((_, response) => response.end(JSON.stringify(work() ?? {})));
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    every(1000 / perSecond, () =>
      http.get({ port, agent, host: "127.0.0.1" }, (answer) => answer.resume()).on("error", () => {}),
    );
  });
}

/** Keeps the entries that were used last. */
function lru(most) {
  const entries = new Map();
  return (key, value) => {
    entries.delete(key);
    entries.set(key, value);
    if (entries.size > most) entries.delete(entries.keys().next().value);
  };
}

const inWorker = (name) => new Worker(new URL(import.meta.url), { workerData: name });

const programs = {
  // healthy
  idle: () => http.createServer(() => {}).listen(0, "127.0.0.1"),
  stateless: () => serve(50, () => record(10 * KiB)),
  "bounded-cache": () => {
    const put = lru(800);
    serve(20, () => put(count, record(20 * KiB)));
  },
  "slowly-filling-cache": () => {
    const put = lru(2000);
    serve(20, () => put(count, record(10 * KiB)));
  },
  "ttl-cache": () => {
    const entries = new Map();
    serve(40, () => {
      const entry = record(10 * KiB);
      entries.set(entry.id, entry);
      setTimeout(() => entries.delete(entry.id), 20_000);
    });
  },
  "warm-up": () => {
    const loaded = [];
    const timer = every(100, () => (loaded.length < 600 ? loaded.push(record(100 * KiB)) : clearInterval(timer)));
    serve(20, () => record(10 * KiB));
  },
  garbage: () => {
    const kept = Array.from({ length: 2000 }, () => record(20 * KiB));
    serve(20, () => Array.from({ length: 200 }, (_, i) => ({ ...kept[i], parts: kept[i].body.split("9") })).length);
  },
  "buffer-churn": () => {
    const put = lru(50);
    serve(20, () => void put(++count, Buffer.alloc(100 * KiB, 1)));
  },
  batches: () => {
    let batch = [];
    every(500, () => {
      batch.push(record(900 * KiB));
      if (batch.length === 40) batch = [];
    });
  },
  "workers-garbage": () => {
    for (let worker = 0; worker < 2; worker++) inWorker("thread-garbage");
  },
  "thread-garbage": () => every(20, () => Array.from({ length: 100 }, () => record(4 * KiB)).length),
  // leaking
  "leak-map": () => {
    const sessions = new Map();
    serve(20, () => void sessions.set(++count, record(8 * KiB)));
  },
  "leak-listeners": () => {
    const bus = new EventEmitter().setMaxListeners(0);
    serve(20, () => {
      const request = record(4 * KiB);
      bus.on("news", () => request.id);
    });
  },
  "leak-buffers": () => {
    const kept = [];
    serve(20, () => void kept.push(Buffer.alloc(8 * KiB, 1)));
  },
  "leak-slow": () => {
    const kept = [];
    serve(20, () => {
      kept.push(record(1 * KiB));
      return record(40 * KiB);
    });
  },
  "leak-worker": () => inWorker("thread-leak"),
  "thread-leak": () => {
    const kept = [];
    every(50, () => kept.push(record(8 * KiB)));
  },
};

programs[isMainThread ? process.argv[2] : workerData]();
