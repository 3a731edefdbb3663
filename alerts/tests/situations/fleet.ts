// Everything at once: no rule may fail with many-to-many or duplicate series, whatever the fleet looks like, for promtool
// fails when an evaluation does. And what a restart of the exporter or missing scrapes must not break.

import { groupMetrics, processInfo } from "../../../catalog/metrics.ts";
import { groupRecordings as group, slotRecordings as slot } from "../../../catalog/recordings.ts";
import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, holds, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import { endsAt, every, type InputSeries, type Labels, ledgerOf, limitSource, memoryOf, series } from "../series.ts";
import { GiB, gap, hour, level, line, MiB } from "../shape.ts";
import { inCluster, onHost } from "../words.ts";

const end = 15 * hour;

/** Two slots that leak and are killed every three hours, so many times, with all that is known about them. */
const killedEveryThreeHours = (labels: Labels, lives = 5): InputSeries[] => [
  ...["0", "1"].flatMap((slot) =>
    memoryOf(
      { ...labels, slot },
      GiB,
      ...Array.from({ length: lives }, () => ({ memory: [line(300 * MiB, 1010 * MiB, 178), gap(2)] })),
    ),
  ),
  limitSource(labels, "node", end),
  ...["4242", "4243"].map((pid, i) =>
    // the second has taken the slot before the first was forgotten
    series(
      processInfo.process.name,
      { ...labels, slot: "0", pid, exe: "/usr/bin/node", cgroup: "/", container_id: "", pod_uid: "" },
      gap(i * 178 + 1),
      level(1, 190),
    ),
  ),
  ...ledgerOf(labels, end, endsAt(every(3 * hour, 178, end), "oom", true)),
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

/** Of some alert, until a time in minutes. */
const firesEverywhere = (until: number) => (alert: string) =>
  holds(
    `${alert} fires for each place by itself`,
    until - 5,
    `count(group by (cluster, job, instance, replica) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing",group="api"}[${until / hour}h])))`,
    { labels: "{}", value: fleet.length },
  );

export const sameGroupEverywhere = (): RuleTestFile => ({
  evaluation: evaluation.slow,
  tests: [
    {
      name: "one group in many places",
      situations: [
        ...fleet.map(([where, labels]) => situation(where, killedEveryThreeHours(labels))),
        situation(
          "an exporter is restarted after 8 hours: the two workers have changed their slots, and the counters begin at 0",
          memoryOf(
            onHost("workers"),
            GiB,
            { memory: [level(300 * MiB, 8 * hour)], age: hour },
            { memory: [level(500 * MiB, 7 * hour)], age: 8 * hour + 50 },
          ),
          memoryOf(
            onHost("workers", { slot: "1" }),
            GiB,
            { memory: [level(500 * MiB, 8 * hour)], age: 50 },
            { memory: [level(300 * MiB, 7 * hour)], age: 9 * hour },
          ),
          ledgerOf(onHost("workers"), end, endsAt([60, 70], "exit"), [8 * hour]),
        ),
      ],
      expect: [
        ...["LeakwatchMemoryLeakMasked", "LeakwatchOomLoop", "LeakwatchOomKilled"].map(firesEverywhere(end)),
        neverFired("no false alert", end - 5, 'group="workers"'),
        holds("each slot has one verdict", end - 5, 'count(slot:leakwatch_memory_verdict:code{group="api"})', {
          labels: "{}",
          value: 2 * fleet.length,
        }),
        holds(
          "each group has one verdict: that of the whole group, which is graver than those of its slots",
          end - 5,
          'count by (verdict) (group:leakwatch_memory_verdict:code{group="api"})',
          { labels: '{verdict="restart_loop"}', value: fleet.length },
        ),
        holds(
          "each group grows as fast as its fastest slot",
          end - 5,
          `count(${group.growth.name}{group="api"} == max without (slot) (${slot.growth.name}{group="api"}))`,
          { labels: "{}", value: fleet.length },
        ),
        holds(
          "and reaches its limit with the first of them",
          end - 5,
          `count(${group.timeToOom.name}{group="api"} == min without (slot) (${slot.timeToOom.name}{group="api"}))`,
          { labels: "{}", value: fleet.length },
        ),
      ],
    },
  ],
});

/** What pages must be looked at by the minute; one life is enough. */
export const sameGroupByTheMinute = (): RuleTestFile => ({
  evaluation: evaluation.fast,
  tests: [
    {
      name: "one group in many places",
      situations: [
        ...fleet.map(([where, labels]) => situation(where, killedEveryThreeHours(labels, 1))),
        situation(
          "a leak, of which half an hour of scrapes is missing",
          memoryOf(onHost("missed-scrapes"), GiB, {
            memory: [line(300 * MiB, 600 * MiB, 60), gap(30), line(750 * MiB, 1000 * MiB, 50)],
          }),
        ),
      ],
      expect: [
        firesEverywhere(3 * hour)("LeakwatchMemoryLeakUrgent"),
        firedFor("no lost leak", 3 * hour, 'alertname="LeakwatchMemoryLeakUrgent"', "api", "missed-scrapes"),
        holds(
          "in their first lives each slot has one severity, although several alerts fire for it",
          170,
          'count by (severity) (slot:leakwatch_memory_severity:code{group="api"} == 3)',
          { labels: '{severity="critical"}', value: 2 * fleet.length },
        ),
      ],
    },
  ],
});
