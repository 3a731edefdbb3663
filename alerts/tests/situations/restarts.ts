// Restarts and OOM kills: of which kind, how many, how often. What the exporter has not known for an hour counts as nothing.

import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, fires, isSilent, type RuleTestFile, situation } from "../rule-test.ts";
import { type End, endsAt, every, type Labels, ledgerOf } from "../series.ts";
import { day, hour } from "../shape.ts";
import { inCluster, onHost, plainAlert } from "../words.ts";

const said = (alert: string, labels: Labels, severity: string, words: Labels) =>
  plainAlert(alert, { ...labels, severity, class: "restarts" }, words, "leakwatch-restarts", "7d");

export const restartLoop = (): RuleTestFile => {
  const alert = "LeakwatchRestartLoop";
  const end = 3 * hour;
  const everyTenMinutes = every(10, 5, end);
  const labels = inCluster("crashes");
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "many restarts in an hour",
        situations: [
          situation("crashes every ten minutes", ledgerOf(labels, end, endsAt(everyTenMinutes, "exit"))),
          situation("crashes twice in an hour", ledgerOf(onHost("seldom"), end, endsAt(every(30, 5, end), "exit"))),
          situation(
            "a clock starts it every ten minutes",
            ledgerOf(onHost("scheduled"), end, endsAt(everyTenMinutes, "scheduled")),
          ),
          situation(
            "five deploys in the first minutes; later the exporter is restarted and counts from 0",
            ledgerOf(onHost("exporter-restarted"), end, endsAt([1, 2, 3, 4, 5], "unknown"), [2 * hour]),
          ),
        ],
        expect: [
          isSilent("what was before the exporter came is not known", 30, alert),
          fires(
            "six in an hour",
            170,
            alert,
            said(alert, labels, "warning", {
              summary: "crashes restarts over and over.",
              description:
                "6 restarts in the last hour. Lives ended in the last day: 17, still growing: 0, killed for lack of memory: 0. Why the last one ended: exit (none). It ended at 97% of its limit.",
              verdict: "restart_loop",
            }),
          ),
          firedFor("none of the others at any time", end - 1, `alertname="${alert}"`, "crashes"),
        ],
      },
    ],
  };
};

export const oomKilled = (): RuleTestFile => {
  const alert = "LeakwatchOomKilled";
  const end = 5 * hour;
  const labels = onHost("killed");
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "one OOM kill",
        situations: [
          situation("killed once, after 90 minutes", ledgerOf(labels, end, endsAt([90], "oom", true))),
          situation(
            "gone near its limit, after 90 minutes",
            ledgerOf(onHost("gone"), end, endsAt([90], "suspected_oom")),
          ),
          situation("crashed, after 90 minutes", ledgerOf(onHost("crashed"), end, endsAt([90], "exit"))),
          situation("nothing happened; the exporter was restarted", ledgerOf(onHost("calm"), end, [], [100])),
        ],
        expect: [
          fires(
            "both kinds of kill; what is told counts the kill itself",
            100,
            alert,
            ...["killed", "gone"].map((group) =>
              said(alert, onHost(group), "info", {
                summary: `${group} was killed for lack of memory.`,
                description: `In the last hour the kernel killed a process of it, or one near its limit was gone. Lives ended in the last day: 1, still growing: ${group === "killed" ? 1 : 0}, killed for lack of memory: 1. Why the last one ended: ${group === "killed" ? "oom (cgroup_oom_kill)" : "suspected_oom (near_limit)"}. It ended at 97% of its limit.`,
              }),
            ),
          ),
          isSilent("more than two hours later it is history", 4 * hour, alert),
          firedFor("nothing else was called an OOM kill", end - 5, `alertname="${alert}"`, "gone", "killed"),
        ],
      },
    ],
  };
};

export const oomLoop = (): RuleTestFile => {
  const alert = "LeakwatchOomLoop";
  const end = 14 * hour;
  const labels = inCluster("killed-again-and-again");
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "OOM kills, one after another",
        situations: [
          situation(
            "killed every hour and a half, from hour 2 on",
            ledgerOf(labels, end, endsAt(every(90, 2 * hour, 9 * hour), "oom", true)),
          ),
          situation(
            "the kernel was not seen to do it, but each time it was near its limit",
            ledgerOf(onHost("suspected"), end, endsAt(every(90, 2 * hour, 9 * hour), "suspected_oom", true)),
          ),
          situation("killed once", ledgerOf(onHost("killed-once"), end, endsAt([5 * hour], "oom"))),
          situation(
            "killed twice, nine hours apart",
            ledgerOf(onHost("killed-rarely"), end, endsAt([150, 690], "oom")),
          ),
          situation("crashes every hour", ledgerOf(onHost("crashes"), end, endsAt(every(hour, 30, end), "exit"))),
          situation(
            "killed once; then the exporter is restarted three times",
            ledgerOf(onHost("exporter-restarted"), end, endsAt([100], "oom"), [200, 230, 260]),
          ),
        ],
        expect: [
          isSilent("once may be an accident", 3 * hour, alert),
          fires(
            "after some of them, certain or suspected",
            8 * hour + 5,
            alert,
            ...[labels, onHost("suspected")].map((of) =>
              said(alert, of, "critical", {
                summary: `${of["group"]} is killed for lack of memory, over and over.`,
                description: `It was killed at least 2 times within 6h. Lives ended in the last day: 5, still growing: 5, killed for lack of memory: 5. Why the last one ended: ${of === labels ? "oom (cgroup_oom_kill)" : "suspected_oom (near_limit)"}. It ended at 97% of its limit.`,
                verdict: "restart_loop",
              }),
            ),
          ),
          firedFor("none of the others", end - 5, `alertname="${alert}"`, "killed-again-and-again", "suspected"),
        ],
      },
    ],
  };
};

export const restartsRecur = (): RuleTestFile => {
  const alert = "LeakwatchRestartsRecur";
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
            said(alert, labels, "info", {
              summary: "every-other-day restarts now and then, week after week.",
              description:
                "3 restarts in the last 7d, on several days. Lives ended in the last day: 1, still growing: 0, killed for lack of memory: 0. Why the last one ended: exit (none). It ended at 97% of its limit.",
            }),
          ),
          firedFor("none of the others", end - 30, `alertname="${alert}"`, "every-other-day"),
        ],
      },
    ],
  };
};
