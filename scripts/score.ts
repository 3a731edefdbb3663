// How well the judge tells leaks on made-up services that nothing was chosen by, and on recorded ones: docs/detection-scores.md.
//   node scripts/score.ts [FIRST_SEED [SEEDS [PER_FAMILY]]]      some minutes for each seed

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { judgeSettings } from "../detection/judge.ts";
import { type JudgedSample, newJudges, type ServiceJudge } from "../exporter/backtest/judged.ts";
import type { TraceReport } from "../exporter/backtest/report.ts";
import { type Score, score, seenSeconds, type TraceLabels } from "../exporter/backtest/score.ts";
import { judgeTrace } from "../exporter/backtest/trace-run.ts";
import type { Member, Trace } from "../exporter/backtest/traces.ts";
import { readRecordings } from "../test/recordings/recordings.ts";
import { sets } from "../test/traces/sets.ts";
import { makeTrace } from "../test/traces/trace.ts";

const [firstSeed = 9201, seeds = 3, perFamily = 4] = process.argv.slice(2).map(Number);
const newJudge = newJudges();

/** Half of them or more are never found. */
const hours = (delay: number) => (Number.isFinite(delay) ? `${delay.toFixed(1)} h` : "never");

/** What must be reached, as the page shows it. */
const goals: readonly (readonly [name: string, goal: string, of: (score: Score) => string])[] = [
  ["F1", "≥ .96", ({ f1 }) => f1.toFixed(3)],
  ["precision", "", ({ precision }) => precision.toFixed(3)],
  ["recall", "", ({ recall }) => recall.toFixed(3)],
  [
    "recall of the worst leak family",
    "≥ .60",
    ({ worstFamily }) => `${worstFamily.recall.toFixed(2)} (${worstFamily.family})`,
  ],
  ["false alerts per healthy process-week", "≤ .07", ({ falseAlerts }) => falseAlerts.all.toFixed(3)],
  ["… of severity critical", "≤ .01", ({ falseAlerts }) => falseAlerts.critical.toFixed(3)],
  ["first OOM warned 30 min ahead", "≥ 88 %", ({ warnedBeforeOom }) => `${(100 * warnedBeforeOom).toFixed(0)} %`],
  ["median delay, at least 1 MiB/min", "≤ 1.5 h", ({ delayHours }) => hours(delayHours.fast)],
  ["median delay, 5 to 60 MiB/h", "≤ 24 h", ({ delayHours }) => hours(delayHours.medium)],
  ["median delay, slower", "≤ 50 h", ({ delayHours }) => hours(delayHours.slow)],
  ["time to OOM, median error at 50 % of the way", "≤ .10", ({ timeToOomError }) => timeToOomError["50"].toFixed(3)],
  ["… at 75 %", "≤ .12", ({ timeToOomError }) => timeToOomError["75"].toFixed(3)],
  ["… at 90 %", "≤ .20", ({ timeToOomError }) => timeToOomError["90"].toFixed(3)],
];

/** An exporter that is restarted each day and has nowhere to keep what it knows. */
class Forgetful implements ServiceJudge {
  private judge = newJudge();
  private day = 0;

  add(slot: string, sample: JudgedSample): void {
    const day = Math.floor(sample.time / 86_400);
    if (day !== this.day) this.judge = newJudge();
    this.day = day;
    this.judge.add(slot, sample);
  }

  slotFinding(slot: string, time: number) {
    return this.judge.slotFinding(slot, time);
  }

  finding(time: number) {
    return this.judge.finding(time);
  }
}

const [like, other, wide] = [judged("like"), judged("other"), judged("wide")];
const made = { like: scoreOf([like]), other: scoreOf([other]), wide: scoreOf([wide]) };
const pooled = scoreOf([like, other]);
const forgetful = scoreOf([judged("like", () => new Forgetful())]);
const { called, leaks, alarmed, healthy, lines } = recorded(5760);
fs.writeFileSync(fileURLToPath(new URL("../docs/detection-scores.md", import.meta.url)), page());

interface Judged {
  readonly traces: TraceReport[];
  readonly seen: Map<string, number>;
  readonly labels: TraceLabels[];
}

/** Of one set, or of several together. */
function scoreOf(sets: readonly Judged[]): Score {
  const seen = new Map(sets.flatMap((set) => [...set.seen]));
  const labels = sets.flatMap((set) => set.labels);
  return score({ traces: sets.flatMap(({ traces }) => traces) }, seen, labels);
}

function judged(name: keyof typeof sets, judgeOf: () => ServiceJudge = newJudge): Judged {
  const traces: TraceReport[] = [];
  const seen = new Map<string, number>();
  const labels: TraceLabels[] = [];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    for (const family of sets[name]) {
      for (let index = 0; index < perFamily; index++) {
        const { label, limits, rows } = makeTrace(family, index, seed);
        const id = `${name} ${seed} ${label.id}`;
        const trace: Trace = {
          id,
          members: [...rows.values()].map((samples, slot): Member => {
            const of = (value: (sample: (typeof samples)[number]) => number) => Float64Array.from(samples, value);
            return {
              slot,
              times: of(({ time }) => time),
              resident: of(({ resident }) => resident),
              limit: of(() => limits.limit),
              startTime: of(({ startTime }) => startTime),
              ...(limits.heapLimit === undefined ? {} : { heapLimit: of(() => limits.heapLimit as number) }),
            };
          }),
        };
        traces.push(judgeTrace(trace, judgeOf(), true));
        seen.set(id, seenSeconds(trace));
        labels.push({ ...label, id });
      }
    }
    console.error(`${name}, seed ${seed}: ${traces.length} traces`);
  }
  return { traces, seen, labels };
}

/**
 * Recorded services with one life, as if their limit were so many seconds away at the pace that they have until minute 24: leaks that are
 * called by minute 30, and healthy ones that are called at all, as most that grow must be: a filling cache is the same curve.
 */
function recorded(left: number) {
  let [called, leaks, alarmed, healthy] = [0, 0, 0, 0];
  const lines: string[] = [];
  for (const { label, slots } of readRecordings()) {
    const [slot] = slots;
    if (slot === undefined || slots.length > 1 || new Set(slot.startTime).size > 1) continue;
    const start = slot.times[0] as number;
    const lowest = (from: number, to: number) =>
      Math.min(
        ...slot.unreclaimable.filter((_, i) => {
          const minute = ((slot.times[i] as number) - start) / 60;
          return minute >= from && minute <= to;
        }),
      );
    const level = lowest(22, 24);
    const pace = Math.max((level - lowest(5, 7)) / (17 * 60), 1e-5 * level);
    const limit = level + pace * left;
    const judge = newJudge();
    let first: number | undefined;
    for (const [i, time] of slot.times.entries()) {
      judge.add("0", { time, bytes: slot.unreclaimable[i] as number, limit, startTime: slot.startTime[i] as number });
      if (first === undefined && i % 12 === 0 && judge.slotFinding("0", time).severity > 0) first = (time - start) / 60;
    }
    if (label.label === "leak") leaks++;
    else healthy++;
    if (label.label === "leak" && first !== undefined && first <= 30) called++;
    if (label.label === "healthy" && first !== undefined) alarmed++;
    lines.push(`| ${label.id} | ${label.label} | ${first === undefined ? "" : `minute ${first.toFixed(0)}`} |`);
  }
  return { called, leaks, alarmed, healthy, lines };
}

function page(): string {
  const kinds = { "like and other": pooled, ...made };
  return `<!-- Written by scripts/score.ts. Do not edit. -->

# How the judge scores

On traces made by [test/traces](../test/traces/README.md) with seeds ${firstSeed} to ${firstSeed + seeds - 1}, which nothing was chosen by, ${perFamily} of each family: \`like\` are the
services of a published corpus, drawn anew; \`other\` behave in other ways, many of them made to be hard; \`wide\` have all sizes and speeds from minutes on.
The card of points has ${judgeSettings.card.tables.length} tables, fitted on other seeds. A leak is found when an alert of class leak starts at or after its onset; every such alert
on a healthy trace is false.

| | goal | ${Object.keys(kinds).join(" | ")} |
|---|---|${Object.keys(kinds)
    .map(() => "---|")
    .join("")}
| leaks, healthy | | ${Object.values(kinds)
    .map((one) => `${one.leaks}, ${one.healthy}`)
    .join(" | ")} |
${goals.map(([name, goal, of]) => `| ${name} | ${goal} | ${Object.values(kinds).map(of).join(" | ")} |`).join("\n")}

## Family by family

| Family | Found, or false | Median delay |
|---|---|---|
${Object.values(made)
  .flatMap(({ families }) => families)
  .map(({ family, label, traces, hit, medianDelayHours }) => {
    const delay = label === "leak" && medianDelayHours !== undefined ? `${medianDelayHours.toFixed(1)} h` : "";
    return `| ${family} (${label}) | ${hit} of ${traces} ${label === "leak" ? "found" : "false"} | ${delay} |`;
  })
  .join("\n")}

## Without a memory over restarts

What \`--storage.path\` is for: \`like\` again, by an exporter that is restarted each day and keeps nothing; with it nothing but the last two minutes is lost.

| | kept | lost each day |
|---|---|---|
${goals.map(([name, , of]) => `| ${name} | ${of(made.like)} | ${of(forgetful)} |`).join("\n")}

## Recorded services

[test/recordings](../test/recordings/README.md) has real programs of nine runtimes. Here those with one life, as if their limit were 96 minutes away at minute 24: ${called} of
${leaks} leaks are called by minute 30, and ${alarmed} of ${healthy} healthy services at all: caches that fill in a straight line for longer than that.

| Recording | | Called |
|---|---|---|
${lines.join("\n")}
`;
}
