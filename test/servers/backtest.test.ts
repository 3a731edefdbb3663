// Our evaluation of PromQL and of rules against a real Prometheus: the same numbers, the same alerts, the same history.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { BlockWriter } from "../../exporter/backtest/blocks.ts";
import { builtinEngine } from "../../exporter/backtest/builtin.ts";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import { prometheusEngine } from "../../exporter/backtest/prometheus.ts";
import type { TraceReport } from "../../exporter/backtest/report.ts";
import type { Trace } from "../../exporter/backtest/traces.ts";
import { median } from "../../exporter/memory/statistics.ts";
import { sampleValue } from "../../exporter/prometheus/api.ts";
import { PrometheusServer } from "../../exporter/prometheus/server.ts";
import { Workspace } from "../../exporter/prometheus/workspace.ts";
import { evaluate, type Source } from "../../exporter/promql/evaluate.ts";
import { parsePromql } from "../../exporter/promql/parse.ts";
import type { LabelSet, Samples } from "../../exporter/promql/series.ts";
import { stop, temporaryFolder } from "../support/exporter-process.ts";
import { randomNumbers } from "../support/memory-curves.ts";
import { tracesOfAllKinds, writeTraces } from "../support/memory-traces.ts";

const minute = 60;
const hour = 60 * minute;
const week = 7 * 24 * hour;

const main = fileURLToPath(new URL("../../exporter/main.ts", import.meta.url));

/** A Prometheus with these series in its database, for all tests of a block. */
function prometheusWith(series: () => readonly Samples[]) {
  const running = {} as { workspace: Workspace; server: PrometheusServer };
  beforeAll(async () => {
    running.workspace = new Workspace();
    const data = running.workspace.path("data");
    const blocks = new BlockWriter(running.workspace, data);
    for (const samples of series()) await blocks.add(samples);
    await blocks.end();
    running.server = await PrometheusServer.start(running.workspace, data);
  });
  afterAll(() => running.workspace?.close());
  return running;
}

// We do as Prometheus 3 does. What 2 does differently is not compared: it takes in the sample at the far end of a window, so
// samples lie 7 s and evaluations 30 s off the minute; and it extrapolates counters near 0 in another way.
describe("PromQL", () => {
  const begin = 2000 * week;
  const times = Float64Array.from({ length: 60 }, (_, i) => begin + 3 * hour + i * 5 * minute + 30);

  /** Six hours of a walk by the minute, with holes longer and shorter than the lookback, and resets in it. */
  function walk(labels: LabelSet, seed: number): Samples {
    const random = randomNumbers(seed);
    const samples: [number, number][] = [];
    let value = 100 * random();
    for (let i = 0; i < 8 * 60; i++) {
      value = random() < 0.02 ? 10 * random() : value + 10 * random() - 3;
      if (random() < 0.02) i += Math.floor(20 * random());
      samples.push([begin + i * minute + 7, Math.round(value * 1000) / 1000]);
    }
    return { labels, times: samples.map(([t]) => t), values: samples.map(([, v]) => v) };
  }

  const series = [
    ...["1", "2", "3"].map((x) => walk({ __name__: "a", x, y: x === "3" ? "q" : "p" }, Number(x))),
    walk({ __name__: "b", x: "1", y: "p" }, 4),
    walk({ __name__: "b", x: "2", y: "p" }, 5),
    walk({ __name__: "c", y: "p", z: "r" }, 6),
    walk({ __name__: "c", y: "q", z: 's"\\' }, 7),
    walk({ __name__: "d", x: "1", y: "p", z: "r" }, 8),
  ];
  const source: Source = { series: (name) => series.filter(({ labels }) => labels["__name__"] === name) };
  const running = prometheusWith(() => series);

  type Table = Record<string, (number | undefined)[]>;
  const keyOf = (labels: LabelSet) => JSON.stringify(Object.entries(labels).sort());

  async function theirs(expr: string): Promise<Table> {
    const [first, last] = [times[0] as number, times[times.length - 1] as number];
    const results = await running.server.api.range(expr, first, last, 5 * minute);
    return Object.fromEntries(
      results.map(({ metric, values }) => {
        const known = new Map(values.map(([t, text]) => [t, sampleValue(text)]));
        return [keyOf(metric), Array.from(times, (t) => known.get(t))];
      }),
    );
  }

  function ours(expr: string): Table {
    const columns = evaluate(parsePromql(expr), source, times).filter(({ values }) => !values.every(Number.isNaN));
    return Object.fromEntries(
      columns.map(({ labels, values }) => [
        keyOf(labels),
        Array.from(values, (value) => (Number.isNaN(value) ? undefined : value)),
      ]),
    );
  }

  test.each([
    ...["a", "a offset 17m", "a offset -3m", 'a{x=~"1|2"}', 'a{x!="1"}', 'a{y!~"q.*"}', 'c{z="s\\"\\\\"}', "missing"],
    ...["min", "max", "sum", "avg", "count", "last", "present"].map((name) => `${name}_over_time(a[17m])`),
    ...[
      "changes(a[1h])",
      "deriv(a[23m])",
      "predict_linear(a[1h], 3600)",
      "rate((a + 1000)[13m:1m])",
      "max_over_time(a[40s])",
    ],
    ...[
      "min_over_time(a[1h:10m])",
      "count_over_time((a > 50)[2h:7m])",
      "max_over_time(sum by (y) (a)[1h:5m] offset 20m)",
    ],
    ...["avg_over_time(min_over_time(a[10m])[1h:15m])", "sum_over_time(last_over_time(a[10m] offset 30m)[2h:1h])"],
    ...[
      "a + b",
      "a - on (x, y) b",
      "a * ignoring (z) d",
      "b / a",
      "a % 7",
      "abs(a) ^ 0.5",
      "2 ^ 3 ^ 2 + 0 * a",
      "-a ^ 2",
    ],
    ...[
      "a / 0",
      "-1 - a * 2 + 3",
      "a * on (y) group_left c",
      "a * on (y) group_left (z) c",
      "c - on (y) group_right (z) a",
    ],
    ...["a > 50", "50 < a", "a > bool 50", "a > b", "a >= on (x) b", "a <= ignoring (z) d", "a == a", "a != bool b"],
    ...["a > 20 < 80", "a > 20 and a < 80", "a and on (x) d", "a unless on (x) b", "a or c", "(a > 50) or (a * 0 - 1)"],
    ...["a and ignoring (x) c", "a or on (y) c", "d or on (x) a", "a unless d", "a and on () d > 30"],
    ...["sum(a)", "sum by (y) (a)", "min without (x) (a)", "max by (x, y) (b)", "avg(a)", "count by (y) (a > 40)"],
    ...["group(a)", "sum by (nothing) (a)", "count(a) > bool 2"],
    ...["time() - a", "time()", "vector(7)", "clamp_min(a, 40)", "clamp_max(a, 10 * 6)", "floor(a)", "ceil(a / 3)"],
    ...["sgn(a - 50)", "abs(a - 50)", "sqrt(abs(a))"],
    ...[`label_replace(a, "w", "$1-$2", "y", "(.)(.*)")`, `label_replace(a, "y", "", "x", "1")`],
    ...[`label_replace(0 * a + 3, "verdict", "stable", "", "")`],
  ])("%s", async (expr) => {
    const [expected, found] = [await theirs(expr), ours(expr)];
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, values] of Object.entries(expected)) {
      for (const [i, value] of values.entries()) {
        const own = found[key]?.[i];
        const where = `${key} at ${times[i]}`;
        if (value === undefined || own === undefined) expect(own, where).toBe(value);
        // sums are not made in the same order
        else if (own !== value) expect(Math.abs(own - value), where).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)));
      }
    }
  });

  test.each([
    ["several on the left", "a + on (y) c"],
    ["several on the right", "c + on (y) a"],
    ["several on the one side of many", "c * on (y) group_left b"],
    ["the same labels in the end", 'label_replace(a, "x", "0", "", "")'],
  ])("both refuse %s", async (_, expr) => {
    await expect(theirs(expr)).rejects.toThrow(/many-to-many|many-to-one|same labelset|duplicate/);
    expect(() => ours(expr)).toThrow("several elements have the labels");
  });
});

describe("the two engines", () => {
  const traces = tracesOfAllKinds();
  const fast = traces.find(({ id }) => id === "fast-leak") as Trace;
  const later: Trace = { id: "fast-leak-today", members: fast.members.map((member) => moved(member, 2900 * week)) };
  const builtin = new Map<string, TraceReport>();
  const prometheus = new Map<string, TraceReport>();

  beforeAll(async () => {
    const run = builtinEngine(ruleGroups());
    for (const trace of traces) builtin.set(trace.id, run(trace));
    const empty: Trace = { id: "empty", members: [] };
    const reports = await prometheusEngine(ruleGroups(), [...traces, later, empty], () => () => {});
    for (const report of reports) prometheus.set(report.id, report);
  });

  /** When each alert first fires, by name, severity and slot. */
  function firsts({ episodes }: TraceReport): Map<string, number> {
    const first = new Map<string, number>();
    for (const { alert, severity, slot, start } of episodes) {
      const key = `${alert} ${severity} ${slot}`;
      first.set(key, Math.min(start, first.get(key) ?? Number.POSITIVE_INFINITY));
    }
    return first;
  }

  const both = (id: string) => [builtin.get(id), prometheus.get(id)] as [TraceReport, TraceReport];

  test.each(traces.map(({ id }) => id))("give the same alerts on %s, first within ten minutes of each other", (id) => {
    const [one, other] = both(id).map(firsts) as [Map<string, number>, Map<string, number>];
    expect([...other.keys()].sort()).toEqual([...one.keys()].sort());
    for (const [alert, start] of one) {
      expect(Math.abs((other.get(alert) as number) - start), alert).toBeLessThanOrEqual(10 * minute);
    }
  });

  test("the traces are of all kinds: some alert, some do not", () => {
    const named = [...builtin.values()].filter(({ episodes }) => episodes.some((one) => one.class === "leak"));
    expect(named.map(({ id }) => id)).toEqual([
      "steady-leak",
      "fast-leak",
      "oom-loop",
      "cron-masked",
      "rising-lows",
      "workers",
    ]);
    expect(named.at(-1)?.episodes.every(({ slot }) => slot === "2")).toBe(true);
  });

  test("estimate the same time to OOM: the median error is under 5 %, and 99 of 100 times are known to both", () => {
    const errors: number[] = [];
    let known = 0;
    for (const id of builtin.keys()) {
      const [one, other] = both(id);
      const estimates = new Map(other.time_to_oom);
      known += one.time_to_oom.length;
      for (const [t, seconds] of one.time_to_oom) {
        const estimate = estimates.get(t);
        if (estimate !== undefined) errors.push(Math.abs(estimate - seconds) / Math.max(seconds, minute));
      }
    }
    expect(known).toBeGreaterThan(10_000);
    expect(errors.length).toBeGreaterThan(0.99 * known);
    expect(median(errors)).toBeLessThan(0.05);
  });

  test("a trace of another time gives the same, at its own time", () => {
    const [here, then] = [prometheus.get("fast-leak"), prometheus.get("fast-leak-today")];
    expect(here?.episodes.length).toBeGreaterThan(0);
    expect(then?.episodes).toEqual(here?.episodes.map((one) => moved(one, 2900 * week)));
  });

  test("a trace without samples has a report, without anything in it", () => {
    expect(prometheus.get("empty")).toEqual({ id: "empty", episodes: [], time_to_oom: [] });
  });
});

describe("leakwatch backtest --engine prometheus", () => {
  /** `scratch` is where its temporary files are. */
  function start(scratch: string, ...args: string[]) {
    const child = spawn(process.execPath, [main, "backtest", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: scratch },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    return { child, output: () => output };
  }

  test("says which engine it was, and leaves nothing behind", async () => {
    const [folder, scratch] = [temporaryFolder(), temporaryFolder()];
    const file = path.join(temporaryFolder(), "result.json");
    writeTraces(
      folder,
      tracesOfAllKinds().filter(({ id }) => id === "fast-leak"),
    );
    const { child, output } = start(scratch, `--traces=${folder}`, "--engine=prometheus", `--json=${file}`);
    const [code] = await once(child, "close");
    expect(code, output()).toBe(0);
    const { step_seconds, engine, traces } = JSON.parse(fs.readFileSync(file, "utf8"));
    expect({ step_seconds, engine }).toEqual({ step_seconds: 60, engine: "prometheus" });
    expect(traces[0].episodes[0]).toMatchObject({
      alert: "LeakwatchMemoryLeakUrgent",
      severity: "warning",
      slot: "0",
    });
    expect(fs.readdirSync(scratch)).toEqual([]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends its server and removes its folder", async (signal, code) => {
    const [folder, scratch] = [temporaryFolder(), temporaryFolder()];
    writeTraces(folder, tracesOfAllKinds());
    const { child, output } = start(scratch, `--traces=${folder}`, "--engine=prometheus");
    const server = await serverOf(child, output);
    expect(fs.readdirSync(scratch)).not.toEqual([]);
    child.kill(signal);
    expect((await once(child, "close"))[0], output()).toBe(code);
    expect(fs.readdirSync(scratch)).toEqual([]);
    expect(fs.existsSync(`/proc/${server}`) && fs.readFileSync(`/proc/${server}/cmdline`, "utf8")).not.toMatch(
      /^prometheus/,
    );
  });

  /** The pid of the server that a backtest runs, as soon as there is one. */
  async function serverOf(child: ChildProcess, output: () => string): Promise<number> {
    for (let i = 0; i < 600 && child.exitCode === null; i++) {
      const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
      for (const pid of children.filter((text) => text !== "")) {
        if (commandOf(pid).startsWith("prometheus\0")) return Number(pid);
      }
      await wait(20);
    }
    await stop(child);
    throw new Error(`no server was started: ${output()}`);
  }

  function commandOf(pid: string): string {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return ""; // it has ended
    }
  }
});

describe("leakwatch backtest --prometheus-url", () => {
  const kinds = tracesOfAllKinds().filter(({ id }) => ["fast-leak", "oom-loop", "daily-load"].includes(id));
  // ends a little before now; whole weeks would do too, but must lie in the past
  const shift = Math.floor(Date.now() / 1000 / week) * week - week;
  const running = prometheusWith(() =>
    kinds.flatMap((trace) =>
      [...exposedSeries({ ...trace, members: trace.members.map((member) => moved(member, shift)) })].flatMap(
        ([, series]) => series,
      ),
    ),
  );

  test("finds in a server's history what it finds in the files", async () => {
    const { url } = running.server.api;
    const child = spawn(process.execPath, [main, "backtest", `--prometheus-url=${url}`, "--since=15d", "--json=-"]);
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    const [code] = await once(child, "close");
    expect(code, errors).toBe(0);
    const report = JSON.parse(output);
    expect(report).toMatchObject({ processes: 3, named: 2, engine: "builtin" });
    const run = builtinEngine(ruleGroups());
    for (const trace of kinds) {
      const found = report.traces.find(({ id }: TraceReport) => id === trace.id);
      // the history goes on after the trace, so what still fired at its end has an end here
      const starts = (episodes: TraceReport["episodes"]) =>
        episodes.map(({ alert, severity, slot, start: at }) => `${alert} ${severity} ${slot} ${at}`);
      expect(starts(found.episodes), trace.id).toEqual(
        starts(run(trace).episodes.map((episode) => moved(episode, shift))),
      );
    }
  });
});

/** The same at another time. */
function moved<T extends object>(one: T, seconds: number): T {
  const shift = (value: unknown) =>
    value instanceof Float64Array ? value.map((t) => t + seconds) : typeof value === "number" ? value + seconds : value;
  const clocks = ["times", "startTime", "start", "end"];
  return Object.fromEntries(
    Object.entries(one).map(([key, value]) => [key, clocks.includes(key) ? shift(value) : value]),
  ) as T;
}
