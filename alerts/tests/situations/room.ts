// High but level memory, no limit at all, and counts that leak: descriptors and threads.

import { processMetrics, recentMetrics } from "../../../catalog/metrics.ts";
import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, fires, isSilent, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import { type Labels, limitSource, memoryOf, riseOf, series } from "../series.ts";
import { bend, day, GiB, hour, level, line, MiB, type Stretch, times } from "../shape.ts";
import { inCluster, onHost, plainAlert, slotAlert } from "../words.ts";

export const nearLimit = (): RuleTestFile => {
  const alert = "LeakwatchMemoryNearLimit";
  const end = 6 * hour;
  const labels = inCluster("full-and-level");
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "little room",
        situations: [
          situation("level at 95 % of 1 GiB", memoryOf(labels, GiB, { memory: [level(972.8 * MiB, end)], age: day })),
          situation(
            "level at 80 %",
            memoryOf(onHost("has-room"), GiB, { memory: [level(819.2 * MiB, end)], age: day }),
          ),
          situation(
            "at 95 % too, and growing by 8 MiB an hour: a matter for the leak alerts",
            memoryOf(onHost("grows"), GiB, { memory: [line(950 * MiB, 998 * MiB, end)], age: day }),
          ),
          situation(
            "started half an hour ago, at 95 % from the first moment",
            memoryOf(onHost("young"), GiB, { memory: [level(972.8 * MiB, 30)] }),
          ),
        ],
        expect: [
          isSilent("it might be a spike", hour / 2, alert),
          fires(
            "one is short of room",
            4 * hour,
            alert,
            plainAlert(
              alert,
              { ...labels, slot: "0", severity: "warning", class: "capacity" },
              {
                summary: "full-and-level (slot 0) is near its memory limit, and level.",
                description: "It does not grow: this is a matter of room, not a leak. Memory 972.8MiB of 1GiB.",
                verdict: "high_stable",
              },
              "leakwatch-process",
              "24h",
            ),
          ),
          firedFor("and no other", end - 5, `alertname="${alert}"`, "full-and-level"),
          neverFired("and it is not called a leak", end - 5, 'class="leak",group="full-and-level"'),
        ],
      },
    ],
  };
};

export const noLimit = (): RuleTestFile => {
  const alert = "LeakwatchNoMemoryLimit";
  const end = 10 * hour;
  const labels = onHost("grows-without-limit");
  const growing = [line(500 * MiB, 600 * MiB, end)];
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "no limit but the memory of the machine, 64 GiB",
        situations: [
          situation(
            "grows by 10 MiB an hour",
            memoryOf(labels, 64 * GiB, { memory: growing }),
            limitSource(labels, "node", end),
          ),
          situation(
            "grows as fast, with a limit of its own",
            memoryOf(onHost("has-a-limit"), 8 * GiB, { memory: growing }),
            limitSource(onHost("has-a-limit"), "cgroup", end),
          ),
          situation(
            "has no limit, and is level",
            memoryOf(onHost("level"), 64 * GiB, { memory: [level(500 * MiB, end)], age: day }),
            limitSource(onHost("level"), "node", end),
          ),
          situation(
            "the same group on another host, which has a limit",
            memoryOf(onHost("grows-without-limit", { instance: "db2:9847" }), 8 * GiB, { memory: growing }),
            limitSource(onHost("grows-without-limit", { instance: "db2:9847" }), "cgroup", end),
          ),
        ],
        expect: [
          isSilent("it may only be starting", 4 * hour, alert),
          fires(
            "it has grown for many hours",
            9 * hour,
            alert,
            slotAlert(
              alert,
              { ...labels, slot: "0", severity: "info", class: "capacity" },
              {
                does: "grows and has no memory limit",
                evidence: "It would take the memory of the whole machine.",
              },
              { growth: "10MiB", memory: "590MiB", limit: "64GiB", timeLeft: "270d 14h" },
            ),
          ),
          firedFor("no other", end - 5, `alertname="${alert}"`, "grows-without-limit"),
        ],
      },
    ],
  };
};

interface Count {
  readonly alert: string;
  readonly metric: string;
  /** What the exporter tells of its growth. */
  readonly rise: string;
  /** As the alert's text has them. */
  readonly does: string;
  readonly are: string;
  /** Open at the start, opened per hour, and the time left at the end of the test. */
  readonly start: number;
  readonly perHour: number;
  readonly timeLeft: string;
  /** The series of the limit. */
  readonly limitOf: (labels: Labels) => ReturnType<typeof series>[];
}

const end = 15 * hour;

const countLeak = ({ alert, metric, rise, does, are, start, perHour, timeLeft, limitOf }: Count): RuleTestFile => {
  const labels = onHost("leaks", { slot: "0" });
  const of = (group: string, ...counts: readonly Stretch[]) => {
    const slot = onHost(group, { slot: "0" });
    return [
      series(metric, slot, ...counts),
      series(rise, slot, ...riseOf(counts, -60 * hour)),
      ...limitOf(slot),
      series(processMetrics.startTime.name, slot, level(-60 * hour, end)),
    ];
  };
  const now = start + perHour * 14.5;
  return {
    evaluation: evaluation.slow,
    tests: [
      {
        name: "half a day",
        situations: [
          situation(`${perHour} more every hour`, of("leaks", line(start, start + perHour * 15, end))),
          situation(
            "a pool that fills and stays",
            of("pool", ...bend(start, 10 * start, 30, 4 * hour), level(10 * start, 11 * hour)),
          ),
          situation(
            "rises and falls with the load",
            of("load", ...times(3, () => [line(start, 4 * start, 150), line(4 * start, start, 150)])),
          ),
          situation("two more every hour: too few to matter", of("hardly", line(start, start + 30, end))),
        ],
        expect: [
          isSilent("before half a day has passed", 8 * hour, alert),
          fires(
            "after it",
            14.5 * hour,
            alert,
            plainAlert(
              alert,
              { ...labels, severity: "warning", class: "leak" },
              {
                summary: `leaks (slot 0) ${does}.`,
                description: `${now} ${are}. They grow by ${perHour} per hour; at this pace they reach the limit in ${timeLeft}.`,
                growth: `${perHour} per hour`,
                time_left: timeLeft,
              },
              "leakwatch-process",
              "24h",
            ),
          ),
          firedFor("no other", end - 5, `alertname="${alert}"`, "leaks"),
        ],
      },
    ],
  };
};

export const descriptorLeak = () =>
  countLeak({
    alert: "LeakwatchDescriptorLeak",
    metric: processMetrics.openFds.name,
    rise: recentMetrics.fdRise.name,
    does: "leaks file descriptors",
    are: "descriptors are open",
    start: 100,
    perHour: 20,
    timeLeft: "1d 7h", // (1024 - 390) / 20
    limitOf: (labels) => [series(processMetrics.maxFds.name, labels, level(1024, end))],
  });

export const threadLeak = () =>
  countLeak({
    alert: "LeakwatchThreadLeak",
    metric: processMetrics.threads.name,
    rise: recentMetrics.threadRise.name,
    does: "leaks threads",
    are: "threads run",
    start: 50,
    perHour: 40,
    timeLeft: "3d 14h", // (4096 - 630) / 40 hours
    limitOf: (labels) => [series(processMetrics.maxThreads.name, labels, level(4096, end))],
  });
