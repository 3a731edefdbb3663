// The words of alerts: one plain sentence, then the numbers that a person wants at night, in units that a person reads.
// What a message shows first (verdict, growth, time left) are annotations of their own as well. Values that an alert's own
// expression does not have are asked for by a query in the template; what nobody knows is left out.
// https://prometheus.io/docs/prometheus/latest/configuration/template_reference/

import { links } from "../catalog/links.ts";
import { groupMetrics, processMetrics } from "../catalog/metrics.ts";
import { slotRecordings as slot } from "../catalog/recordings.ts";
import type { Verdict } from "../catalog/verdicts.ts";

type Annotations = { summary: string; description: string } & Record<string, string>;

const groupLabels = ["cluster", "namespace", "job", "instance", "group"];
const slotLabels = [...groupLabels, "slot"];

const value = (format: string) => `{{ . | first | value | ${format} }}`;
const bytes = `${value("humanize1024")}B`;
const count = value("humanize");
const percentage = value("humanizePercentage");

/** About one process that grows. `does` completes the sentence "api (slot 0) …". */
export function slotText(does: string, evidence: string, alert: string, verdict?: Verdict): Annotations {
  const perHour = `${slot.growth.name}{%s} * 3600`;
  const timeToOom = `${slot.timeToOom.name}{%s}`;
  return {
    ...processText(does, alert, [
      evidence,
      known(perHour, ` It grows ${bytes} per hour.`),
      known(`${slot.confidence.name}{%s}`, ` Confidence ${percentage}.`),
      memory,
      duration(timeToOom, (time) => ` At this pace it reaches the limit in ${time}.`),
    ]),
    ...(verdict === undefined ? {} : { verdict }),
    growth: about(slotLabels, known(perHour, `${bytes} per hour`)),
    time_left: about(slotLabels, duration(timeToOom)),
  };
}

/** About one process that is level: it has neither a pace nor a time left. */
export function levelText(does: string, evidence: string, alert: string, verdict: Verdict): Annotations {
  return { ...processText(does, alert, [evidence, memory]), verdict };
}

/** About descriptors or threads, which have a limit of their own. The alert's value is the time left in seconds. */
export function countText(
  does: string,
  are: string,
  series: { now: string; limit: string | number },
  alert: string,
): Annotations {
  const { now } = series;
  const limit = typeof series.limit === "number" ? series.limit : `${series.limit}{%[1]s}`;
  const growth = known(`(${limit} - ${now}{%[1]s}) / %[2]f * 3600`, `${count} per hour`, "$value");
  const timeLeft = duration("vector(%[2]f)", undefined, "$value");
  return {
    ...processText(does, alert, [
      known(`${now}{%s}`, `${count} ${are}.`),
      ` They grow by ${growth}; at this pace they reach the limit in ${timeLeft}.`,
    ]),
    growth: about(slotLabels, growth),
    time_left: about(slotLabels, timeLeft),
  };
}

/** About a group. */
export function groupText(does: string, evidence: string, alert: string, verdict?: Verdict): Annotations {
  return {
    summary: `{{ $labels.group }} ${does}.`,
    description: about(groupLabels, evidence + lastDay),
    ...(verdict === undefined ? {} : { verdict }),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("restarts", "7d", groupLabels),
  };
}

/** About a group whose lives grow to their end: the usual growth inside them, and how long one would last if it were left alone. */
export function maskedText(does: string, evidence: string, alert: string): Annotations {
  const usual = `quantile_over_time(0.5, ${slot.growth.name}{%[1]s}[1d])`;
  const room = `(${processMetrics.memoryLimit.name}{%[1]s} - min_over_time(${slot.floor.name}{%[1]s}[1d]))`;
  const perHour = `max(${usual}) * 3600`;
  const lifeLength = `min(${room} / (${usual} > 0))`;
  const facts = [
    known(perHour, ` Inside a life it grows ${bytes} per hour.`),
    duration(lifeLength, (time) => ` Without restarts a life would last ${time}.`),
  ];
  return {
    ...groupText(does, evidence + facts.join(""), alert, "masked_leak"),
    growth: about(groupLabels, known(perHour, `${bytes} per hour`)),
    time_left: about(
      groupLabels,
      duration(lifeLength, (time) => `${time} after each start`),
    ),
  };
}

/** About leakwatch itself. */
export function healthText(summary: string, description: string, alert: string): Annotations {
  return {
    summary,
    description,
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("exporter", "6h", groupLabels),
  };
}

function processText(does: string, alert: string, facts: readonly string[]): Annotations {
  return {
    summary: `{{ $labels.group }} (slot {{ $labels.slot }}) ${does}.`,
    description: about(slotLabels, facts.join("")),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("process", "24h", slotLabels),
  };
}

/** Makes `$s` in a template the matchers of the alert's own labels; one that it does not have is asked for as empty. */
function about(labels: readonly string[], text: string): string {
  const matchers = labels.map((label) => `${label}=%q`).join(",");
  return `{{ $s := printf \`${matchers}\` ${labels.map((label) => `$labels.${label}`).join(" ")} }}${text}`;
}

/** Text around a queried value, or nothing where the query has no result. `%s` in the query stands for the matchers. */
function known(query: string, text: string, ...more: readonly string[]): string {
  return `{{ with ${asked(query, more)} }}${text}{{ end }}`;
}

const asked = (query: string, more: readonly string[]) => `printf \`${query}\` ${["$s", ...more].join(" ")} | query`;

/** Seconds, in the unit that a person would choose. */
function duration(query: string, text: (time: string) => string = (time) => time, ...more: readonly string[]): string {
  const inDays = `{{ with ${asked(`${query} / 86400 > 2`, more)} }}${text(`${value('printf "%.1f"')} days`)}`;
  const inHours = `{{ with ${asked(`${query} / 3600 > 2`, more)} }}${text(`${value('printf "%.1f"')} hours`)}`;
  const inMinutes = `{{ with ${asked(`${query} / 60`, more)} }}${text(`${value('printf "%.0f"')} minutes`)}`;
  return `${inDays}{{ else }}${inHours}{{ else }}${inMinutes}{{ end }}{{ end }}{{ end }}`;
}

const memory =
  known(`${processMetrics.residentMemory.name}{%s}`, ` Memory ${bytes}`) +
  known(`${processMetrics.memoryLimit.name}{%s}`, ` of ${bytes}.`);

/** Not from the hourly series: what happened in the last minutes is in none of them yet. */
const lastDay = [
  known(
    `round(increase(${groupMetrics.livesEnded.name}{%s}[1d]))`,
    [
      ` Lives ended in the last day: ${count}`,
      known(`round(increase(${groupMetrics.livesEndedGrowing.name}{%s}[1d]))`, `, still growing: ${count}`),
      known(
        `sum(round(increase(${groupMetrics.restarts.name}{%s,reason=~"oom|suspected_oom"}[1d])))`,
        `, killed for lack of memory: ${count}`,
      ),
      ".",
    ].join(""),
  ),
  known(
    `${groupMetrics.lastEnd.name}{%s}`,
    ' Why the last one ended: {{ . | first | label "reason" }} ({{ . | first | label "evidence" }}).',
  ),
  known(`${groupMetrics.lastEndMemoryLimit.name}{%s}`, ` It ended at ${percentage} of its limit.`),
].join("");

function dashboard(uid: Parameters<typeof links.dashboard>[0], range: string, labels: readonly string[]): string {
  const variables = labels.map((label) => `{{ with $labels.${label} }}&var-${label}={{ . | urlquery }}{{ end }}`);
  return `${links.dashboard(uid)}?from=now-${range}&to=now${variables.join("")}`;
}
