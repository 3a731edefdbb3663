// The first hour of a new installation in which all is well: Prometheus on an empty folder, an exporter, and three services that
// fill their caches, recycle their workers and are deployed once.

import { alerts, anyAlert } from "../../../catalog/alerts.ts";
import { groupMetrics, restartReasons, selfMetrics } from "../../../catalog/metrics.ts";
import { rules } from "../../../detection/rules.ts";
import { ruleGroups } from "../../index.ts";
import { holds, isSilent, type RuleTestFile, situation } from "../rule-test.ts";
import { changing, endsAt, every, type InputSeries, ledgerOf, series, slotOf } from "../series.ts";
import { GiB, gap, hour, level, line, MiB } from "../shape.ts";
import { onHost, withoutGroup } from "../words.ts";

/** The first scrape comes after a minute, and a rule that holds at the end of the hour may hold for long. */
const end = 2 * hour;
const first = 1;

const exporter = withoutGroup(onHost(""));
const prometheus = { job: "prometheus", instance: "localhost:9090" };

const oneProcess = (group: string): InputSeries =>
  series(groupMetrics.processes.name, onHost(group), gap(first), level(1, end - first));

/** What a server says of its rule groups: 0 until their first turn, which it spreads over the interval. */
const ruleGroupsOf = (): InputSeries[] =>
  ruleGroups().flatMap(({ name, interval }, i, { length }) => {
    const of = { ...prometheus, rule_group: `/etc/prometheus/rules/leakwatch.rules.yml;${name}` };
    const minutes = interval / 60;
    const turn = Math.floor((minutes * i) / length);
    const turns = every(minutes, turn, end).map((at) => [at, Math.max(at * 60, 1)] as const);
    return [
      series(
        "prometheus_rule_group_last_evaluation_timestamp_seconds",
        of,
        ...changing(end, ...(turn > 0 ? [[0, 0] as const] : []), ...turns),
      ),
      series("prometheus_rule_group_interval_seconds", of, level(interval, end)),
      series("prometheus_rule_evaluation_failures_total", of, level(0, end)),
    ];
  });

export const firstHour = (): RuleTestFile => ({
  evaluation: rules.evaluation.fast,
  tests: [
    {
      name: "a healthy installation from its first minute on",
      situations: [
        situation("an exporter", [
          series("up", exporter, gap(first), level(1, end - first)),
          series(
            selfMetrics.buildInfo.name,
            { ...exporter, version: "1.0.0", revision: "abc", node_version: "v24.0.0" },
            gap(first),
            level(1, end - first),
          ),
          series("process_start_time_seconds", exporter, gap(first), level(20, end - first)),
          series(selfMetrics.ownSeverity.name, exporter, gap(first), level(0, end - first)),
          series(selfMetrics.lastSample.name, exporter, gap(first), line(58, 58 + (end - first) * 60, end - first)),
          series(selfMetrics.podsListed.name, exporter, gap(first), line(30, 30 + (end - first) * 60, end - first)),
          series(
            selfMetrics.unreadable.name,
            { ...exporter, file: "status", reason: "permission" },
            gap(first),
            level(0, end - first),
          ),
        ]),
        situation("Prometheus itself", [
          series("up", prometheus, level(1, end)),
          series("process_start_time_seconds", prometheus, level(0, end)),
          ...ruleGroupsOf(),
        ]),
        situation("a service that fills its cache and is deployed once, after half an hour", [
          ...slotOf(
            onHost("api"),
            GiB,
            { minutes: 15, verdict: "collecting" },
            { minutes: 15, verdict: "warming_up", growth: 400 * MiB, timeToOom: 2 * 3600 },
            { minutes: 15, verdict: "collecting" },
            { minutes: 15, verdict: "warming_up", growth: 400 * MiB, timeToOom: 2 * 3600 },
            { minutes: hour, verdict: "stable", growth: 0 },
          ),
          ...ledgerOf(onHost("api"), end, endsAt([31], "exit")),
          oneProcess("api"),
        ]),
        situation("a server that recycles a worker every four minutes", [
          ...restartReasons.map((reason) =>
            series(groupMetrics.restarts.name, { ...onHost("web"), reason }, gap(first), level(0, end - first)),
          ),
          series(
            groupMetrics.livesEnded.name,
            onHost("web"),
            ...changing(end, ...every(4, first, end).map((at, i) => [at, i] as const)),
          ),
          series(
            groupMetrics.workerExits.name,
            { ...onHost("web"), reason: "recycled" },
            ...changing(end, ...every(4, first, end).map((at, i) => [at, i] as const)),
          ),
          series(groupMetrics.livesEndedGrowing.name, onHost("web"), gap(first), level(0, end - first)),
          series(groupMetrics.processes.name, onHost("web"), gap(first), level(9, end - first)),
        ]),
        situation("a database that is level", [
          ...slotOf(
            onHost("database"),
            4 * GiB,
            { minutes: 15, verdict: "collecting" },
            { minutes: end - 15, verdict: "stable", growth: 0 },
          ),
          ...ledgerOf(onHost("database"), end, []),
          oneProcess("database"),
        ]),
      ],
      expect: [
        ...Object.values(alerts).map(({ name }) => isSilent("all is well", hour, name)),
        holds(
          "nothing fires or is about to at any time, except that no exporter is there before the first scrape",
          end - 1,
          `count_over_time(ALERTS{alertname=~"${anyAlert}",alertname!="${alerts.exporterAbsent.name}"}[2h])`,
        ),
      ],
    },
  ],
});
