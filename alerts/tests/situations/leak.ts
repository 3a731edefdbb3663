// What the exporter calls a leak, and how the rules pass it on.

import { alerts } from "../../../catalog/alerts.ts";
import {
  cgroupMetrics,
  groupMetrics,
  judgeMetrics,
  outsideMetrics,
  processMetrics,
  selfMetrics,
} from "../../../catalog/metrics.ts";
import { verdictCode } from "../../../catalog/verdicts.ts";
import { rules } from "../../../detection/rules.ts";
import { firedFor, fires, isSilent, type RuleTestFile, situation } from "../rule-test.ts";
import {
  changing,
  endsAt,
  type InputSeries,
  type Judged,
  type Labels,
  lastExit,
  ledgerOf,
  series,
  slotOf,
} from "../series.ts";
import { GiB, gap, gone, hour, level, MiB } from "../shape.ts";
import { inCluster, onHost, plainAlert, slotAlert, where, withoutGroup } from "../words.ts";

const { fast } = rules.evaluation;
const end = 3 * hour;
const likeALeak = "It grows as leaks do: steadily, without slowing down, and to new highs.";

const calm = (minutes: number): Judged => ({ minutes, verdict: "stable", severity: 0, memory: 300 * MiB });
/** 300 MiB an hour, with 55 minutes left. */
const leak: Omit<Judged, "minutes" | "severity"> = {
  verdict: "leaking",
  growth: 300 * MiB,
  confidence: 0.93,
  timeToOom: 55 * 60,
  memory: 749 * MiB,
};

const { timeToOom: _, ...paused } = leak;

export const memoryLeak = (): RuleTestFile => {
  const alert = alerts.memoryLeak.name;
  const said = (labels: Labels, severity: string, title: string, timeLeft: string) =>
    slotAlert(
      alert,
      { ...labels, slot: labels["slot"] ?? "0", severity, class: "leak" },
      {
        title,
        evidence: likeALeak,
        verdict: "leaking",
        growth: "300MiB per hour",
        numbers: "Confidence 93%. Memory 749MiB of 1GiB.",
        timeLeft,
      },
    );
  const slow = (labels: Labels) =>
    slotAlert(
      alert,
      { ...labels, slot: "0", severity: "info", class: "leak" },
      {
        title: "leaking memory slowly",
        evidence: likeALeak,
        verdict: "leaking",
        growth: "300MiB per hour",
        byGrowth: true,
      },
    );
  return {
    evaluation: fast,
    tests: [
      {
        name: "the exporter's severity is the alert's",
        situations: [
          situation(
            "critical for twenty minutes, then restarted",
            slotOf(inCluster("api"), GiB, calm(hour), { ...leak, minutes: 20, severity: 4 }, calm(100)),
          ),
          situation(
            "high, in the second slot of a service on a host",
            slotOf(onHost("worker", { slot: "1" }), GiB, calm(hour), {
              ...leak,
              minutes: 120,
              severity: 3,
              timeToOom: 20 * 3600,
            }),
          ),
          situation(
            "medium: days are left",
            slotOf(onHost("mail"), GiB, calm(hour), { ...leak, minutes: 120, severity: 2, timeToOom: 3 * 86_400 }),
          ),
          situation(
            "low: weeks are left",
            slotOf(onHost("slow"), GiB, calm(hour), { ...leak, minutes: 120, severity: 1, timeToOom: 20 * 86_400 }),
          ),
          situation(
            "high, and its growth pauses: there is no time left to be said",
            slotOf(onHost("pauses"), GiB, calm(hour), { ...paused, minutes: 120, severity: 3 }),
          ),
          situation(
            "grows as fast, but is not called a leak",
            slotOf(onHost("warms-up"), GiB, { ...leak, minutes: end, severity: 0, verdict: "warming_up" }),
          ),
        ],
        expect: [
          isSilent("while none leaked", hour - 1, alert),
          fires(
            "within a minute of the verdict; the exporter has waited before",
            hour,
            alert,
            said(inCluster("api"), "critical", "leaking memory", "55m"),
            said(onHost("worker", { slot: "1" }), "warning", "leaking memory", "20h 0m"),
            said(onHost("mail"), "warning", "leaking memory", "3d 0h"),
            said(onHost("pauses"), "warning", "leaking memory", ""),
            slow(onHost("slow")),
          ),
          firedFor("no other", end - 1, `alertname="${alert}"`, "api", "mail", "pauses", "slow", "worker"),
          fires(
            "one that was restarted is over after a quarter of an hour",
            97,
            alert,
            said(onHost("worker", { slot: "1" }), "warning", "leaking memory", "19h 23m"),
            said(onHost("mail"), "warning", "leaking memory", "2d 23h"),
            said(onHost("pauses"), "warning", "leaking memory", ""),
            slow(onHost("slow")),
          ),
        ],
      },
    ],
  };
};

export const oomPredicted = (): RuleTestFile => {
  const alert = alerts.oomPredicted.name;
  const said = (group: string, severity: string, within: string, timeLeft: string) =>
    slotAlert(
      alert,
      { ...onHost(group), slot: "0", severity, class: "leak" },
      {
        title: `OOM predicted within ${within}`,
        evidence: "It is leaking.",
        verdict: "leaking",
        growth: "300MiB per hour",
        numbers: "Confidence 93%. Memory 749MiB of 1GiB.",
        timeLeft,
      },
    );
  const left = (hours: number): Judged => ({ ...leak, minutes: end, severity: 3, timeToOom: hours * 3600 });
  return {
    evaluation: fast,
    tests: [
      {
        name: "leaks by the time that they have left",
        situations: [
          situation("an hour and a half", slotOf(onHost("soon"), GiB, { ...left(1.5), severity: 4 })),
          situation("as little, and too weak a case to wake anybody", slotOf(onHost("unsure"), GiB, left(1.5))),
          situation("five hours", slotOf(onHost("tonight"), GiB, left(5))),
          situation("twenty hours", slotOf(onHost("tomorrow"), GiB, left(20))),
          situation("two days", slotOf(onHost("later"), GiB, left(48))),
          situation("half an hour, and no leak", slotOf(onHost("fills"), GiB, { ...left(0.5), severity: 0 })),
        ],
        expect: [
          isSilent("what may be a matter of a moment", 4, alert),
          fires(
            "each by its nearest time and all that are further; Alertmanager passes on the gravest",
            80,
            alert,
            said("soon", "critical", "1h", "10m"),
            said("soon", "warning", "6h", "10m"),
            said("soon", "info", "1d", "10m"),
            said("unsure", "warning", "6h", "10m"),
            said("unsure", "info", "1d", "10m"),
            said("tonight", "warning", "6h", "3h 40m"),
            said("tonight", "info", "1d", "3h 40m"),
            said("tomorrow", "info", "1d", "18h 40m"),
          ),
        ],
      },
    ],
  };
};

export const masked = (): RuleTestFile => {
  const alert = alerts.memoryLeakMasked.name;
  const labels = inCluster("cron-restarts-it");
  const minutes = 10 * hour;
  const verdictOf = (of: Labels, word: "masked_leak" | "stable", from: number, to: number): InputSeries =>
    series(
      groupMetrics.verdict.name,
      { ...of, verdict: word },
      ...changing(minutes, [from, verdictCode[word]], [to, undefined]),
    );
  const slot = { ...labels, slot: "0" };
  return {
    evaluation: fast,
    tests: [
      {
        name: "services that are restarted every two hours",
        situations: [
          situation(
            "grows by 100 MiB an hour between restarts; masked from hour 2 on, for an hour",
            verdictOf(labels, "stable", 0, 2 * hour),
            verdictOf(labels, "masked_leak", 2 * hour, 3 * hour),
            series(judgeMetrics.growth.name, { ...slot, window: "1h" }, level((100 * MiB) / 3600, minutes)),
            series(judgeMetrics.floor.name, slot, level(624 * MiB, minutes)),
            series(processMetrics.memoryLimit.name, slot, level(GiB, minutes)),
            ledgerOf(labels, minutes, endsAt([60, 100], "scheduled", true)),
          ),
          situation("is level", verdictOf(onHost("level"), "stable", 0, minutes)),
        ],
        expect: [
          isSilent("before the verdict", 119, alert),
          fires(
            "with it; and so long afterwards that the next exit renews it",
            8 * hour,
            alert,
            plainAlert(
              alert,
              { ...labels, severity: "warning", class: "leak" },
              {
                summary: `${where(labels)}: restarts are masking a memory leak`,
                description: `Most of its processes were still growing when they exited. Between restarts it grows 100MiB per hour. Without restarts it would reach its limit 4h 0m after a start. In the last 24 h: exits 2, still growing 2. ${lastExit("scheduled")} First: keep the restarts; take a heap snapshot shortly before the next one.`,
                verdict: "masked_leak",
                growth: "100MiB per hour",
                time_left: "4h 0m after each start",
              },
              "leakwatch-restarts",
              "7d",
            ),
          ),
          isSilent("resolved when it is six hours over", 9 * hour + 10, alert),
        ],
      },
    ],
  };
};

/** Each pod has an exporter of its own, which ends with it: what Prometheus scraped last is all that is known of its end. */
export const maskedPods = (): RuleTestFile => {
  const alert = alerts.memoryLeakMasked.name;
  const lifetime = 2 * hour;
  const service = { cluster: "eu", namespace: "shop", job: "leakwatch" };
  /** A pod with its exporter, from minute to minute: was it still growing? */
  const pod = (group: string, i: number, [from, to]: readonly [number, number], growing: number): InputSeries[] => {
    const of = { ...service, instance: `${group}-${i}:9847` };
    return [
      series(selfMetrics.buildInfo.name, { ...of, version: "1.0.0" }, gap(from), level(1, to - from), gone),
      series(groupMetrics.growing.name, { ...of, group }, gap(from + 20), level(growing, to - from - 20), gone),
    ];
  };
  const pods = (group: string, growing: (i: number) => number) =>
    [0, 1, 2, 3, 4].flatMap((i) => pod(group, i, [i * lifetime, (i + 1) * lifetime], growing(i)));
  const text = plainAlert(
    alert,
    { ...service, group: "grows", severity: "warning", class: "leak" },
    {
      summary: "grows (eu/shop): restarts are masking a memory leak",
      description:
        "Most of its processes were still growing when they exited. First: keep the restarts; take a heap snapshot shortly before the next one.",
      verdict: "masked_leak",
      growth: "",
      time_left: "",
    },
    "leakwatch-restarts",
    "7d",
  );
  return {
    evaluation: fast,
    tests: [
      {
        name: "pods that are replaced every two hours",
        situations: [
          situation("grow until then", ...pods("grows", () => 1)),
          situation("grow half the time", ...pods("wavers", (i) => i % 2)),
          situation("are level", ...pods("level", () => 0)),
        ],
        expect: [
          isSilent("while three have ended", 3 * lifetime + 10, alert),
          fires("with the fourth", 4 * lifetime + 10, alert, text),
        ],
      },
      {
        name: "a deploy that replaces pods one after another",
        situations: [
          situation(
            "that were young",
            ...Array.from({ length: 12 }, (_, i) => pod("deployed", i, [0, 2 * hour + 6 * i], 1)).flat(),
          ),
        ],
        expect: [isSilent("is no masked leak", 4 * hour, alert)],
      },
    ],
  };
};

export const outside = (): RuleTestFile => {
  const alert = alerts.memoryLeakOutside.name;
  const of = (cgroup: string) => ({ ...withoutGroup(inCluster("")), cgroup });
  const cgroup = (name: string, severity: number, timeToOom: number) => [
    series(outsideMetrics.severity.name, of(name), level(0, hour), level(severity, 2 * hour)),
    series(outsideMetrics.timeToOom.name, of(name), level(timeToOom, end)),
    series(cgroupMetrics.outside.name, of(name), level(400 * MiB, end)),
  ];
  const said = (name: string, severity: string, left: string) =>
    plainAlert(
      alert,
      { ...of(name), severity, class: "leak" },
      {
        summary: `${name} on 10.0.0.7:9847 (eu/shop): memory outside its processes is leaking`,
        description: `It belongs to none of the processes in this cgroup: files in tmpfs, socket buffers or kernel memory. Outside its processes: 400MiB. At this pace the limit is reached in about ${left}. First: compare the files below /dev/shm and in memory-backed volumes with those of an hour ago.`,
      },
      "leakwatch-fleet",
      "24h",
    );
  return {
    evaluation: fast,
    tests: [
      {
        name: "memory of cgroups that belongs to no process",
        situations: [
          situation("fills a tmpfs, and has 50 minutes left", cgroup("/uploads", 4, 3000)),
          situation("has three days left", cgroup("/sockets", 2, 3 * 86_400)),
          situation("does not leak", cgroup("/level", 0, 90 * 86_400)),
        ],
        expect: [
          isSilent("before the verdict", 59, alert),
          fires("with it", hour, alert, said("/uploads", "critical", "50m"), said("/sockets", "warning", "3d 0h")),
        ],
      },
    ],
  };
};

interface Count {
  readonly alert: string;
  readonly timeToLimit: string;
  /** As the alert's text has them. */
  readonly does: string;
  readonly are: string;
  readonly metrics: { readonly now: string; readonly limit: string };
}

const countLeak = ({ alert, timeToLimit, does, are, metrics }: Count): RuleTestFile => {
  const labels = onHost("leaks", { slot: "0" });
  const of = (group: string, daysLeft: number) => {
    const slot = onHost(group, { slot: "0" });
    return [
      series(timeToLimit, slot, level(daysLeft * 86_400, end)),
      series(metrics.now, slot, level(424, end)),
      series(metrics.limit, slot, level(1024, end)),
    ];
  };
  return {
    evaluation: rules.evaluation.slow,
    tests: [
      {
        name: "counts that grow towards their limit",
        situations: [
          situation("six hundred left, and thirty hours", of("leaks", 1.25)),
          situation("six hundred left, and a month", of("hardly", 30)),
        ],
        expect: [
          isSilent("what may be a matter of a moment", 25, alert),
          fires(
            "half an hour later, and no other",
            end - 5,
            alert,
            plainAlert(
              alert,
              { ...labels, severity: "warning", class: "leak" },
              {
                summary: `${where(labels)}: ${does}`,
                description: `424 ${are}. They grow by 20 per hour; at this pace they reach the limit in 1d 6h.`,
                growth: "20 per hour",
                time_left: "1d 6h",
              },
              "leakwatch-process",
              "24h",
            ),
          ),
        ],
      },
    ],
  };
};

export const descriptorLeak = () =>
  countLeak({
    alert: alerts.descriptorLeak.name,
    timeToLimit: judgeMetrics.timeToFdLimit.name,
    does: "leaking file descriptors",
    are: "descriptors are open",
    metrics: { now: processMetrics.openFds.name, limit: processMetrics.maxFds.name },
  });

export const threadLeak = () =>
  countLeak({
    alert: alerts.threadLeak.name,
    timeToLimit: judgeMetrics.timeToThreadLimit.name,
    does: "leaking threads",
    are: "threads run",
    metrics: { now: processMetrics.threads.name, limit: processMetrics.maxThreads.name },
  });
