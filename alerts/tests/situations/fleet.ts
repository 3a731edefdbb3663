// Everything at once: no rule may fail with many-to-many or duplicate series, whatever the fleet looks like, for promtool
// fails when an evaluation does.

import { alerts } from "../../../catalog/alerts.ts";
import { groupMetrics, processInfo } from "../../../catalog/metrics.ts";
import { verdictCode } from "../../../catalog/verdicts.ts";
import { rules } from "../../../detection/rules.ts";
import { holds, type RuleTestFile, situation } from "../rule-test.ts";
import { endsAt, every, type InputSeries, type Labels, ledgerOf, limitSource, series, slotOf } from "../series.ts";
import { GiB, hour, level, MiB } from "../shape.ts";
import { inCluster, onHost } from "../words.ts";

const end = 4 * hour;

/** Two slots that leak and are killed every hour, with all that is known about them. */
const killedEveryHour = (labels: Labels): InputSeries[] => [
  ...["0", "1"].flatMap((slot) =>
    slotOf(
      { ...labels, slot },
      GiB,
      ...every(hour, 0, end).map(() => ({
        minutes: hour,
        verdict: "leaking" as const,
        severity: 4 as const,
        growth: 700 * MiB,
        timeToOom: 3600,
        memory: 600 * MiB,
      })),
    ),
  ),
  limitSource(labels, "node", end),
  ...["4242", "4243"].map((pid) =>
    // the second has taken the slot before the first was forgotten
    series(
      processInfo.process.name,
      { ...labels, slot: "0", pid, exe: "/usr/bin/node", cgroup: "/", container_id: "", pod_uid: "", version: "" },
      level(1, end),
    ),
  ),
  ...ledgerOf(labels, end, endsAt(every(hour, 59, end), "oom", true)),
  series(groupMetrics.verdict.name, { ...labels, verdict: "masked_leak" }, level(verdictCode.masked_leak, end)),
  series(groupMetrics.processes.name, labels, level(2, end)),
];

const fleet: [string, Labels][] = [
  ["cluster eu", inCluster("api")],
  ["cluster us", inCluster("api", { cluster: "us" })],
  ["cluster eu, through a second job", inCluster("api", { job: "hosts" })],
  ["cluster eu, another replica", inCluster("api", { instance: "10.0.0.8:9847" })],
  ["a host without cluster and namespace", onHost("api")],
  ["a host that two servers of a pair scrape", onHost("api", { instance: "db2:9847", replica: "a" })],
  ["the other server of the pair", onHost("api", { instance: "db2:9847", replica: "b" })],
  ["a target with more labels", inCluster("api", { instance: "10.0.0.9:9847", pod: "api-0", container: "leakwatch" })],
];

/** Of some alert, for so many of each place. */
const firesEverywhere = (alert: string, ofEach: number) =>
  holds(
    `${alert} fires for each place by itself`,
    end - 1,
    `count(group by (cluster, job, instance, replica, slot) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing",group="api"}[${end / hour}h])))`,
    { labels: "{}", value: fleet.length * ofEach },
  );

export const sameGroupEverywhere = (): RuleTestFile => ({
  evaluation: rules.evaluation.fast,
  tests: [
    {
      name: "one group in many places",
      situations: fleet.map(([where, labels]) => situation(where, killedEveryHour(labels))),
      expect: [
        ...[alerts.memoryLeak, alerts.oomPredicted].map(({ name }) => firesEverywhere(name, 2)),
        ...[alerts.memoryLeakMasked, alerts.oomLoop, alerts.oomKilled].map(({ name }) => firesEverywhere(name, 1)),
        // all other rules are evaluated too
        holds(
          "nothing but the leak and its kills",
          end - 1,
          'ALERTS{class=~"capacity|health",alertstate="firing",group!=""}',
        ),
      ],
    },
  ],
});
