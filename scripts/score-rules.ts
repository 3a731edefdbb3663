// Scores the shipped rules on labelled traces, beside the rules that people use today and beside themselves with other
// thresholds, and writes the tables of docs/detection.md and docs/detection-scores.md:
//   node scripts/score-rules.ts FOLDER [ALIKE [OTHER]]   (with labels.json in it or beside it; ALIKE are traces of the same kinds, and
//   OTHER of other kinds, that no choice was made on: test/traces/generate.ts makes both)

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ruleGroups } from "../alerts/index.ts";
import type { RuleGroup } from "../alerts/rule.ts";
import { type Detection, detection } from "../catalog/detection.ts";
import { processMetrics } from "../catalog/metrics.ts";
import { builtinEngine } from "../exporter/backtest/builtin.ts";
import { type Score, score, seenSeconds, type TraceLabels } from "../exporter/backtest/score.ts";
import { listTraces, readTrace, type Trace } from "../exporter/backtest/traces.ts";

const resident = processMetrics.residentMemory.name;
const limit = processMetrics.memoryLimit.name;
const megabytesPerMinute = (n: number) => `${n} * 1000000 / 60`;

/** Rules as they are copied from page to page. */
const peers: readonly (readonly [name: string, expr: string, hold: number])[] = [
  ["`deriv` over 5 min above 5 MB/min for 10 min", `deriv(${resident}[5m]) > ${megabytesPerMinute(5)}`, 600],
  ["`deriv` over 5 min above 1 MB/min for 10 min", `deriv(${resident}[5m]) > ${megabytesPerMinute(1)}`, 600],
  [
    "`rate` over 5 min above 5 MB/min for 10 min (the wrong function)",
    `rate(${resident}[5m]) > ${megabytesPerMinute(5)}`,
    600,
  ],
  ["`predict_linear` over 1 h, 4 h ahead", `predict_linear(${resident}[1h], 14400) > ${limit}`, 600],
  [
    "`predict_linear` over 6 h, 24 h ahead, above 60 % of the limit",
    `predict_linear(${resident}[6h], 86400) > ${limit} and ${resident} > 0.6 * ${limit}`,
    600,
  ],
  [
    "the day's average above 1.1 of yesterday's",
    `avg_over_time(${resident}[1d]) > 1.1 * avg_over_time(${resident}[1d] offset 1d)`,
    600,
  ],
  ["above 90 % of the limit", `${resident} > 0.9 * ${limit}`, 600],
];

const peerGroups = (expr: string, hold: number): RuleGroup[] => [
  {
    name: "peer",
    interval: 60,
    rules: [
      {
        alert: "Peer",
        expr,
        for: hold,
        labels: { severity: "warning", class: "leak" },
        annotations: { summary: "", description: "" },
      },
    ],
  },
];

/** The same rules with other thresholds for the first hours of a process, where precision is paid for with delay. */
const { urgent } = detection;
const withUrgent = (changes: Partial<Detection["urgent"]>): Detection => ({
  ...detection,
  urgent: { ...urgent, ...changes },
});
const beyondLimit = (share: number) => ({ fortyMinutes: { ...urgent.fortyMinutes, beyondLimit: share } });
const heldFor = (minutes: number) => ({ young: { ...urgent.young, for: 60 * minutes } });
const variants: readonly (readonly [name: string, windows: Detection])[] = [
  ["no exemption for young processes", withUrgent({ young: { ...urgent.young, maximumAge: 0 } })],
  ["a plateau twice as far beyond the limit", withUrgent(beyondLimit(2 * urgent.fortyMinutes.beyondLimit))],
  ["claims of young processes held for 20 min", withUrgent(heldFor(20))],
  ["**as shipped**", detection],
  ["… held for 12 min", withUrgent(heldFor(12))],
  ["… held for 10 min", withUrgent(heldFor(10))],
  ["… held for 6 min", withUrgent(heldFor(6))],
  ["a plateau half as far beyond the limit", withUrgent(beyondLimit(urgent.fortyMinutes.beyondLimit / 2))],
  ["… held for 6 min", withUrgent({ ...beyondLimit(urgent.fortyMinutes.beyondLimit / 2), ...heldFor(6) })],
  ["no test for a plateau", withUrgent(beyondLimit(0.001))],
  ["… held for 6 min", withUrgent({ ...beyondLimit(0.001), ...heldFor(6) })],
];

const [folder, alikeFolder, otherFolder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/score-rules.ts FOLDER [ALIKE [OTHER]]");
  process.exit(2);
}

interface Labelled {
  readonly traces: readonly Trace[];
  readonly labels: readonly TraceLabels[];
}

function read(from: string): Labelled {
  const candidates = [path.join(from, "labels.json"), path.join(from, "../labels.json")];
  const file = candidates.find((candidate) => fs.existsSync(candidate)) ?? candidates[0];
  const { traces: labels } = JSON.parse(fs.readFileSync(file as string, "utf8")) as { traces: TraceLabels[] };
  return { traces: listTraces(from).map(readTrace), labels };
}

function scoreOf(groups: RuleGroup[], { traces, labels }: Labelled): Score {
  const run = builtinEngine(groups);
  const seen = new Map(traces.map((trace) => [trace.id, seenSeconds(trace)]));
  return score({ traces: traces.map(run) }, seen, labels);
}

function tables(): string {
  return `On ${shipped.leaks + shipped.healthy} labelled traces (${shipped.leaks} leaks, ${shipped.healthy} healthy), one sample a minute, by the builtin engine of
\`leakwatch backtest\`. A leak is found when an alert of class leak starts at or after its onset; every such alert on a
healthy trace is false. [detection-scores.md](detection-scores.md) has the families.

### Beside the rules that people use today

| Rule | Precision | Recall | F1 | Healthy traces hit | False alerts per healthy process-week |
|---|---|---|---|---|---|
${[["**leakwatch**", shipped] as const, ...peerScores].map(([name, s]) => row(name, s)).join("\n")}

### Against the goals

The other columns are traces that no threshold was chosen by, made by [test/traces](../test/traces/README.md): "alike" are the same kinds of
services with other numbers (${alike === undefined ? "not measured" : `${alike.leaks + alike.healthy} traces`}), "others" are kinds that the first set does not have, many of them made to be hard
(${others === undefined ? "not measured" : `${others.leaks + others.healthy} traces`}). ${hardest(others)}

| Measure | Goal | Reached | Goal elsewhere | Alike | Others |
|---|---|---|---|---|---|
${goalTable()}

What misses its goal is bold.

### Precision against delay

The same rules with other thresholds, on the first traces. What finds fast leaks sooner also takes caches, warm-ups and batch
jobs of young processes for leaks.

| Thresholds | Precision | Recall | F1 | False alerts per healthy process-week | … critical | Median delay, at least 1 MiB/min |
|---|---|---|---|---|---|---|
${frontier.map(([name, s]) => frontierRow(name, s)).join("\n")}`;
}

function familyPage(): string {
  return `<!-- Written by scripts/score-rules.ts. Do not edit. -->

# How the rules score, family by family

[detection.md](detection.md) has the figures as a whole, and says what counts as found.

| Family | Found, or false | Median delay |
|---|---|---|
${shipped.families
  .map(({ family, label, hit, traces: count, medianDelayHours }) => {
    const delay = medianDelayHours === undefined ? "" : `${medianDelayHours.toFixed(1)} h`;
    return `| ${family} (${label}) | ${hit} of ${count} ${label === "leak" ? "found" : "false"} | ${delay} |`;
  })
  .join("\n")}
`;
}

/** The kinds of services that the rules are worst at. */
function hardest(s: Score | undefined): string {
  if (s === undefined) return "";
  const named = (label: "leak" | "healthy", isBad: (share: number) => boolean) =>
    s.families
      .filter((one) => one.label === label && isBad(one.hit / one.traces))
      .map(({ family, hit, traces }) => `${family} ${hit} of ${traces}`)
      .join(", ");
  return `Worst among the others, found: ${named("leak", (share) => share < 0.8) || "none below 0.8"}; false: ${named("healthy", (share) => share > 0.2) || "none above 0.2"}.`;
}

function row(name: string, s: Score): string {
  const hit = s.families.filter(({ label }) => label === "healthy").reduce((sum, family) => sum + family.hit, 0);
  const numbers = [s.precision, s.recall, s.f1].map((x) => x.toFixed(2)).join(" | ");
  return `| ${name} | ${numbers} | ${hit} of ${s.healthy} | ${s.falseAlerts.all.toFixed(2)} |`;
}

function frontierRow(name: string, s: Score): string {
  const numbers = [s.precision, s.recall, s.f1, s.falseAlerts.all, s.falseAlerts.critical].map((x) => x.toFixed(3));
  return `| ${[name, ...numbers, `${s.delayHours.fast.toFixed(2)} h`].join(" | ")} |`;
}

/** Goals of the two sets of traces, and what is measured against them. */
interface Goal {
  readonly measure: string;
  readonly least?: readonly [number, number];
  readonly most?: readonly [number, number];
  readonly unit?: string;
  readonly of: (score: Score) => number;
}

const restartLeaks = /^(cron_masked|oom_loop)/;
const healthyRestarts = /^(crash|cron|deploy)/;

const goals: readonly Goal[] = [
  { measure: "F1", least: [0.97, 0.95], of: (s) => s.f1 },
  { measure: "precision", least: [0.97, 0.94], of: (s) => s.precision },
  { measure: "recall", least: [0.97, 0.95], of: (s) => s.recall },
  { measure: "worst leak family", least: [0.85, 0.7], of: (s) => s.worstFamily.recall },
  { measure: "false alerts per healthy process-week", most: [0.05, 0.1], of: (s) => s.falseAlerts.all },
  { measure: "… of severity critical", most: [0.02, 0.03], of: (s) => s.falseAlerts.critical },
  { measure: "first OOM warned 30 min ahead", least: [0.95, 0.9], of: (s) => s.warnedBeforeOom },
  { measure: "median delay, at least 1 MiB/min", most: [1, 1.5], unit: " h", of: (s) => s.delayHours.fast },
  { measure: "median delay, 5 to 60 MiB/h", most: [24, 30], unit: " h", of: (s) => s.delayHours.medium },
  { measure: "median delay, slower", most: [48, 60], unit: " h", of: (s) => s.delayHours.slow },
  { measure: "leaks hidden by restarts that are found", least: [1, 0.9], of: (s) => hitShare(s, "leak", restartLeaks) },
  { measure: "healthy restarts called a leak", most: [0, 0], of: (s) => hitShare(s, "healthy", healthyRestarts) },
  { measure: "time to OOM, median error at 50 % of the way", most: [0.05, 0.1], of: (s) => s.timeToOomError["50"] },
  { measure: "… at 75 %", most: [0.07, 0.12], of: (s) => s.timeToOomError["75"] },
  { measure: "… at 90 %", most: [0.12, 0.2], of: (s) => s.timeToOomError["90"] },
];

function hitShare({ families }: Score, label: "leak" | "healthy", names: RegExp): number {
  const those = families.filter((family) => family.label === label && names.test(family.family));
  const sum = (of: "hit" | "traces") => those.reduce((total, family) => total + family[of], 0);
  return sum("hit") / sum("traces");
}

function goalTable(): string {
  return goals
    .map((goal) => {
      const cells = [...goalCells(goal, 0, shipped), ...goalCells(goal, 1, alike), goalCells(goal, 1, others)[1]];
      return `| ${[goal.measure, ...cells].join(" | ")} |`;
    })
    .join("\n");
}

function goalCells({ least, most, unit = "", of }: Goal, column: 0 | 1, s: Score | undefined): string[] {
  const wanted = least === undefined ? `≤ ${most?.[column]}${unit}` : `≥ ${least[column]}${unit}`;
  if (s === undefined) return [wanted, "not measured"];
  const reached = of(s);
  const isReached = least === undefined ? reached <= (most?.[column] ?? 0) : reached >= least[column];
  const text = `${reached.toFixed(3)}${unit}`;
  return [wanted, isReached ? text : `**${text}**`];
}

const corpus = read(folder);
const shipped = scoreOf(ruleGroups(), corpus);
const elsewhere = (from: string | undefined) => (from === undefined ? undefined : scoreOf(ruleGroups(), read(from)));
const [alike, others] = [elsewhere(alikeFolder), elsewhere(otherFolder)];
const peerScores = peers.map(([name, expr, hold]) => [name, scoreOf(peerGroups(expr, hold), corpus)] as const);
const frontier = variants.map(([name, windows]) => [name, scoreOf(ruleGroups(windows), corpus)] as const);
const docs = fileURLToPath(new URL("../docs", import.meta.url));
fs.writeFileSync(path.join(docs, "detection-scores.md"), familyPage());
const page = path.join(docs, "detection.md");
const marked = /(<!-- scores: [^>]*-->\n)[\s\S]*(\n<!-- end of scores -->)/;
fs.writeFileSync(
  page,
  fs.readFileSync(page, "utf8").replace(marked, (_, begin, end) => `${begin}\n${tables()}\n${end}`),
);
