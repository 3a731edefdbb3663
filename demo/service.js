// What all targets have in common: settings, a clock that may run fast, and a small HTTP server.

import http from "node:http";
import path from "node:path";

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** A positive number from the environment. */
export function setting(name, fallback) {
  const value = Number(process.env[name] || fallback);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`${name} must be a positive number, not "${process.env[name]}"`);
  process.exit(2);
}

/** An hour of real life takes an hour / DEMO_SPEED here. Rates rise and durations shrink by it, sizes stay. */
export const speed = setting("DEMO_SPEED", 1);

/** Minutes of real life, in milliseconds of this process. */
export const minutes = (count) => (count * 60_000) / speed;

/** Calls `take` with the bytes that have come due, in pieces of `piece` bytes, at `mibPerMinute` of real life. */
export function steadily(mibPerMinute, piece, take) {
  const bytesPerMs = (mibPerMinute * MiB) / minutes(1);
  let due = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    due += bytesPerMs * (now - last);
    last = now;
    for (; due >= piece; due -= piece) take(piece);
  }, 200);
}

/** About so many bytes on the JavaScript heap: an array of numbers has 8 bytes for each. */
export const heapBytes = (bytes) => new Array(bytes / 8).fill(0);

/** Serves /work, /metrics and /healthz. `retained` says how many bytes the service believes it holds. */
export function serve({ work = () => {}, retained }) {
  let requests = 0;
  const pages = {
    "/healthz": () => "ok\n",
    "/metrics": () => metrics(requests, retained()),
    "/work": () => {
      requests++;
      work(requests);
      return "done\n";
    },
  };
  const server = http.createServer((request, response) => {
    const page = pages[new URL(request.url, "http://localhost").pathname];
    response.writeHead(page ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
    response.end(page ? page() : "/work, /metrics and /healthz are here\n");
  });
  server.listen(setting("PORT", 8080), () => {
    console.log(
      `listening on port ${server.address().port}, ${speed === 1 ? "in real time" : `${speed} times faster`}`,
    );
  });
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0)); // as process 1 it must do so itself
}

/** By this name leakwatch knows the process, so that its own numbers can be laid beside leakwatch's. */
const app = path.basename(process.argv[1] ?? "");

// https://prometheus.io/docs/instrumenting/exposition_formats/
function metrics(requests, retained) {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const lines = [
    ["demo_requests_total", "counter", "Requests to /work.", requests],
    ["demo_retained_bytes", "gauge", "What the service believes it holds.", Math.round(retained)],
    ["demo_speed_ratio", "gauge", "How many times faster than life.", speed],
    ["nodejs_heap_size_total_bytes", "gauge", "Process heap size from Node.js in bytes.", heapTotal],
    ["nodejs_heap_size_used_bytes", "gauge", "Process heap size used from Node.js in bytes.", heapUsed],
    ["nodejs_external_memory_bytes", "gauge", "Node.js external memory size in bytes.", external],
  ];
  return lines
    .map(
      ([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}{app="${app}"} ${value}\n`,
    )
    .join("");
}
