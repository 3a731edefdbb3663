// Scores the shipped rules on labelled traces, beside the rules that people use today, and writes docs/detection-scores.md:
//   node scripts/score-rules.ts FOLDER   (with labels.json in it or beside it)

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ruleGroups } from "../alerts/index.ts";
import type { RuleGroup } from "../alerts/rule.ts";
import { processMetrics } from "../catalog/metrics.ts";
import { builtinEngine } from "../exporter/backtest/builtin.ts";
import { type Score, score, type TraceLabels } from "../exporter/backtest/score.ts";
import { listTraces, readTrace } from "../exporter/backtest/traces.ts";

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

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/score-rules.ts FOLDER");
  process.exit(2);
}
const labelFile = [path.join(folder, "labels.json"), path.join(folder, "../labels.json")].find((f) => fs.existsSync(f));
const labels = (JSON.parse(fs.readFileSync(labelFile ?? "labels.json", "utf8")) as { traces: TraceLabels[] }).traces;
const traces = listTraces(folder).map(readTrace);

const scoreOf = (groups: RuleGroup[]): Score => {
  const run = builtinEngine(groups);
  return score({ step_seconds: 60, engine: "builtin", traces: traces.map(run) }, traces, labels);
};

const shipped = scoreOf(ruleGroups());
const others = peers.map(([name, expr, hold]) => [name, scoreOf(peerGroups(expr, hold))] as const);
const file = fileURLToPath(new URL("../docs/detection-scores.md", import.meta.url));
fs.writeFileSync(file, page(shipped, others));
console.log(`wrote ${file}`);

function page(ours: Score, theirs: readonly (readonly [string, Score])[]): string {
  return `<!-- Written by scripts/score-rules.ts. Do not edit. -->

# How the rules score

On ${ours.leaks + ours.healthy} labelled traces (${ours.leaks} leaks, ${ours.healthy} healthy), one sample a minute, by the builtin engine of
\`leakwatch backtest\`. A leak is found when an alert of class leak starts at or after its onset; every such alert on a
healthy trace is false. [detection.md](detection.md) explains the rules.

## Beside the rules that people use today

| Rule | Precision | Recall | F1 | Healthy traces hit | False alerts per healthy process-week |
|---|---|---|---|---|---|
${[["**leakwatch**", ours] as const, ...theirs].map(([name, s]) => row(name, s)).join("\n")}

## leakwatch against its goals

| Measure | Goal | Reached |
|---|---|---|
${goals(ours)
  .map(([measure, goal, reached, ok]) => `| ${measure} | ${goal} | ${ok ? reached : `**${reached}**`} |`)
  .join("\n")}

What misses its goal is bold.

## By family

| Family | Found, or false | Median delay |
|---|---|---|
${ours.families
  .map(({ family, label, hit, traces: count, medianDelayHours }) => {
    const delay = medianDelayHours === undefined ? "" : `${medianDelayHours.toFixed(1)} h`;
    return `| ${family} (${label}) | ${hit} of ${count} ${label === "leak" ? "found" : "false"} | ${delay} |`;
  })
  .join("\n")}
`;
}

function row(name: string, s: Score): string {
  const hit = s.families.filter(({ label }) => label === "healthy").reduce((sum, family) => sum + family.hit, 0);
  const numbers = [s.precision, s.recall, s.f1].map((x) => x.toFixed(2)).join(" | ");
  return `| ${name} | ${numbers} | ${hit} of ${s.healthy} | ${s.falseAlerts.all.toFixed(2)} |`;
}

function goals(s: Score): [measure: string, goal: string, reached: string, ok: boolean][] {
  const atLeast = (measure: string, goal: number, x: number): [string, string, string, boolean] => [
    measure,
    `≥ ${goal}`,
    x.toFixed(3),
    x >= goal,
  ];
  const atMost = (measure: string, goal: number, x: number, unit = ""): [string, string, string, boolean] => [
    measure,
    `≤ ${goal}${unit}`,
    `${x.toFixed(3)}${unit}`,
    x <= goal,
  ];
  return [
    atLeast("F1", 0.97, s.f1),
    atLeast("precision", 0.97, s.precision),
    atLeast("recall", 0.97, s.recall),
    atLeast("worst leak family", 0.85, s.worstFamily.recall),
    atMost("false alerts per healthy process-week", 0.05, s.falseAlerts.all),
    atMost("… of severity critical", 0.02, s.falseAlerts.critical),
    atLeast("first OOM warned 30 min ahead", 0.95, s.warnedBeforeOom),
    atMost("median delay, at least 1 MiB/min", 1, s.delayHours.fast, " h"),
    atMost("median delay, 5 to 60 MiB/h", 24, s.delayHours.medium, " h"),
    atMost("median delay, slower", 48, s.delayHours.slow, " h"),
    atMost("time to OOM, median error at 50 % of the way", 0.05, s.timeToOomError["50"]),
    atMost("… at 75 %", 0.07, s.timeToOomError["75"]),
    atMost("… at 90 %", 0.12, s.timeToOomError["90"]),
  ];
}
