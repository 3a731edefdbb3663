// Restarts and OOM kills: of which kind, how many, how often; from the first minute of a service, and whatever happens to the
// exporter and to Prometheus meanwhile.

import { alerts } from "../../../catalog/alerts.ts";
import { groupMetrics, selfMetrics } from "../../../catalog/metrics.ts";
import { verdictCode } from "../../../catalog/verdicts.ts";
import { rules } from "../../../detection/rules.ts";
import { firedFor, fires, isSilent, neverFired, neverNow, type RuleTestFile, situation } from "../rule-test.ts";
import {
  changing,
  type End,
  endsAt,
  every,
  type InputSeries,
  type Labels,
  lastExit,
  ledgerOf,
  series,
} from "../series.ts";
import { day, hour, level } from "../shape.ts";
import { inCluster, onHost, plainAlert, withoutGroup } from "../words.ts";

const { evaluation } = rules;
const { restarts, oomKills: kills, livesEnded, processes, oomGrowth } = groupMetrics;

const said = (alert: string, labels: Labels, severity: string, words: Labels) =>
  plainAlert(alert, { ...labels, severity, class: "restarts" }, words, "leakwatch-restarts", "7d");

/** The ledger of a service of one process. */
const service = (labels: Labels, minutes: number, ...ledger: readonly [readonly End[], (readonly number[])?]) => [
  ...ledgerOf(labels, minutes, ...ledger),
  series(processes.name, labels, level(1, minutes)),
];

type Points = readonly (readonly [from: number, value: number | undefined])[];

/** The exporter itself: scraped at these minutes, and started at these, in minutes. */
const exporterOf = (labels: Labels, minutes: number, scraped: Points, started: Points): InputSeries[] => [
  series(
    selfMetrics.buildInfo.name,
    { ...withoutGroup(labels), version: "1.0.0", revision: "abc", node_version: "v24.0.0" },
    ...changing(minutes, ...scraped),
  ),
  series(
    "process_start_time_seconds",
    withoutGroup(labels),
    ...changing(minutes, ...started.map(([from, at]) => [from, at === undefined ? at : at * 60] as const)),
  ),
];

/** Restarts after OOM kills as the exporter counts them; each is an exit. */
const oomRestartsOf = (labels: Labels, minutes: number, ...points: Points): InputSeries[] => [
  series(restarts.name, { ...labels, reason: "oom" }, ...changing(minutes, ...points)),
  series(livesEnded.name, labels, ...changing(minutes, ...points)),
];

/** Each on a host of its own, since what an exporter is asked is a matter of the whole target. */
const alone = (name: string) => onHost(name, { instance: `${name}:9847` });

const longAgo = -10 * day;

export const oomLoop = (): RuleTestFile => {
  const alert = alerts.oomLoop.name;
  const end = 14 * hour;
  const labels = inCluster("killed-again-and-again");
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "OOM kills, one after another",
        situations: [
          situation(
            "killed every hour and a half, from hour 2 on; another service grew",
            service(labels, end, endsAt(every(90, 2 * hour, 9 * hour), "oom", true)),
            series(oomGrowth.name, { ...labels, grew: "report-worker" }, ...changing(end, [2 * hour, 0.83])),
            series(oomGrowth.name, { ...labels, grew: "cache" }, ...changing(end, [2 * hour, 0.12])),
          ),
          situation(
            "the kernel was not seen to do it, but each time it was near its limit",
            service(onHost("suspected"), end, endsAt(every(90, 2 * hour, 9 * hour), "suspected_oom", true)),
          ),
          situation("killed once", service(onHost("killed-once"), end, endsAt([5 * hour], "oom"))),
          situation("killed twice, nine hours apart", service(onHost("killed-rarely"), end, endsAt([150, 690], "oom"))),
          situation("crashes every hour", service(onHost("crashes"), end, endsAt(every(hour, 30, end), "exit"))),
          situation(
            "killed once; then the exporter is restarted three times",
            service(onHost("exporter-restarted"), end, endsAt([100], "oom"), [200, 230, 260]),
          ),
        ],
        expect: [
          isSilent("once may be an accident", 3 * hour, alert),
          fires(
            "after some of them, certain or suspected",
            8 * hour + 5,
            alert,
            said(alert, labels, "critical", {
              summary: "killed-again-and-again on 10.0.0.7:9847 (eu/shop): OOM-killed 4 times within 6h",
              description: `Killed: killed-again-and-again; grew most in the hour before: report-worker, 83% of the growth. In the last 24 h: exits 5, still growing 5, OOM kills 5. ${lastExit("oom")} First: undo the last deploy or change of the limit; if there was none, raise the limit to get through.`,
              verdict: "restart_loop",
            }),
            said(alert, onHost("suspected"), "critical", {
              summary: "suspected on db1:9847: OOM-killed 4 times within 6h",
              description: `Killed: suspected. In the last 24 h: exits 5, still growing 5, OOM kills 5. ${lastExit("suspected_oom")} First: undo the last deploy or change of the limit; if there was none, raise the limit to get through.`,
              verdict: "restart_loop",
            }),
          ),
          firedFor("none of the others", end - 5, `alertname="${alert}"`, "killed-again-and-again", "suspected"),
        ],
      },
    ],
  };
};

/** By the minute, since it is about single scrapes. */
export const oomLoopFromTheStart = (): RuleTestFile => {
  const loop = `alertname="${alerts.oomLoop.name}"`;
  const killed = `alertname="${alerts.oomKilled.name}"`;
  const any = 'class="restarts"';
  const end = 7 * hour;
  const always: Points = [[0, 1]];
  const old: Points = [[0, longAgo]];
  const of = (name: string, scraped: Points, started: Points, ...points: Points) => [
    ...exporterOf(alone(name), end, scraped, started),
    ...oomRestartsOf(alone(name), end, ...points),
  ];
  const secondKill = 13;
  const pod = alone("pod-is-deleted");
  const pair = (replica: string) => onHost("scraped-by-a-pair", { instance: "pair:9847", replica });
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "OOM loops that nobody has watched for an hour",
        situations: [
          situation(
            "a sidecar, and kills 10 and 13 minutes after its first scrape",
            of("counted-from-0", [[0, 1]], [[0, 0]], [0, 0], [10, 1], [secondKill, 2]),
          ),
          situation(
            "a sidecar whose service was killed before its first scrape",
            of("first-scrape-has-1", [[9, 1]], [[9, 8]], [9, 1], [secondKill, 2]),
          ),
          situation(
            "a sidecar whose service was killed twice before its first scrape",
            of("first-scrape-has-2", [[secondKill, 1]], [[secondKill, secondKill - 1]], [secondKill, 2]),
          ),
          situation(
            "a service that comes to a host whose exporter is old, killed before the first scrape",
            of("new-on-an-old-host", always, old, [370, 1], [370 + secondKill, 2]),
          ),
          situation(
            "its exporter is restarted between two kills, and scraped from 0",
            of(
              "restarted-between",
              [
                [0, 1],
                [40, undefined],
                [43, 1],
              ],
              [
                [0, longAgo],
                [43, 42],
              ],
              [0, 0],
              [30, 1],
              [40, undefined],
              [43, 0],
              [60, 1],
            ),
          ),
          situation(
            "workers are killed, and their root lives on",
            exporterOf(alone("workers"), end, always, old),
            series(restarts.name, { ...alone("workers"), reason: "oom" }, level(0, end)),
            series(livesEnded.name, alone("workers"), ...changing(end, [0, 0], [10, 1], [secondKill, 2])),
            series(kills.name, alone("workers"), ...changing(end, [0, 0], [10, 1], [secondKill, 2])),
          ),
          situation(
            "a pair of servers scrapes it",
            ...["a", "b"].map((replica) => [
              ...exporterOf(pair(replica), end, always, [[0, 0]]),
              ...oomRestartsOf(pair(replica), end, [0, 0], [10, 1], [secondKill, 2]),
            ]),
          ),
          situation(
            "a pod that is deleted after five kills",
            exporterOf(
              pod,
              end,
              [
                [0, 1],
                [30, undefined],
              ],
              [[0, 0]],
            ),
            oomRestartsOf(pod, end, [0, 0], [2, 1], [4, 2], [8, 3], [13, 4], [20, 5], [30, undefined]),
          ),
        ],
        expect: [
          firedFor("after one kill none of them", 12, loop, "pod-is-deleted"),
          firedFor(
            "at the second kill all of them, within one evaluation",
            secondKill,
            loop,
            "counted-from-0",
            "first-scrape-has-1",
            "first-scrape-has-2",
            "pod-is-deleted",
            "scraped-by-a-pair",
            "workers",
          ),
          firedFor(
            "one problem is one alert, except for the first kill",
            12,
            killed,
            "counted-from-0",
            "first-scrape-has-1",
            "pod-is-deleted",
            "scraped-by-a-pair",
            "workers",
          ),
          firedFor(
            "an exporter that is restarted hides no loop",
            60,
            `${loop},group="restarted-between"`,
            "restarted-between",
          ),
          firedFor("nor does an old one", 370 + secondKill, `${loop},group="new-on-an-old-host"`, "new-on-an-old-host"),
          neverNow("while the loop fires, single kills are no news", 60, killed),
          neverNow(
            "a pod that is gone is in no loop, but for the hour for which the alert is kept",
            105,
            `${any},group="pod-is-deleted"`,
          ),
        ],
      },
      {
        name: "nothing that makes up a kill",
        situations: [
          situation(
            "a Prometheus that is new, or has lost its data, beside an exporter that has counted 40 kills in ten days",
            of("forty-kills-long-ago", always, old, [0, 40]),
          ),
          situation(
            "the same, whose scrapes are missing for twenty minutes, twice",
            of(
              "scrape-gaps",
              [
                [0, 1],
                [100, undefined],
                [120, 1],
                [300, undefined],
                [320, 1],
              ],
              old,
              [0, 40],
              [100, undefined],
              [120, 40],
              [300, undefined],
              [320, 40],
            ),
          ),
          situation(
            "an exporter that is restarted every twenty minutes and counts nothing",
            of(
              "exporter-restarts",
              always,
              [
                [0, 0],
                [20, 20],
                [40, 40],
                [60, 60],
              ],
              [0, 0],
            ),
          ),
          situation(
            "one that had counted 40 and is restarted",
            of(
              "counts-from-0-again",
              [
                [0, 1],
                [60, undefined],
                [62, 1],
              ],
              [
                [0, longAgo],
                [62, 61],
              ],
              [0, 40],
              [60, undefined],
              [62, 0],
            ),
          ),
          situation(
            "its target gets another label, and so all its series are new",
            exporterOf(
              alone("relabelled"),
              end,
              [
                [0, 1],
                [100, undefined],
              ],
              [
                [0, longAgo],
                [100, undefined],
              ],
            ),
            exporterOf({ ...alone("relabelled"), team: "shop" }, end, [[100, 1]], [[100, longAgo]]),
            oomRestartsOf(alone("relabelled"), end, [0, 40], [100, undefined]),
            oomRestartsOf({ ...alone("relabelled"), team: "shop" }, end, [100, 40]),
          ),
        ],
        expect: [neverFired("no alert at any time", end - 1, any)],
      },
      {
        name: "one kill is one",
        situations: [
          situation("in the second of two scrapes", of("second-scrape", [[0, 1]], [[0, 0]], [0, 0], [1, 1])),
          situation(
            "counted as a kill and as a restart",
            of("kill-and-restart", always, old, [0, 3], [5, 4]),
            series(kills.name, alone("kill-and-restart"), ...changing(end, [0, 3], [5, 4])),
          ),
          situation(
            "in the second scrape of a new Prometheus, where an increase is extrapolated to 1.5",
            of("new-prometheus", always, old, [0, 40], [1, 41]),
          ),
          situation("before the first scrape of a sidecar", of("first-scrape", [[1, 1]], [[1, 0]], [1, 1])),
        ],
        expect: [
          firedFor("each is told", 6, killed, "first-scrape", "kill-and-restart", "new-prometheus", "second-scrape"),
          neverFired("and none is a loop", end - 1, loop),
        ],
      },
      {
        name: "a new Prometheus beside an old exporter, from then on",
        situations: [
          situation(
            "kills after 10 and 13 minutes",
            of("known-at-once", always, old, [0, 40], [10, 41], [secondKill, 42]),
          ),
        ],
        expect: [firedFor("is not blind", secondKill, loop, "known-at-once")],
      },
    ],
  };
};

export const oomKilled = (): RuleTestFile => {
  const alert = alerts.oomKilled.name;
  const end = 5 * hour;
  const labels = onHost("killed");
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "one OOM kill",
        situations: [
          situation("killed once, after 90 minutes", service(labels, end, endsAt([90], "oom", true))),
          situation(
            "gone near its limit, after 90 minutes",
            service(onHost("gone"), end, endsAt([90], "suspected_oom")),
          ),
          situation("crashed, after 90 minutes", service(onHost("crashed"), end, endsAt([90], "exit"))),
          situation("nothing happened; the exporter was restarted", service(onHost("calm"), end, [], [100])),
        ],
        expect: [
          fires(
            "both kinds of kill; the numbers include the kill itself",
            100,
            alert,
            said(alert, labels, "info", {
              summary: "killed on db1:9847: OOM-killed in the last hour",
              description: `Killed: killed. In the last 24 h: exits 1, still growing 1, OOM kills 1. ${lastExit("oom")} First: see whether it grew up to its limit or jumped to it.`,
            }),
            said(alert, onHost("gone"), "info", {
              summary: "gone on db1:9847: OOM-killed in the last hour",
              description: `Killed: gone. In the last 24 h: exits 1, OOM kills 1. ${lastExit("suspected_oom")} First: see whether it grew up to its limit or jumped to it.`,
            }),
          ),
          isSilent("more than an hour later it is history", 155, alert),
          firedFor("nothing else was called an OOM kill", end - 5, `alertname="${alert}"`, "gone", "killed"),
        ],
      },
    ],
  };
};

export const restartLoop = (): RuleTestFile => {
  const alert = alerts.restartLoop.name;
  const end = 3 * hour;
  const everyTenMinutes = every(10, 5, end);
  const labels = inCluster("crashes");
  const replicas = (name: string, count: number, ends: readonly End[]) => [
    ...ledgerOf(onHost(name), end, ends),
    series(processes.name, onHost(name), level(count, end)),
  ];
  const six = [30, 32, 34, 36, 38, 40];
  const crashes = [30, 33, 38, 48];
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "many restarts in an hour",
        situations: [
          situation("crashes every ten minutes", service(labels, end, endsAt(everyTenMinutes, "exit"))),
          situation(
            "crashes so soon after each start that no process is ever seen",
            ledgerOf(onHost("dies-at-once"), end, endsAt(everyTenMinutes, "exit")),
            series(processes.name, onHost("dies-at-once"), level(0, end)),
          ),
          situation("crashes twice in an hour", service(onHost("seldom"), end, endsAt(every(30, 5, end), "exit"))),
          situation(
            "a clock starts it every ten minutes",
            service(onHost("scheduled"), end, endsAt(everyTenMinutes, "scheduled")),
          ),
          situation(
            "killed every ten minutes, which is an OOM loop",
            service(onHost("killed"), end, endsAt(everyTenMinutes, "oom")),
          ),
          situation("a deploy replaces six replicas one after another", replicas("deploy", 6, endsAt(six, "exit"))),
          situation(
            "and all at once, in another service",
            replicas("deploy-at-once", 6, endsAt([30, 30, 30, 30, 30, 30], "exit")),
          ),
          situation(
            "one of six replicas crashes again and again",
            replicas("one-of-six", 6, endsAt(crashes, "exit")),
            series(
              groupMetrics.verdict.name,
              { ...onHost("one-of-six"), verdict: "restart_loop" },
              ...changing(end, [33, verdictCode.restart_loop], [93, undefined]),
            ),
          ),
          situation(
            "three restarts; then the exporter is restarted and counts from 0",
            service(onHost("exporter-restarted"), end, endsAt([31, 32, 33], "exit"), [40]),
          ),
        ],
        expect: [
          isSilent("three are no loop", 34, alert),
          firedFor("at the fourth, within one evaluation", 35, `alertname="${alert}"`, "crashes", "dies-at-once"),
          fires(
            "six in an hour",
            170,
            alert,
            ...[labels, onHost("dies-at-once")].map((of) =>
              said(alert, of, "warning", {
                summary: `${of["group"]} on ${of === labels ? "10.0.0.7:9847 (eu/shop)" : "db1:9847"}: restarted 6 times in the last hour`,
                description: `Neither a clock nor an OOM kill restarted it. In the last 24 h: exits 17. ${lastExit("exit")} First: read the last log lines before an exit; roll back if it began with a deploy.`,
                verdict: "restart_loop",
              }),
            ),
          ),
          firedFor(
            "none of the others at any time",
            end - 1,
            `alertname="${alert}"`,
            "crashes",
            "dies-at-once",
            "one-of-six",
          ),
        ],
      },
    ],
  };
};

export const restartsRecur = (): RuleTestFile => {
  const alert = alerts.restartsRecur.name;
  const end = 7 * day;
  const labels = onHost("every-other-day");
  const noon = (of: number): End => ({ at: of * day + 12 * hour, reason: "exit" });
  return {
    evaluation: 6 * evaluation.slow,
    tests: [
      {
        name: "a restart now and then",
        situations: [
          situation("one at noon of every other day", ledgerOf(labels, end, [noon(0), noon(2), noon(4)])),
          situation(
            "three deploys on one day",
            ledgerOf(onHost("deploys"), end, endsAt([3 * day, 3 * day + 3 * hour, 3 * day + 6 * hour], "exit")),
          ),
          situation(
            "a clock starts it every night",
            ledgerOf(onHost("scheduled"), end, endsAt(every(day, 3 * hour, end), "scheduled")),
          ),
          situation("one in a week", ledgerOf(onHost("once"), end, [noon(2)])),
        ],
        expect: [
          isSilent("two are no pattern", 4 * day, alert),
          fires(
            "on three days",
            5 * day + 6 * hour,
            alert,
            said(alert, { ...labels, over: "7d" }, "info", {
              summary: "every-other-day on db1:9847: restarts recurrently, 3 times in the last 7d",
              description: `On 3 or more days, and no clock restarted it. In the last 24 h: exits 1. ${lastExit("exit")} First: compare the times with those of your deploys.`,
            }),
          ),
          firedFor("none of the others", end - 30, `alertname="${alert}"`, "every-other-day"),
        ],
      },
    ],
  };
};
