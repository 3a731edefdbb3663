// What can go wrong with leakwatch itself.

import { groupMetrics, selfMetrics } from "../../../catalog/metrics.ts";
import { evaluation } from "../../../catalog/windows.ts";
import { fires, holds, isSilent, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import { type InputSeries, type Labels, series } from "../series.ts";
import { day, gap, hour, level, line, MiB, type Stretch } from "../shape.ts";
import { plainAlert } from "../words.ts";

const target = (instance: string): Labels => ({ cluster: "eu", namespace: "ops", job: "leakwatch", instance });

const buildInfo = (labels: Labels, ...stretches: readonly Stretch[]) =>
  series(
    selfMetrics.buildInfo.name,
    { ...labels, version: "1.0.0", revision: "abc", node_version: "v24.0.0" },
    ...stretches,
  );

/** A target that is scraped in the first stretch, and not in the second. */
const scraped = (labels: Labels, up: number, down: number): InputSeries[] => [
  series("up", labels, level(1, up), ...(down > 0 ? [level(0, down)] : [])),
  buildInfo(labels, level(1, up), gap(down)),
];

const said = (alert: string, labels: Labels, severity: string, summary: string, description: string) =>
  plainAlert(alert, { ...labels, severity, class: "health" }, { summary, description }, "leakwatch-exporter", "6h");

export const exporterDown = (): RuleTestFile => {
  const alert = "LeakwatchExporterDown";
  const end = 4 * hour;
  const app: Labels = { ...target("10.0.0.9:80"), job: "app" };
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "targets that are down",
        situations: [
          situation("an exporter that is gone after half an hour", scraped(target("10.0.0.7:9847"), 30, end - 30)),
          situation("one that is up", scraped(target("10.0.0.8:9847"), end, 0)),
          situation("a target of another job, which is none of ours", [
            series("up", app, level(1, 30), level(0, end - 30)),
          ]),
          situation("one that missed three scrapes", [
            series("up", target("10.0.0.10:9847"), level(1, 30), level(0, 3), level(1, end - 33)),
            buildInfo(target("10.0.0.10:9847"), level(1, 30), gap(3), level(1, end - 33)),
          ]),
          situation("one that was taken out of the configuration", [
            series("up", target("10.0.0.11:9847"), level(1, 30)),
            buildInfo(target("10.0.0.11:9847"), level(1, 30)),
          ]),
        ],
        expect: [
          ...[45, end - 5].map((at) =>
            fires(
              at === 45 ? "soon after" : "still, when nobody remembers its last scrape",
              at,
              alert,
              said(
                alert,
                target("10.0.0.7:9847"),
                "critical",
                "leakwatch on 10.0.0.7:9847 cannot be scraped.",
                "Nothing on it is watched. Verdicts and alerts about it are gone, not good.",
              ),
            ),
          ),
          isSilent("while all was well", 25, alert),
          holds(
            "no other target, at any time",
            end - 5,
            `group by (instance) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[4h]))`,
            { labels: '{instance="10.0.0.7:9847"}', value: 1 },
          ),
        ],
      },
    ],
  };
};

export const exporterAbsent = (): RuleTestFile => {
  const alert = "LeakwatchExporterAbsent";
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "Prometheus scrapes something, but no exporter",
        situations: [situation("an app", [series("up", { job: "app", instance: "a:80" }, level(1, hour))])],
        expect: [
          isSilent("a start of Prometheus takes some minutes", 10, alert),
          fires(
            "then it is missed",
            30,
            alert,
            said(
              alert,
              {},
              "warning",
              "No leakwatch exporter is scraped.",
              "The rules are loaded, but there is nothing that they could judge.",
            ),
          ),
        ],
      },
      {
        name: "one exporter is scraped",
        situations: [situation("an exporter", scraped(target("10.0.0.7:9847"), hour, 0))],
        expect: [neverFired("never", hour - 1, `alertname="${alert}"`)],
      },
    ],
  };
};

export const targetGone = (): RuleTestFile => {
  const alert = "LeakwatchTargetGone";
  const end = 27 * hour;
  const of = (group: string, ...stretches: readonly Stretch[]) =>
    series(groupMetrics.processes.name, { ...target("10.0.0.7:9847"), group }, ...stretches);
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "groups without a process",
        situations: [
          situation("ran for more than a day, and is gone", of("gone", level(2, 26 * hour), level(0, hour))),
          situation("runs", of("runs", level(2, end))),
          situation(
            "runs for ten minutes in every five hours",
            of("comes-and-goes", ...Array.from({ length: 6 }, () => [level(1, 10), level(0, 290)]).flat()),
          ),
          situation(
            "was started anew within five minutes",
            of("restarted", level(1, 26 * hour), level(0, 5), level(1, 55)),
          ),
        ],
        expect: [
          isSilent("while it ran", 25 * hour, alert),
          fires(
            "half an hour later",
            26 * hour + 30,
            alert,
            said(
              alert,
              { ...target("10.0.0.7:9847"), group: "gone" },
              "warning",
              "gone is gone.",
              "It ran for most of the last 1d, and has no process now. This alert ends by itself after 6h.",
            ),
          ),
        ],
      },
    ],
  };
};

export const samplesStale = (): RuleTestFile => {
  const alert = "LeakwatchSamplesStale";
  const stops = line(0, 30 * 60, 30);
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "exporters that answer",
        situations: [
          situation("one that has not looked at anything since minute 30", [
            series(selfMetrics.lastSample.name, target("10.0.0.7:9847"), stops, level(29 * 60, 60)),
          ]),
          situation("one that looks", [
            series(selfMetrics.lastSample.name, target("10.0.0.8:9847"), line(0, 90 * 60, 90)),
          ]),
        ],
        expect: [
          isSilent("while both looked", 25, alert),
          fires(
            "half an hour later",
            59,
            alert,
            said(
              alert,
              target("10.0.0.7:9847"),
              "warning",
              "leakwatch on 10.0.0.7:9847 has stopped looking.",
              "Its last look at the processes was 30m 0s ago.",
            ),
          ),
        ],
      },
    ],
  };
};

export const targetsUnreadable = (): RuleTestFile => {
  const alert = "LeakwatchTargetsUnreadable";
  const of = (file: string, reason: string) => ({ ...target("10.0.0.7:9847"), file, reason });
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "files of processes",
        situations: [
          situation("three processes of another user", [
            series(selfMetrics.unreadable.name, of("fd", "permission"), level(3, 2 * hour)),
          ]),
          situation("processes that failed once", [
            series(selfMetrics.unreadable.name, of("status", "io"), level(0, hour), level(2, 5), level(0, 55)),
          ]),
        ],
        expect: [
          isSilent("not at once", 20, alert),
          fires(
            "only what lasts",
            90,
            alert,
            said(
              alert,
              of("fd", "permission"),
              "info",
              "leakwatch on 10.0.0.7:9847 cannot read fd of 3 processes.",
              "The reason is: permission. What cannot be read has no series, and no alert.",
            ),
          ),
          holds(
            "and the others never",
            115,
            `count_over_time(ALERTS{alertname="${alert}",alertstate="firing",file="status"}[2h])`,
          ),
        ],
      },
    ],
  };
};

export const rulesNotEvaluated = (): RuleTestFile => {
  const alert = "LeakwatchRulesNotEvaluated";
  const of = (group: string): Labels => ({
    job: "prometheus",
    instance: "localhost:9090",
    rule_group: `/etc/prometheus/rules/leakwatch.rules.yml;${group}`,
  });
  const evaluated = (group: string, interval: number, ...stretches: readonly Stretch[]) => [
    series("prometheus_rule_group_last_evaluation_timestamp_seconds", of(group), ...stretches),
    series("prometheus_rule_group_interval_seconds", of(group), level(interval, hour)),
  ];
  const failed = (group: string, ...stretches: readonly Stretch[]) =>
    series("prometheus_rule_evaluation_failures_total", of(group), ...stretches);
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "groups of rules, of which Prometheus tells when it evaluated them",
        situations: [
          situation(
            "one that hangs since minute 20",
            evaluated("leakwatch-floor", 60, line(0, 1200, 20), level(1200, 40)),
          ),
          situation(
            "one that is evaluated every five minutes",
            evaluated("leakwatch-growth", 300, line(-240, 3360, 60)),
          ),
          situation(
            "one that is in time, and in which a rule fails every minute since minute 20",
            evaluated("leakwatch-verdict", 60, line(0, 3600, 60)),
            failed("leakwatch-verdict", level(0, 20), line(0, 40, 40)),
          ),
          situation(
            "one in which a rule failed once",
            evaluated("leakwatch-lives", 60, line(0, 3600, 60)),
            failed("leakwatch-lives", level(0, 20), level(1, 40)),
          ),
          situation(
            "one of somebody else that hangs",
            evaluated("node-exporter", 60, line(0, 1200, 20), level(1200, 40)),
          ),
        ],
        expect: [
          isSilent("while all were", 20, alert),
          fires(
            "half an hour later",
            50,
            alert,
            ...[
              ["leakwatch-floor", "30m 0s"],
              ["leakwatch-verdict", "0s"],
            ].map(([group = "", before]) =>
              said(
                alert,
                of(group),
                "warning",
                `The rule group /etc/prometheus/rules/leakwatch.rules.yml;${group} is late, or its evaluation fails.`,
                `Its last evaluation was ${before} ago. Alerts that depend on it cannot fire.`,
              ),
            ),
          ),
        ],
      },
    ],
  };
};

export const exporterLeaks = (): RuleTestFile => {
  const alert = "LeakwatchExporterLeaks";
  const end = 17 * hour;
  const of = (labels: Labels, ours: boolean, age: number, ...memory: readonly Stretch[]) => [
    series("process_resident_memory_bytes", labels, ...memory),
    series("process_start_time_seconds", labels, level(-60 * age, end)),
    ...(ours ? [buildInfo(labels, level(1, end))] : []),
  ];
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "memory of exporters",
        situations: [
          situation("grows by 6 MiB an hour", of(target("10.0.0.7:9847"), true, 0, line(60 * MiB, 162 * MiB, end))),
          situation("level", of(target("10.0.0.8:9847"), true, day, level(60 * MiB, end))),
          situation(
            "another program, which grows as fast",
            of(target("10.0.0.9:80"), false, 0, line(60 * MiB, 162 * MiB, end)),
          ),
          situation("an exporter whose new version needs more, step by step", [
            series(
              "process_resident_memory_bytes",
              target("10.0.0.10:9847"),
              level(60 * MiB, 5 * hour),
              level(80 * MiB, 5 * hour),
              level(120 * MiB, 7 * hour),
            ),
            series(
              "process_start_time_seconds",
              target("10.0.0.10:9847"),
              level(-3600, 5 * hour),
              level(5 * 3600, 5 * hour),
              level(10 * 3600, 7 * hour),
            ),
            buildInfo(target("10.0.0.10:9847"), level(1, end)),
          ]),
        ],
        expect: [
          isSilent("before half a day", 10 * hour, alert),
          fires(
            "after it",
            16 * hour,
            alert,
            said(
              alert,
              target("10.0.0.7:9847"),
              "warning",
              "leakwatch on 10.0.0.7:9847 itself grows.",
              "It took 72MiB more over 12h. Restart it and tell its developers.",
            ),
          ),
          holds(
            "and no other",
            end - 5,
            `group by (instance) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[17h]))`,
            { labels: '{instance="10.0.0.7:9847"}', value: 1 },
          ),
        ],
      },
    ],
  };
};
