// What a Prometheus server's answers mean for us.

import type { RuleGroup } from "../../alerts/rule.ts";
import { prometheusNeeds } from "../../catalog/defaults.ts";
import { humanDuration } from "../text/human.ts";
import { counted, listed, processes, someOf, tally } from "../text/words.ts";
import { type Check, failure, ok, type Section, unknown, warning } from "./finding.ts";
import type { LoadedRule, PrometheusFacts, ScrapeTarget } from "./prometheus.ts";
import { ruleDifferences } from "./rule-differences.ts";

export interface PrometheusQuestion {
  readonly server: PrometheusFacts;
  /** The rules that this version ships. */
  readonly shipped: readonly RuleGroup[];
}

type PrometheusCheck = Check<PrometheusQuestion>;

/** A check of a server that answers. */
const check = (
  id: string,
  question: string,
  answer: (server: PrometheusFacts, shipped: readonly RuleGroup[]) => ReturnType<PrometheusCheck["answer"]>,
): PrometheusCheck => ({
  id,
  question,
  answer: ({ server, shipped }) => (server.error === undefined ? answer(server, shipped) : undefined),
});

const reachable: PrometheusCheck = {
  id: "prometheus.reachable",
  question: "Does the server answer queries?",
  answer: ({ server: { url, error } }) =>
    error === undefined
      ? ok(`${url} answers queries.`)
      : failure(
          `Prometheus cannot be asked: ${error}.`,
          "Check --prometheus-url: the address of the server itself, with its path prefix if it has one.",
        ),
};

const version = check("prometheus.version", "Is it new enough for the rules?", ({ version: found }) => {
  if (found === undefined)
    return unknown("The server does not tell its version; it may be another server with Prometheus' API.");
  if (isOlder(found, prometheusNeeds.version)) {
    return failure(
      `This is Prometheus ${found}, which refuses the rules: they use keep_firing_for.`,
      `Use Prometheus ${prometheusNeeds.version} or later.`,
    );
  }
  return ok(`This is Prometheus ${found}; ${prometheusNeeds.version} or later is needed.`);
});

const clock = check("prometheus.clock", "Do its clock and ours agree?", ({ clockAhead }) => {
  if (clockAhead === undefined) return undefined;
  const off = Math.abs(clockAhead);
  if (off <= prometheusNeeds.clockSkewSeconds) return ok("Its clock and that of this machine agree.");
  return warning(
    `Its clock is ${humanDuration(off)} ${clockAhead > 0 ? "ahead of" : "behind"} that of this machine: ages of processes come out wrong.`,
    "Let both machines keep time with NTP.",
  );
});

const scraped = check("prometheus.target", "Does it scrape us?", ({ targets, targetCount, unanswered }) => {
  if (targets === undefined) return unknown(`The server does not list its targets${because(unanswered?.targets)}.`);
  if (targets.length === 0) {
    return failure(
      `None of its ${counted(targetCount, "target")} is a leakwatch exporter.`,
      "Add a scrape job for it: job_name: leakwatch, with HOST:9847 as target. With the Prometheus operator, see that the PodMonitor has the labels that the server selects by.",
    );
  }
  const down = targets.filter(({ health }) => health === "down");
  if (down.length > 0) {
    const first = down[0] as ScrapeTarget;
    const which =
      down.length === targets.length
        ? `${first.url} cannot be scraped`
        : `${down.length} of ${counted(targets.length, "leakwatch exporter")} cannot be scraped; ${first.url}`;
    const notes = down.map(({ url, lastError }) => `${url}: ${lastError}`);
    const sentence = `${which}: ${first.lastError}.`;
    const advice =
      "Open that address from the server's machine. leakwatch listens on 127.0.0.1 unless --web.listen-address says otherwise.";
    return down.length === targets.length ? failure(sentence, advice, notes) : warning(sentence, advice, notes);
  }
  const waiting = targets.filter(({ age }) => age === undefined);
  if (waiting.length === targets.length)
    return unknown(
      `${(waiting[0] as ScrapeTarget).url} is a target, and was not scraped yet.`,
      "Ask again in a minute.",
    );
  const first = targets.find(({ age }) => age !== undefined) as ScrapeTarget;
  const details = targets.map(
    ({ url, job, age }) =>
      `${url}, job ${job}, last scrape ${age === undefined ? "not yet" : `${humanDuration(age)} ago`}`,
  );
  const took = `${Math.round(first.duration * 1000)} ms`;
  return ok(
    targets.length === 1
      ? `It scrapes ${first.url} (job ${first.job}); the last scrape was ${humanDuration(first.age as number)} ago and took ${took}.`
      : `It scrapes ${targets.length} leakwatch exporters (${someOf(tally(targets.map(({ job }) => `job ${job}`)))}).`,
    details,
  );
});

const interval = check(
  "prometheus.interval",
  "Is the scrape interval short enough for the rules?",
  ({ targets = [] }) => {
    const intervals = targets.flatMap(({ interval: one }) => (one === undefined ? [] : [one]));
    if (intervals.length === 0) return undefined;
    const longest = Math.max(...intervals);
    const sentence = `It scrapes every ${someOf([...new Set(intervals)].sort((a, b) => a - b).map(humanDuration))}.`;
    if (longest <= prometheusNeeds.scrapeIntervalSeconds) return ok(sentence);
    return warning(
      `${sentence} The rules look at windows from 10 minutes on, which hold too few samples then.`,
      `Scrape every 15 s, and at least every ${humanDuration(prometheusNeeds.scrapeIntervalSeconds)} (scrape_interval).`,
    );
  },
);

const series = check(
  "prometheus.series",
  "Are our series there now?",
  ({ series: found, watchedProcesses, targets, unanswered }) => {
    if (found === undefined) return unknown(`The server could not count the series${because(unanswered?.query)}.`);
    if (found === 0) {
      return failure(
        "It has no leakwatch_ series now.",
        targets?.length === 0
          ? "It needs a scrape job first."
          : "Look for metric_relabel_configs that drop them, and for a sample_limit.",
      );
    }
    if (watchedProcesses === 0) {
      return warning(
        `It has ${found} leakwatch_ series, but of no process.`,
        "See what the exporter watches: the section Processes, on its machine.",
      );
    }
    return ok(`It has ${found} leakwatch_ series, of ${processes(watchedProcesses ?? 0)}.`);
  },
);

const rulesLoaded = check("prometheus.rules", "Are all of our rules loaded?", ({ ruleGroups, unanswered }, shipped) => {
  if (ruleGroups === undefined) return unknown(`The server does not list its rules${because(unanswered?.rules)}.`);
  const { missingGroups, missingRules } = ruleDifferences(shipped, ruleGroups);
  const load =
    "Load alerts/generated/leakwatch.rules.yml of this version (rule_files, or the PrometheusRule), and reload.";
  if (missingGroups.length === shipped.length) {
    return failure(
      "None of leakwatch's rules is loaded: there are no verdicts and no alerts.",
      `${load} The Prometheus operator ignores a PrometheusRule without the labels that it selects by (often \`release\`).`,
    );
  }
  if (missingGroups.length + missingRules.length === 0) return ok(`All ${shipped.length} groups of rules are loaded.`);
  const groups =
    missingGroups.length === 0 ? [] : [`${counted(missingGroups.length, "group")} (${someOf(missingGroups)})`];
  const single =
    missingRules.length === 0 ? [] : [`${counted(missingRules.length, "rule")} (${someOf(missingRules, 3)})`];
  return warning(
    `Of leakwatch's rules ${listed([...groups, ...single])} ${missingGroups.length + missingRules.length === 1 ? "is" : "are"} missing.`,
    load,
    [...missingGroups, ...missingRules],
  );
});

const rulesCurrent = check(
  "prometheus.rules_current",
  "Are they the rules of this version?",
  ({ ruleGroups }, shipped) => {
    if (ruleGroups === undefined) return undefined;
    const { missingGroups, changed } = ruleDifferences(shipped, ruleGroups);
    if (missingGroups.length === shipped.length) return undefined;
    if (changed.length === 0) return ok("They are those of this version.");
    return warning(
      `${counted(changed.length, "rule differs", "rules differ")} from this version: ${someOf(changed, 3)}.`,
      "If nobody changed them on purpose, load the rules of this version.",
      changed,
    );
  },
);

const rulesHealthy = check(
  "prometheus.rules_health",
  "Are they evaluated without errors?",
  ({ ruleGroups }, shipped) => {
    const names = new Set(shipped.map(({ name }) => name));
    const rules = ruleGroups?.filter(({ name }) => names.has(name)).flatMap((group) => group.rules);
    if (rules === undefined || rules.length === 0) return undefined;
    const failing = rules.filter(({ health }) => health === "err");
    if (failing.length > 0) {
      const { name, lastError } = failing[0] as LoadedRule;
      return failure(
        `${counted(failing.length, "rule fails", "rules fail")}; ${name}: ${lastError}.`,
        "An alert whose rule fails cannot fire. Errors about many-to-many matching come from two exporters with the same labels.",
        failing.map((rule) => `${rule.name}: ${rule.lastError}`),
      );
    }
    const waiting = rules.filter(({ health }) => health === "unknown").length;
    if (waiting === rules.length) return unknown("None of them was evaluated yet.", "Ask again in a minute.");
    return ok(
      waiting === 0
        ? "All of them are evaluated without errors."
        : `They are evaluated without errors; ${waiting} were not due yet.`,
    );
  },
);

const alertmanager = check(
  "prometheus.alertmanager",
  "Does it send alerts to an Alertmanager?",
  ({ alertmanagers }) => {
    if (alertmanagers === undefined) return unknown("The server does not list its Alertmanagers.");
    if (alertmanagers > 0) return ok(`It sends alerts to ${counted(alertmanagers, "Alertmanager")}.`);
    return warning(
      "It sends alerts to no Alertmanager: they fire where nobody hears them.",
      "Add an alertmanager to `alerting` in its configuration; alerts/alertmanager.yml routes them.",
    );
  },
);

export const prometheusSections: readonly Section<PrometheusQuestion>[] = [
  {
    title: "Prometheus",
    checks: [
      reachable,
      version,
      clock,
      scraped,
      interval,
      series,
      rulesLoaded,
      rulesCurrent,
      rulesHealthy,
      alertmanager,
    ],
  },
];

const because = (reason: string | undefined) => (reason === undefined ? "" : `: ${reason}`);

/** Compares `2.9` and `2.42.0` by number. */
function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [leastMajor = 0, leastMinor = 0] = than.split(".").map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
