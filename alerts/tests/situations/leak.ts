// Growth of memory that is a leak, and growth that is not.

import { groupMetrics } from "../../../catalog/metrics.ts";
import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, fires, isSilent, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import {
  changing,
  endsAt,
  every,
  type InputSeries,
  type Labels,
  lastExit,
  ledgerOf,
  memoryOf,
  series,
} from "../series.ts";
import { bend, dailyWave, day, GiB, hour, level, line, MiB, minute, teeth, times } from "../shape.ts";
import { inCluster, onHost, plainAlert, slotAlert } from "../words.ts";

export const urgent = (): RuleTestFile => {
  const alert = "LeakwatchMemoryLeakUrgent";
  const leaking = (labels: Labels, limit = GiB) =>
    memoryOf(labels, limit, { memory: [line(300 * MiB, 1000 * MiB, 140)] }, { memory: [level(300 * MiB, 100)] });
  const flat = (labels: Labels) => memoryOf(labels, GiB, { memory: [level(300 * MiB, 4 * hour)], age: day });
  const said = (labels: Labels) =>
    slotAlert(
      alert,
      { ...labels, slot: "0", severity: "critical", class: "leak" },
      {
        does: "leaks memory and has hours to live",
        evidence: "It grew in every stretch of the last 40m or 2h.",
        verdict: "leaking",
      },
      { growth: "300MiB", confidence: "100%", memory: "750MiB", limit: "1GiB", timeLeft: "54m" }, // (1024 - 750) / 5 is 54.8
    );
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "5 MiB a minute towards a limit of 1 GiB",
        situations: [
          situation(
            "leaks until it is started again after 2 h 20 min, on a host without cluster and namespace",
            leaking(onHost("leaks")),
          ),
          situation("the same in api of cluster eu", leaking(inCluster("api"))),
          situation("api of cluster us is level", flat(inCluster("api", { cluster: "us" }))),
          situation("what another job sees of cluster eu is level", flat(inCluster("api", { job: "hosts" }))),
          situation(
            "fills its caches in the first hour: 200 to 600 MiB, slower and slower",
            memoryOf(onHost("warms-up"), GiB, {
              memory: [...bend(200 * MiB, 600 * MiB, 15, 2 * hour), level(600 * MiB, 2 * hour)],
            }),
          ),
          situation(
            "a heap that is collected every 20 minutes: 300 to 700 MiB and back",
            memoryOf(onHost("collects-garbage"), GiB, { memory: teeth(() => 300 * MiB, 400 * MiB, 20, 12), age: day }),
          ),
          situation(
            "a job that takes 400 MiB for 10 minutes in every hour",
            memoryOf(onHost("runs-a-job"), GiB, {
              memory: times(4, () => [level(300 * MiB, 50), level(700 * MiB, 10)]),
              age: day,
            }),
          ),
          situation(
            "one step of 300 MiB",
            memoryOf(onHost("steps"), GiB, { memory: [level(400 * MiB, 100), level(700 * MiB, 140)], age: day }),
          ),
        ],
        expect: [
          isSilent("after half an hour nothing can be said", 30, alert),
          fires("after an hour and a half it is known", 90, alert, said(onHost("leaks")), said(inCluster("api"))),
          isSilent("more than an hour after the restart it is over", 235, alert),
          firedFor("nothing else was taken for a leak", 239, 'class="leak"', "api", "leaks"),
        ],
      },
    ],
  };
};

export const steady = (): RuleTestFile => {
  const alert = "LeakwatchMemoryLeakSteady";
  const labels = inCluster("leaks");
  const hours = 44;
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "two days of growth with the limit far away",
        situations: [
          situation(
            "50 MiB an hour, at any hour, with a limit of 8 GiB",
            memoryOf(labels, 8 * GiB, { memory: [line(300 * MiB, (300 + 50 * hours) * MiB, hours * hour)] }),
          ),
          situation(
            "a heap that is collected every two hours, over a level floor",
            memoryOf(inCluster("collects-garbage"), 8 * GiB, {
              memory: teeth(() => 300 * MiB, 400 * MiB, 2 * hour, hours / 2),
              age: day,
            }),
          ),
          situation(
            "grows for ten hours, 300 to 800 MiB, and stops",
            memoryOf(inCluster("grows-and-stops"), 8 * GiB, {
              memory: [line(300 * MiB, 800 * MiB, 10 * hour), level(800 * MiB, (hours - 10) * hour)],
            }),
          ),
          situation(
            "twice as much by day as by night",
            memoryOf(inCluster("daily-load"), 8 * GiB, { memory: dailyWave(300 * MiB, 600 * MiB, 2), age: day }),
          ),
        ],
        expect: [
          isSilent("half a day of it might be a cache that fills", 12 * hour, alert),
          firedFor("nothing else was taken for a leak", hours * hour - 5, 'class="leak"', "leaks"),
          fires(
            "two windows say so, and it is one alert",
            40 * hour,
            alert,
            slotAlert(
              alert,
              { ...labels, slot: "0", severity: "warning", class: "leak" },
              {
                does: "leaks memory steadily",
                evidence: "It grew in every stretch of the last 22h or 1d12h.",
                verdict: "leaking",
              },
              { growth: "50MiB", confidence: "100%", memory: "2.246GiB", limit: "8GiB", timeLeft: "4d 21h" },
            ),
          ),
        ],
      },
    ],
  };
};

export const slow = (): RuleTestFile => {
  const alert = "LeakwatchMemoryLeakSlow";
  const labels = onHost("leaks");
  const hours = 80;
  return {
    evaluation: 2 * evaluation.slow,
    tests: [
      {
        name: "days of growth that no chart of a day shows",
        situations: [
          situation(
            "0.3 MiB an hour on 700 MiB: 1 % a day",
            memoryOf(labels, 2 * GiB, { memory: [line(700 * MiB, 724 * MiB, hours * hour)] }),
          ),
          situation(
            "1 % on the first day, and level since",
            memoryOf(onHost("grew-once"), 2 * GiB, {
              memory: [line(700 * MiB, 707 * MiB, day), level(707 * MiB, (hours - 24) * hour)],
            }),
          ),
          situation(
            "5 % more by day than by night",
            memoryOf(onHost("daily-load"), 2 * GiB, {
              memory: [...dailyWave(700 * MiB, 735 * MiB, 3), level(735 * MiB, 8 * hour)],
              age: day,
            }),
          ),
        ],
        expect: [
          isSilent("after two days it is too little to be told from noise", 48 * hour, alert),
          fires(
            "after three days it is known",
            79 * hour,
            alert,
            slotAlert(
              alert,
              { ...labels, slot: "0", severity: "info", class: "leak" },
              {
                does: "leaks memory slowly",
                evidence: "Each of the last days stands above the day before.",
                verdict: "leaking",
              },
              {
                growth: "307.2kiB",
                confidence: "100%",
                memory: "723.7MiB",
                limit: "2GiB",
                timeLeft: "183d 22h",
              },
            ),
          ),
          firedFor("by this alert alone, and nothing else was", 79 * hour, 'class="leak"', "leaks"),
          neverFired("by this alert alone", 79 * hour, `class="leak",alertname!="${alert}"`),
        ],
      },
      {
        name: "the lows of days whose highs are all different",
        situations: [
          situation(
            "each night 40 MiB above the night before",
            memoryOf(onHost("rising-nights"), 8 * GiB, {
              memory: unevenDays((night) => (700 + 40 * night) * MiB),
              age: day,
            }),
          ),
          situation(
            "the same days, and level nights",
            memoryOf(onHost("level-nights"), 8 * GiB, { memory: unevenDays(() => 700 * MiB), age: day }),
          ),
          situation(
            "the same nights, but started again on the third day",
            memoryOf(
              onHost("started-again"),
              8 * GiB,
              { memory: [level(700 * MiB, 2 * day)], age: day },
              { memory: unevenDays((night) => (700 + 40 * night) * MiB).slice(4) },
            ),
          ),
        ],
        expect: [
          isSilent("three nights might be chance", 3 * day, alert),
          fires(
            "after five they are none, and the growth is that of the nights",
            5 * day,
            alert,
            slotAlert(
              alert,
              { ...onHost("rising-nights"), slot: "0", severity: "info", class: "leak" },
              {
                does: "leaks memory slowly",
                evidence: "Each of the last days stands above the day before.",
                verdict: "leaking",
              },
              { growth: "1.667MiB", confidence: "74.38%", memory: "1.27GiB", limit: "8GiB", timeLeft: "166d 20h" }, // 40 / 24, and (8192 - 1517) / 40
            ),
          ),
          firedFor("nothing else was taken for a leak", 6 * day - 5, 'class="leak"', "rising-nights"),
          neverFired("by this alert alone", 6 * day - 5, `class="leak",alertname!="${alert}"`),
        ],
      },
    ],
  };
};

/** Six days from high to low to high: each high is another one, so that no hour tells anything about the same hour of the next day. */
function unevenDays(low: (night: number) => number) {
  const highs = [1500, 1250, 1600, 1200, 1550, 1300, 1650].map((mebibytes) => mebibytes * MiB);
  return times(6, (night) => [
    line(highs[night] as number, low(night), day / 2),
    line(low(night), highs[night + 1] as number, day / 2),
  ]);
}

/** Memory of lives that all begin at 300 MiB and grow by 2 MiB a minute to their end. */
const growingLives = (labels: Labels, each: number, count: number): InputSeries[] =>
  memoryOf(
    labels,
    4 * GiB,
    ...Array.from({ length: count }, () => ({ memory: [line(300 * MiB, (300 + 2 * each) * MiB, each)] })),
  );

export const masked = (): RuleTestFile => {
  const alert = "LeakwatchMemoryLeakMasked";
  const end = 26 * hour;
  const cron = every(2 * hour, 2 * hour, end);
  const restarted = inCluster("restarted-by-cron");
  const said = (labels: Labels, words: { ended: string; last?: string } & Readonly<Record<string, string>>) =>
    plainAlert(
      alert,
      { ...labels, severity: "warning", class: "leak" },
      {
        summary: `${labels["group"]} on ${labels["cluster"] === undefined ? labels["instance"] : `${labels["instance"]} (eu/shop)`}: restarts are masking a memory leak`,
        description: [
          "Most of its processes were still growing when they exited.",
          ...(words["inside"] === undefined ? [] : [words["inside"]]),
          words.ended,
          ...(words.last === undefined ? [] : [words.last]),
          "First: keep the restarts; take a heap snapshot shortly before the next one.",
        ].join(" "),
        verdict: "masked_leak",
        growth: words["growth"] ?? "",
        time_left: words["timeLeft"] ?? "",
      },
      "leakwatch-restarts",
      "7d",
    );
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "restarts every two hours",
        situations: [
          situation(
            "all lives grow by 2 MiB a minute until cron ends them",
            growingLives(restarted, 2 * hour, 13),
            ledgerOf(restarted, end, endsAt(cron, "scheduled", true)),
          ),
          situation(
            "two lives grew until the kernel ended them; the rest of the day is quiet",
            ledgerOf(onHost("killed-twice"), end, endsAt([3 * hour, 5 * hour], "oom", true)),
          ),
          situation(
            "a master recycles its workers after so many requests; each grows until then, and nothing restarts",
            [groupMetrics.livesEnded, groupMetrics.livesEndedGrowing].map(({ name }) =>
              series(
                name,
                onHost("recycled-workers"),
                ...changing(end, ...every(90, 0, end).map((at, i) => [at, i] as const)),
              ),
            ),
          ),
          situation("cron restarts a healthy service", ledgerOf(onHost("healthy"), end, endsAt(cron, "scheduled"))),
          situation(
            "three of twelve lives ended in the morning, when memory rises with the load",
            ledgerOf(onHost("mornings"), end, [
              ...endsAt(cron.slice(0, 3), "scheduled", true),
              ...endsAt(cron.slice(3), "scheduled"),
            ]),
          ),
          situation(
            "crashes every ten minutes, for another reason",
            ledgerOf(onHost("crashes"), end, endsAt(every(10, 5, end), "exit")),
          ),
          situation(
            "a healthy service again; the exporter is restarted after 13 hours and counts from 0",
            ledgerOf(onHost("exporter-restarted"), end, endsAt(cron, "scheduled"), [13 * hour]),
          ),
          situation(
            "grows in every life; the exporter is restarted after 20 hours",
            ledgerOf(onHost("exporter-restarted-too"), end, endsAt(cron, "scheduled", true), [20 * hour]),
          ),
        ],
        expect: [
          isSilent("two growing lives are no pattern yet", 5 * hour - 5, alert),
          fires(
            "two OOM kills need no longer wait",
            7 * hour,
            alert,
            said(onHost("killed-twice"), {
              ended: "In the last 24 h: exits 2, still growing 2, OOM kills 2.",
              last: lastExit("oom"),
            }),
          ),
          fires(
            "most of a day later: the rate inside a life, and when it would have run out",
            23 * hour,
            alert,
            said(restarted, {
              inside:
                "Between restarts it grows 120MiB per hour. Without restarts it would reach its limit 1d 7h after a start.", // (4096 - 300) / 120
              ended: "In the last 24 h: exits 11, still growing 11.",
              last: lastExit("scheduled"),
              growth: "120MiB per hour",
              timeLeft: "1d 7h after each start",
            }),
            said(onHost("exporter-restarted-too"), {
              ended: "In the last 24 h: exits 10, still growing 10.",
              last: lastExit("scheduled"),
            }),

            said(onHost("recycled-workers"), { ended: "In the last 24 h: exits 15, still growing 15." }),
            said(onHost("killed-twice"), {
              ended: "In the last 24 h: exits 2, still growing 2, OOM kills 2.",
              last: lastExit("oom"),
            }),
          ),
          firedFor(
            "nothing else was taken for a leak",
            end - 5,
            'class="leak"',
            "exporter-restarted-too",
            "killed-twice",
            "recycled-workers",
            "restarted-by-cron",
          ),
          neverFired("no other alert speaks of these", end - 5, `class="leak",alertname!="${alert}"`),
        ],
      },
    ],
  };
};

export const oomPredicted = (): RuleTestFile => {
  const alert = "LeakwatchOomPredicted";
  const labels = onHost("nearly-full");
  const hoursLeft = onHost("hours-left");
  const says = (
    of: Labels,
    severity: string,
    window: string,
    passed: string,
    numbers: { growth: string; memory: string; limit: string; timeLeft: string },
  ) =>
    slotAlert(
      alert,
      { ...of, slot: "0", severity, class: "leak" },
      {
        does: `will reach its memory limit within ${window}`,
        evidence: `It leaks, and has passed ${passed} of its limit.`,
        verdict: "leaking",
      },
      { confidence: "100%", ...numbers },
    );
  const minutes = { growth: "300MiB", memory: "725MiB", limit: "800MiB", timeLeft: "15m" };
  const hours = { growth: "120MiB", memory: "730MiB", limit: "1.172GiB", timeLeft: "3h 55m" }; // (1200 - 730) / 2
  return {
    evaluation: evaluation.fast,
    tests: [
      {
        name: "level and trend",
        situations: [
          situation(
            "5 MiB a minute, 75 MiB below its limit",
            memoryOf(labels, 800 * MiB, { memory: [line(300 * MiB, 800 * MiB, 100)] }),
          ),
          situation(
            "2 MiB a minute, half way to its limit after three hours",
            memoryOf(hoursLeft, 1200 * MiB, { memory: [line(300 * MiB, 740 * MiB, 220)] }),
          ),
          situation(
            "the same leak with hours of room: it leaks, but is at a quarter of its limit",
            memoryOf(onHost("far-away"), 2000 * MiB, { memory: [line(100 * MiB, 600 * MiB, 100)] }),
          ),
          situation(
            "a heap that bends to its maximum just below the limit: there is a trend, but no leak",
            memoryOf(onHost("heap-to-its-maximum"), 800 * MiB, {
              memory: bend(400 * MiB, 760 * MiB, 20 * minute, 100),
            }),
          ),
        ],
        expect: [
          isSilent("as long as nothing is known to leak", 30, alert),
          fires(
            "what dies within the hour is told as soon as it is known to leak",
            85,
            alert,
            says(labels, "critical", "1h", "70%", minutes),
          ),
          fires(
            "what has hours to go when the leak has gone on for hours; Alertmanager shows the gravest",
            215,
            alert,
            says(hoursLeft, "warning", "6h", "50%", hours),
            says(hoursLeft, "info", "1d", "30%", hours),
          ),
          firedFor("of these three", 90, `alertname="${alert}"`, "nearly-full"),
          firedFor(
            "although both leaks are known",
            90,
            'alertname=~"LeakwatchMemoryLeak.*"',
            "far-away",
            "hours-left",
            "nearly-full",
          ),
        ],
      },
    ],
  };
};
