// How often detect is right: real programs, at the default time, all of them side by side, in some seven minutes. Every healthy program has a reason
// to be taken for a leak: a cache that fills for a while, garbage alone, a warm-up.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shortRun } from "../../detection/short-run.ts";
import { wordOf, wordText } from "../../exporter/detect/exit-code.ts";
import { type Outcome, observe } from "../../exporter/detect/observe.ts";
import { renderText } from "../../exporter/detect/report.ts";
import { systemClock } from "../../exporter/watch/boot-clock.ts";
import { ensurePrograms } from "../support/packages.ts";

const programs = fileURLToPath(new URL("../detect/programs", import.meta.url));
const classes = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-programs-"));

const runtimes = {
  node: [process.execPath, path.join(programs, "node.js")],
  python: ["python3", path.join(programs, "python.py")],
  java: ["java", "-Xmx256m", "-cp", classes, "Programs"],
} as const;

const healthy = {
  node: [
    "idle",
    "stateless",
    "bounded-cache",
    "slowly-filling-cache",
    "ttl-cache",
    "warm-up",
    "garbage",
    "buffer-churn",
    "batches",
    "workers-garbage",
  ],
  python: ["idle", "stateless", "bounded-cache", "lru-cache", "ttl-cache", "warm-up", "cycles", "mixed-sizes"],
  java: ["idle", "garbage", "bounded-cache", "ttl-cache", "warm-up", "strings"],
};

const leaking = {
  node: ["leak-map", "leak-listeners", "leak-buffers", "leak-slow", "leak-worker"],
  python: ["leak-list", "leak-sessions", "leak-slow"],
  java: ["leak-list", "leak-sessions", "leak-buffers"],
};

const listed = (lists: Record<string, readonly string[]>) =>
  Object.entries(lists).flatMap(([runtime, names]) => names.map((name) => `${runtime}: ${name}`));

const all = [...listed(healthy), ...listed(leaking)];

/** They start one after another: together they would all warm up for as long as they are watched. In milliseconds. */
const apart = 400;

const outcomes = new Map<string, Outcome>();

async function run(title: string, index: number): Promise<void> {
  await wait(index * apart);
  const [runtime, name] = title.split(": ") as [keyof typeof runtimes, string];
  const outcome = await observe(
    {
      target: { command: [...runtimes[runtime], name] as [string, ...string[]] },
      seconds: shortRun.seconds,
      load: undefined,
      limit: undefined,
      collect: true,
    },
    { clock: systemClock, interrupted: new AbortController().signal, progress: () => undefined },
  );
  outcomes.set(title, outcome);
}

beforeAll(
  async () => {
    ensurePrograms([
      { program: "python3", packages: ["python3"] },
      { program: "javac", packages: ["openjdk-17-jdk-headless", "default-jdk-headless"] },
    ]);
    execFileSync("javac", ["-d", classes, path.join(programs, "Programs.java")]);
    await Promise.all(all.map(run));
    const rows = all.map((title) => {
      const outcome = outcomes.get(title) as Outcome;
      return `${title.padEnd(30)} ${wordText(wordOf(outcome)).padEnd(14)} ${Math.round(outcome.took)} s`;
    });
    console.log(rows.join("\n"));
  },
  3 * shortRun.seconds * 1000,
);

afterAll(() => fs.rmSync(classes, { recursive: true }));

const answer = (title: string) => outcomes.get(title) as Outcome;

describe("is not called leaking:", () => {
  test.each(listed(healthy))("%s", (title) => {
    const outcome = answer(title);
    expect(wordOf(outcome), renderText(outcome, { colour: false })).not.toBe("leaking");
    expect(wordOf(outcome)).not.toBe("no_verdict");
  });
});

test("no more than one healthy program of ten is suspicious", () => {
  const suspicious = listed(healthy).filter((title) => wordOf(answer(title)) === "suspicious");
  expect(suspicious.length, suspicious.join(", ")).toBeLessThanOrEqual(Math.floor(listed(healthy).length / 10));
});

describe("is called leaking:", () => {
  test.each(listed(leaking))("%s", (title) => {
    const outcome = answer(title);
    expect(wordOf(outcome), renderText(outcome, { colour: false })).toBe("leaking");
  });
});
