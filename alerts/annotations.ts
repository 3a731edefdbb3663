// The words of alerts: one plain sentence, then the numbers that a person wants at night, in units that a person reads.
// What a message shows first (verdict, growth, time left) are annotations of their own as well. Values that an alert's own
// expression does not have are asked for by a query in the template; what nobody knows is left out.
// https://prometheus.io/docs/prometheus/latest/configuration/template_reference/

import { cgroupLabels, exporterLabels, groupLabels, slotLabels } from "../catalog/labels.ts";
import { evidenceWords, reasonWords } from "../catalog/last-exit.ts";
import { links } from "../catalog/links.ts";
import {
  cgroupMetrics,
  groupMetrics,
  judgeMetrics as judged,
  outsideMetrics,
  processMetrics,
} from "../catalog/metrics.ts";
import type { Verdict } from "../catalog/verdicts.ts";

type Annotations = { summary: string; description: string } & Record<string, string>;

const value = (format: string) => `{{ . | value | ${format} }}`;
const bytes = `${value("humanize1024")}B`;
const count = value("humanize");
const percentage = value("humanizePercentage");
/** In two units at the most: 53s, 55m, 3h 20m, 4d 21h. */
const rounded = `humanizeDuration | reReplaceAll " [0-9]+s$|[.][0-9]+" "" | reReplaceAll "(d [0-9]+h) .*" "$1"`;
const time = value(rounded);

/**
 * About one process that grows. `what` completes the title. The alert's own value is the time left or the growth per hour: each query
 * of a text is asked for each alert at each evaluation, and costs as much as a rule for ten processes.
 */
export function slotText(
  what: string,
  evidence: string,
  alert: string,
  { value: own, verdict }: { value: "time left" | "growth" | undefined; verdict?: Verdict },
): Annotations {
  const left = (before: string) => `{{ if lt $value 1e12 }}${before}{{ $value | ${rounded} }}{{ end }}`;
  const growth = "{{ $value | humanize1024 }}B per hour";
  const facts = own === "growth" ? ` It grows by ${growth}.` : leakNumbers;
  return {
    ...processText(own === "time left" ? what + left(", OOM in about ") : what, alert, evidence + facts + firstSteps),
    ...(verdict === undefined ? {} : { verdict }),
    ...(own === "growth" ? { growth } : {}),
    ...(own === "time left" ? { time_left: left("") } : {}),
  };
}

/** What helps at night, before the cause is known. */
const firstSteps =
  " First: roll back the last deploy, or restart it before the limit is reached; take a heap snapshot if there is time.";

/** About memory of a cgroup that belongs to none of its processes. */
export function cgroupText(what: string, evidence: string, first: string, alert: string): Annotations {
  const facts = [
    known(`${cgroupMetrics.outside.name}{%[1]s}`, ` Outside its processes: ${bytes}.`),
    known(`${outsideMetrics.timeToOom.name}{%[1]s}`, ` At this pace the limit is reached in about ${time}.`),
  ];
  return {
    summary: titled("{{ $labels.cgroup }} on {{ $labels.instance }}", what),
    description: about(cgroupLabels, `${evidence}${facts.join("")} ${first}`),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("fleet", "24h", exporterLabels),
  };
}

/** About one process that is level: it has neither a pace nor a time left. */
export function levelText(what: string, evidence: string, alert: string, verdict?: Verdict): Annotations {
  return { ...processText(what, alert, evidence + told(memory)), ...(verdict === undefined ? {} : { verdict }) };
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
  const growth = known(`(${limit} - ${now}{%[1]s}) / ${itsValue} * 3600`, `${count} per hour`);
  const timeLeft = `{{ $value | ${rounded} }}`;
  return {
    ...processText(
      does,
      alert,
      `${known(`${now}{%[1]s}`, `${count} ${are}.`)} They grow by ${growth}; at this pace they reach the limit in ${timeLeft}.`,
    ),
    growth: about(slotLabels, growth),
    time_left: timeLeft,
  };
}

/** About a group: `what` completes the title, `first` says what to do first. */
export function groupText(
  what: string,
  evidence: string,
  first: string,
  alert: string,
  verdict?: Verdict,
): Annotations {
  return {
    summary: titled(`{{ $labels.group }}{{ with $labels.instance }} on {{ . }}{{ end }}`, what),
    description: about(groupLabels, `${evidence}${lastDay} ${first}`),
    ...(verdict === undefined ? {} : { verdict }),
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("restarts", "7d", groupLabels),
  };
}

/** About OOM kills: the victim, and who made the memory scarce. */
export function oomText(what: string, first: string, alert: string, verdict?: Verdict): Annotations {
  const culprit = known(
    `topk(1, ${groupMetrics.oomGrowth.name}{%[1]s})`,
    `; grew most in the hour before: {{ . | label "grew" }}, ${percentage} of the growth`,
  );
  return groupText(what, `Killed: {{ $labels.group }}${culprit}.`, first, alert, verdict);
}

/** About a group whose lives grow to their end: the usual growth inside them, and how long one would last if it were left alone. */
export function maskedText(what: string, evidence: string, first: string, alert: string): Annotations {
  const usual = `quantile_over_time(0.5, ${judged.growth.name}{window="1h",%[1]s}[1d])`;
  const room = `(${processMetrics.memoryLimit.name}{%[1]s} - min_over_time(${judged.floor.name}{%[1]s}[1d]))`;
  const perHour = `max(${usual}) * 3600`;
  const lifeLength = `min(${room} / ignoring (window) (${usual} > 0))`;
  const facts = [
    known(perHour, ` Between restarts it grows ${bytes} per hour.`),
    known(lifeLength, ` Without restarts it would reach its limit ${time} after a start.`),
  ];
  return {
    ...groupText(what, evidence + facts.join(""), first, alert, "masked_leak"),
    growth: about(groupLabels, known(perHour, `${bytes} per hour`)),
    time_left: about(groupLabels, known(lifeLength, `${time} after each start`)),
  };
}

/** About a service that is not there. */
export function goneText(what: string, evidence: string, first: string, alert: string): Annotations {
  return { ...groupText(what, evidence, first, alert), dashboard_url: dashboard("exporter", "6h", groupLabels) };
}

/** About leakwatch itself. */
export function healthText(who: string, what: string, description: string, alert: string): Annotations {
  return {
    summary: titled(who, what),
    description,
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("exporter", "6h", groupLabels),
  };
}

function processText(does: string, alert: string, facts: string): Annotations {
  return {
    summary: titled(`{{ $labels.group }}${notFirst} on {{ $labels.instance }}`, does),
    description: facts.includes("$s") ? about(slotLabels, facts) : facts,
    runbook_url: links.runbook(alert),
    dashboard_url: dashboard("process", "24h", slotLabels),
  };
}

/** The only process of a service, and the first of several, need no number. */
const notFirst = '{{ if ne $labels.slot "0" }} (slot {{ $labels.slot }}){{ end }}';

/** Makes `$s` in a template the matchers of the alert's own labels; one that it does not have is asked for as empty. */
function about(labels: readonly string[], text: string): string {
  const matchers = labels.map((label) => `${label}=%q`).join(",");
  return `{{ $s := printf \`${matchers}\` ${labels.map((label) => `$labels.${label}`).join(" ")} }}${text}`;
}

/** The value of the alert itself, in a query. */
const itsValue = "%[2]f";

/** Text around a queried value, or nothing where the query has no result. `%[1]s` in the query stands for the matchers. */
function known(query: string, text: string): string {
  const given = query.includes(itsValue) ? " $value" : "";
  return `{{ with printf \`${query}\` $s${given} | query }}{{ with . | first }}${text}{{ end }}{{ end }}`;
}

/** The text of a series by its name; what is computed has none. */
type Facts = readonly (readonly [series: string, text: string])[];

/** Texts of those values that are known, by one query: `more` computes those without a name. */
function told(facts: Facts, more = ""): string {
  const names = facts.map(([series]) => series).filter((name) => name !== "");
  const query = `{__name__=~"${names.join("|")}",%[1]s}${more}`;
  const texts = facts.map(([series, text]) => `{{ if eq (. | label "__name__") "${series}" }}${text}{{ end }}`);
  const each = texts.map((text) => `{{ range $known }}${text}{{ end }}`).join("");
  return `{{ $known := printf \`${query}\` $s | query }}${each}`;
}

const memory: Facts = [
  [processMetrics.residentMemory.name, ` Memory ${bytes}`],
  [processMetrics.memoryLimit.name, ` of ${bytes}.`],
];

/** Behind a leak. */
const leakNumbers = told(
  [["", ` It grows by ${bytes} per hour.`], [judged.confidence.name, ` Confidence ${percentage}.`], ...memory],
  ` or label_replace(${judged.leakGrowth.name}{%[1]s} * 3600, "per", "hour", "", "")`,
);

/** Who and where, then what. */
const titled = (who: string, what: string) =>
  `${who}{{ with $labels.namespace }} ({{ with $labels.cluster }}{{ . }}/{{ end }}{{ . }}){{ else }}{{ with $labels.cluster }} ({{ . }}){{ end }}{{ end }}: ${what}`;

/** A label's value as a person would say it; as it is where there are no words for it. */
function inWords(label: string, words: Readonly<Record<string, string>>): string {
  const cases = Object.entries(words).map(
    ([value, text], i) => `{{ ${i === 0 ? "" : "else "}if eq . "${value}" }}${text}`,
  );
  return `{{ with . | label "${label}" }}${cases.join("")}{{ else }}{{ . }}{{ end }}{{ end }}`;
}

/** Not from the hourly series: what happened in the last minutes is in none of them yet. */
const lastDay = [
  known(
    `round(increase(${groupMetrics.livesEnded.name}{%[1]s}[1d])) > 0`,
    [
      ` In the last 24 h: exits ${count}`,
      known(`round(increase(${groupMetrics.livesEndedGrowing.name}{%[1]s}[1d])) > 0`, `, still growing ${count}`),
      known(
        `max(round(label_replace(sum without (reason) (increase(${groupMetrics.restarts.name}{%[1]s,reason=~"oom|suspected_oom"}[1d])), "of", "0", "", "") or increase(${groupMetrics.oomKills.name}{%[1]s}[1d]))) > 0`,
        `, OOM kills ${count}`,
      ),
      ".",
    ].join(""),
  ),
  known(
    `${groupMetrics.lastEnd.name}{%[1]s}`,
    ` Last exit: ${inWords("reason", reasonWords)} (${inWords("evidence", evidenceWords)})${known(
      `${groupMetrics.lastEndMemoryLimit.name}{%[1]s}`,
      `, at ${percentage} of its limit`,
    )}.`,
  ),
].join("");

function dashboard(uid: Parameters<typeof links.dashboard>[0], range: string, labels: readonly string[]): string {
  const variables = labels.map((label) => `{{ with $labels.${label} }}&var-${label}={{ . | urlquery }}{{ end }}`);
  return `${links.dashboard(uid)}?from=now-${range}&to=now${variables.join("")}`;
}
