// What can go wrong with leakwatch itself.

import { alerts } from "../../../catalog/alerts.ts";
import { groupMetrics, selfMetrics } from "../../../catalog/metrics.ts";
import { rules } from "../../../detection/rules.ts";
import { firedFor, fires, holds, isSilent, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import { type InputSeries, type Labels, series } from "../series.ts";
import { gap, hour, level, line, type Stretch } from "../shape.ts";
import { plainAlert } from "../words.ts";

const { evaluation } = rules;

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

/** The title of an alert about an exporter of these tests. */
const onExporter = (instance: string, what: string) => `leakwatch on ${instance} (eu/ops): ${what}`;

const said = (alert: string, labels: Labels, severity: string, summary: string, description: string) =>
  plainAlert(alert, { ...labels, severity, class: "health" }, { summary, description }, "leakwatch-exporter", "6h");

export const exporterDown = (): RuleTestFile => {
  const alert = alerts.exporterDown.name;
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
          situation("a sidecar that is there and never starts", [
            series("up", target("shop/web-1"), gap(10), level(0, end - 10)),
          ]),
          situation("a sidecar that takes three minutes to start", [
            series("up", target("shop/web-2"), gap(10), level(0, 3), level(1, end - 13)),
            buildInfo(target("shop/web-2"), gap(13), level(1, end - 13)),
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
                onExporter("10.0.0.7:9847", "cannot be scraped"),
                "Nothing on it is watched, and its alerts have resolved: missing alerts do not mean healthy. First: see whether only the exporter is down, or the host too.",
              ),
              said(
                alert,
                target("shop/web-1"),
                "warning",
                onExporter("shop/web-1", "has never been scraped"),
                "The target is there, but no exporter has answered on it yet: nothing on it is watched. First: read why its container or service does not start.",
              ),
            ),
          ),
          isSilent("while all was well, and while a sidecar may still start", 24, alert),
          holds(
            "no other target at any time, and each with one severity",
            end - 5,
            `group by (instance, severity) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[4h]))`,
            { labels: '{instance="10.0.0.7:9847",severity="critical"}', value: 1 },
            { labels: '{instance="shop/web-1",severity="warning"}', value: 1 },
          ),
        ],
      },
    ],
  };
};

export const exporterAbsent = (): RuleTestFile => {
  const alert = alerts.exporterAbsent.name;
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
              "leakwatch: no exporter is scraped",
              "The rules are loaded, but there is nothing that they could judge. First: look at the targets of Prometheus.",
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
  const alert = alerts.targetGone.name;
  const end = 34 * hour;
  /** When each of them goes. */
  const went = 26 * hour;
  const of = (instance: string, group: string, ...stretches: readonly Stretch[]) =>
    series(groupMetrics.processes.name, { ...target(instance), group }, ...stretches);
  const goes = (instance: string, group: string, count = 2) =>
    of(instance, group, level(count, went), level(0, end - went));
  const comes = (instance: string, group: string, after = 0) =>
    of(instance, group, gap(went + after), level(1, end - went - after));
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "groups without a process",
        situations: [
          situation("ran for more than a day, and is gone; its neighbour runs", [
            goes("db1:9847", "gone"),
            of("db1:9847", "neighbour", level(1, end)),
          ]),
          situation("one of four hosts with the same service lost it", [
            goes("web1:9847", "replica"),
            ...["web2:9847", "web3:9847", "web4:9847"].map((host) => of(host, "replica", level(2, end))),
          ]),
          situation(
            "comes back after three hours",
            of("db2:9847", "back", level(1, went), level(0, 3 * hour), level(1, end - went - 3 * hour)),
          ),
          situation("an hourly job runs while it goes", [
            goes("db3:9847", "gone-beside-a-job"),
            of("db3:9847", "job", ...Array.from({ length: 34 }, () => [level(1, 5), level(0, 55)]).flat()),
          ]),
          situation("runs", of("quiet:9847", "runs", level(2, end))),
          situation(
            "runs for ten minutes in every five hours",
            of(
              "quiet:9847",
              "comes-and-goes",
              ...Array.from({ length: 6 }, () => [level(1, 10), level(0, 290)]).flat(),
            ),
          ),
          situation(
            "was restarted within five minutes",
            of("quiet:9847", "restarted", level(1, went), level(0, 5), level(1, end - went - 5)),
          ),
          situation("a deploy changes its name", [goes("app1:9847", "orders-old"), comes("app1:9847", "orders-new")]),
          situation("a slow deploy changes its name, seven minutes later", [
            goes("app2:9847", "billing-old"),
            comes("app2:9847", "billing-new", 7),
          ]),
          situation("a pod moves to another node", [goes("node-a", "moved"), comes("node-b", "moved", 1)]),
          situation("a pod moves to a node that has a replica already", [
            goes("node-c", "moved-to-a-replica", 1),
            of("node-d", "moved-to-a-replica", level(1, went), level(2, end - went)),
          ]),
          situation(
            "a node is drained, and no other has room yet",
            ["a", "b", "c", "d"].map((name) => goes("node-e", `drained-${name}`)),
          ),
          situation(
            "is scaled to zero, and its pod deleted: then the exporter has no series of it",
            of("node-f", "scaled-to-zero", level(2, went)),
          ),
          situation("a server of a pair takes over from the other", [
            goes("pair1:9847", "active", 1),
            comes("pair2:9847", "active", 3),
          ]),
          situation(
            "two Prometheus servers scrape one that runs",
            ["a", "b"].map((replica) =>
              series(
                groupMetrics.processes.name,
                { ...target("ha:9847"), group: "scraped-twice", replica },
                level(1, end),
              ),
            ),
          ),
        ],
        expect: [
          isSilent("while all ran", 25 * hour, alert),
          isSilent("within ten minutes somebody may have started it again", went + 5, alert),
          fires(
            "half an hour later",
            went + 30,
            alert,
            ...[
              ["db1:9847", "gone"],
              ["web1:9847", "replica"],
              ["db2:9847", "back"],
              ["db3:9847", "gone-beside-a-job"],
            ].map(([instance = "", group = ""]) =>
              said(
                alert,
                { ...target(instance), group },
                "warning",
                `${group} on ${instance} (eu/ops): not running for 10m or longer`,
                "It ran for most of the last 1d, and nothing else on this host took its place. First: start it, unless it was stopped on purpose. This alert resolves 6h after the exit in any case.",
              ),
            ),
          ),
          holds(
            "it resolves when the service is back",
            went + 4 * hour,
            `group by (group) (ALERTS{alertname="${alert}",alertstate="firing",group=~"back|gone"})`,
            { labels: '{group="gone"}', value: 1 },
          ),
          isSilent("and after a quarter of a day in any case", end - 5, alert),
          firedFor(
            "none of the others at any time",
            end - 5,
            `alertname="${alert}"`,
            "back",
            "gone",
            "gone-beside-a-job",
            "replica",
          ),
        ],
      },
    ],
  };
};

export const podsStale = (): RuleTestFile => {
  const alert = alerts.podsStale.name;
  const stops = line(0, 30 * 60, 30);
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "lists of pods",
        situations: [
          situation("one that is not refreshed after minute 30", [
            series(selfMetrics.podsListed.name, target("node-a"), stops, level(29 * 60, 60)),
          ]),
          situation("one that is refreshed", [
            series(selfMetrics.podsListed.name, target("node-b"), line(0, 5400, 90)),
          ]),
          situation("one whose API was away for eight minutes", [
            series(selfMetrics.podsListed.name, target("node-c"), stops, level(29 * 60, 8), line(38 * 60, 90 * 60, 52)),
          ]),
        ],
        expect: [
          isSilent("while all were", 40, alert),
          fires(
            "half an hour later",
            59,
            alert,
            said(
              alert,
              target("node-a"),
              "warning",
              onExporter("node-a", "the list of pods is 30m 0s old"),
              "New containers are watched under the names of their programs, and services of different pods may share one. First: check that its service account may list pods.",
            ),
          ),
          holds(
            "and no other",
            89,
            `group by (instance) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[89m]))`,
            { labels: '{instance="node-a"}', value: 1 },
          ),
        ],
      },
    ],
  };
};

export const samplesStale = (): RuleTestFile => {
  const alert = alerts.samplesStale.name;
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
              onExporter("10.0.0.7:9847", "last sample 30m 0s ago"),
              "It answers, but has stopped sampling; missing alerts do not mean healthy. First: restart it.",
            ),
          ),
        ],
      },
    ],
  };
};

export const targetsUnreadable = (): RuleTestFile => {
  const alert = alerts.targetsUnreadable.name;
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
          isSilent("not in the first hour", 60, alert),
          fires(
            "only what lasts",
            90,
            alert,
            said(
              alert,
              of("fd", "permission"),
              "info",
              onExporter("10.0.0.7:9847", "cannot read fd of 3 processes"),
              "The reason is: permission. What cannot be read has no series, and no alert. First: compare the privileges of the exporter with those that this file needs.",
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
  const alert = alerts.rulesNotEvaluated.name;
  const end = 4 * hour;
  const of = (name: string): Labels => ({
    job: "prometheus",
    instance: "localhost:9090",
    rule_group: `/etc/prometheus/rules/leakwatch.rules.yml;${name}`,
  });
  const evaluated = (group: string, interval: number, ...stretches: readonly Stretch[]) => [
    series("prometheus_rule_group_last_evaluation_timestamp_seconds", of(group), ...stretches),
    series("prometheus_rule_group_interval_seconds", of(group), level(interval, end)),
  ];
  const failed = (group: string, ...stretches: readonly Stretch[]) =>
    series("prometheus_rule_evaluation_failures_total", of(group), ...stretches);
  /** A test begins at 0, which would stand for never. */
  const inTime = [level(1, 1), line(60, end * 60, end - 1)];
  /** By the half hour, from a minute on to another. */
  const rarely = (from: number, to = end) =>
    Array.from({ length: Math.ceil((to - from) / 30) }, (_, i) =>
      level((from + 30 * i) * 60, Math.min(30, to - from - 30 * i)),
    );
  const overdue = (at: number) => (at === 50 ? [] : [["leakwatch-lives", "It has not been evaluated yet."]]);
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "groups of rules, of which Prometheus tells when it evaluated them; 0 is never",
        situations: [
          situation(
            "one that hangs since minute 20",
            evaluated("leakwatch-leaks", 60, level(1, 1), line(60, 1200, 19), level(1200, end - 20)),
          ),
          situation("one that is evaluated in time", evaluated("leakwatch-capacity", 300, ...inTime)),
          situation(
            "one of half an hour, whose first turn comes 29 minutes after the start",
            evaluated("leakwatch-days", 1800, level(0, 29), ...rarely(29)),
          ),
          situation(
            "one that is loaded into a server that has been running for long",
            evaluated("leakwatch-running", 1800, gap(100), level(0, 29), ...rarely(129)),
          ),
          situation(
            "one whose server is started again after 50 minutes",
            evaluated("leakwatch-gone", 1800, level(0, 20), ...rarely(20, 50), level(0, 28), ...rarely(78)),
          ),
          situation("one that is never evaluated", evaluated("leakwatch-lives", 1800, level(0, end))),
          situation(
            "one that is in time, and in which a rule fails every minute since minute 20",
            evaluated("leakwatch-health", 60, ...inTime),
            failed("leakwatch-health", level(0, 20), line(0, end - 20, end - 20)),
          ),
          situation(
            "one in which a rule failed once",
            evaluated("leakwatch-restarts", 60, ...inTime),
            failed("leakwatch-restarts", level(0, 20), level(1, end - 20)),
          ),
          situation(
            "one of somebody else that hangs",
            evaluated("node-exporter", 60, level(1, 1), line(60, 1200, 19), level(1200, end - 20)),
          ),
        ],
        expect: [
          isSilent("while all were", 20, alert),
          ...[50, 3 * hour].map((at) =>
            fires(
              at === 50 ? "half an hour later" : "and when a first turn is overdue",
              at,
              alert,
              ...[
                ["leakwatch-leaks", `Its last evaluation was ${at === 50 ? "30m" : "2h 40m"} 0s ago.`],
                ...overdue(at),
                ["leakwatch-health", "Its last evaluation was 0s ago."],
              ].map(([group = "", last]) =>
                said(
                  alert,
                  of(group),
                  "warning",
                  `Prometheus on localhost:9090: rule group ${group} is late or fails`,
                  `${last} Alerts that depend on it cannot fire. First: look for an error on the rules page of Prometheus.`,
                ),
              ),
            ),
          ),
          holds(
            "no other at any time",
            end - 1,
            `group by (rule_group) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[4h]))`,
            ...["health", "leaks", "lives"].map((name) => ({
              labels: `{rule_group="/etc/prometheus/rules/leakwatch.rules.yml;leakwatch-${name}"}`,
              value: 1,
            })),
          ),
        ],
      },
    ],
  };
};

export const exporterLeaks = (): RuleTestFile => {
  const alert = alerts.exporterLeaks.name;
  const of = (instance: string, ...severity: readonly Stretch[]) =>
    series(selfMetrics.ownSeverity.name, target(instance), ...severity);
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "exporters on themselves",
        situations: [
          situation("one that leaks from minute 20 on", of("10.0.0.7:9847", level(0, 20), level(1, 40))),
          situation("one that does not", of("10.0.0.8:9847", level(0, hour))),
          situation(
            "one that seemed to, for two minutes",
            of("10.0.0.9:9847", level(0, 20), level(1, 2), level(0, 38)),
          ),
        ],
        expect: [
          isSilent("not at once", 22, alert),
          fires(
            "five minutes later, and no other",
            30,
            alert,
            said(
              alert,
              target("10.0.0.7:9847"),
              "warning",
              onExporter("10.0.0.7:9847", "its own memory is leaking"),
              "It judges itself as it judges others. First: restart it, and report it to its developers.",
            ),
          ),
        ],
      },
    ],
  };
};
