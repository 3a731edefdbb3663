// Requests whose volume follows a day, compressed into minutes.
//   TARGETS=http://request-leak:8080/work,http://timings:8080/work DAY_MINUTES=24 PEAK_RPS=10 node load.js

import http from "node:http";
import { clock, shareOfPeak } from "./day-curve.js";

const targets = (process.env.TARGETS || "http://127.0.0.1:8080/work").split(",").map((text) => new URL(text.trim()));
const speed = positive("DEMO_SPEED", 1);
const dayMinutes = positive("DAY_MINUTES", 1440 / speed);
const peak = positive("PEAK_RPS", 10); // of each target
const startHour = positive("START_HOUR", 9);
const mostOpen = 50; // of each target: one that hangs must not fill this process

const agent = new http.Agent({ keepAlive: true, maxSockets: mostOpen });
const counts = targets.map(() => ({ done: 0, failed: 0, skipped: 0, open: 0 }));
const started = performance.now();
const hourNow = () => startHour + ((performance.now() - started) / 60_000 / dayMinutes) * 24;
let last = started;
let due = 0;

setInterval(() => {
  const now = performance.now();
  due += (peak * shareOfPeak(hourNow()) * (now - last)) / 1000;
  last = now;
  for (; due >= 1; due--) targets.forEach(send);
}, 50);

// over itself on a terminal, else a line now and then
const inPlace = process.stdout.isTTY;
setInterval(() => process.stdout.write(inPlace ? `\r\x1b[K${status()}` : `${status()}\n`), inPlace ? 500 : 10_000);
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    console.log(`${inPlace ? "\n" : ""}${status()}`);
    process.exit(0);
  });
}

function send(url, target) {
  const count = counts[target];
  if (count.open >= mostOpen) {
    count.skipped++;
    return;
  }
  count.open++;
  const finish = (outcome) => {
    count[outcome]++;
    count.open--;
  };
  const request = http.get(url, { agent, timeout: 5000 });
  let answered = false;
  request.once("response", (response) => {
    answered = true;
    response.resume();
    response.once("close", () => finish(response.complete && response.statusCode < 400 ? "done" : "failed"));
  });
  request.once("timeout", () => request.destroy(new Error("no answer in time")));
  request.once("error", () => {
    if (!answered) finish("failed"); // else the response says so
  });
}

function status() {
  const hour = hourNow();
  const rps = (peak * shareOfPeak(hour)).toFixed(1);
  const each = targets.map(({ hostname }, i) => {
    const { done, failed, skipped } = counts[i];
    return `${hostname} ${done} done${failed ? `, ${failed} failed` : ""}${skipped ? `, ${skipped} skipped` : ""}`;
  });
  return `day ${Math.floor(hour / 24) + 1} ${clock(hour)} | ${rps} of ${peak} requests/s each | ${each.join(" | ")}`;
}

function positive(name, fallback) {
  const value = Number(process.env[name] || fallback);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`${name} must be a positive number, not "${process.env[name]}"`);
  process.exit(2);
}
