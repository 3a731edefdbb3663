// Growth that is not called a leak, little room, no limit, and a heap that is nearly full.

import { alerts } from "../../../catalog/alerts.ts";
import { processInfo, processMetrics } from "../../../catalog/metrics.ts";
import { rules } from "../../../detection/rules.ts";
import { firedFor, fires, isSilent, type RuleTestFile, situation } from "../rule-test.ts";
import { type Judged, type Labels, limitSource, series, slotOf } from "../series.ts";
import { GiB, hour, level, MiB } from "../shape.ts";
import { inCluster, onHost, plainAlert, slotAlert, where } from "../words.ts";

const { slow } = rules.evaluation;
const end = 8 * hour;

const growing: Judged = { minutes: end, verdict: "growing", severity: 0, growth: 30 * MiB, memory: 400 * MiB };
const of = (labels: Labels, severity: string) => ({ ...labels, slot: "0", severity, class: "capacity" });

export const memoryGrowth = (): RuleTestFile => {
  const alert = alerts.memoryGrowth.name;
  const labels = inCluster("uneven");
  return {
    evaluation: slow,
    tests: [
      {
        name: "30 MiB an hour",
        situations: [
          situation("of a limit of 1 GiB: seven tenths in a day", slotOf(labels, GiB, growing)),
          situation("of a limit of 8 GiB: a tenth in a day", slotOf(onHost("has-room"), 8 * GiB, growing)),
          situation("and slowing down", slotOf(onHost("warms-up"), GiB, { ...growing, verdict: "warming_up" })),
        ],
        expect: [
          isSilent("within an hour it may be over", 55, alert),
          fires(
            "what goes on, and no other",
            2 * hour,
            alert,
            slotAlert(alert, of(labels, "info"), {
              title: "memory keeps growing",
              evidence:
                "At the pace of the last 6h it takes 50% of its limit or more in a day. It is too uneven, or too young, to be called a leak.",
              verdict: "growing",
              growth: "30MiB per hour",
              byGrowth: true,
            }),
          ),
        ],
      },
    ],
  };
};

const flat = (share: number, verdict: Judged["verdict"], minutes = end): Judged => ({
  minutes,
  verdict,
  growth: 0,
  memory: share * GiB,
});

const levelAlert = (alert: string, labels: Labels, title: string, description: string, verdict?: string) =>
  plainAlert(
    alert,
    of(labels, "warning"),
    { summary: `${where(labels)}: ${title}`, description, ...(verdict === undefined ? {} : { verdict }) },
    "leakwatch-process",
    "24h",
  );

export const nearLimit = (): RuleTestFile => {
  const alert = alerts.memoryNearLimit.name;
  const labels = inCluster("full-and-flat");
  return {
    evaluation: slow,
    tests: [
      {
        name: "flat memory",
        situations: [
          situation("at 95 %", slotOf(labels, GiB, flat(0.95, "high_stable"))),
          situation("at 80 %", slotOf(onHost("has-room"), GiB, flat(0.8, "stable"))),
          situation(
            "at 95 % for twenty minutes",
            slotOf(onHost("for-a-while"), GiB, flat(0.95, "high_stable", 20), flat(0.5, "stable")),
          ),
        ],
        expect: [
          isSilent("it might be a spike", 25, alert),
          fires(
            "one is short of room",
            4 * hour,
            alert,
            levelAlert(
              alert,
              labels,
              "near its memory limit, but not growing",
              "This is a capacity problem, not a leak. Memory 972.8MiB of 1GiB.",
              "high_stable",
            ),
          ),
          firedFor("and no other", end - 5, `alertname="${alert}"`, "full-and-flat"),
        ],
      },
    ],
  };
};

export const noLimit = (): RuleTestFile => {
  const alert = alerts.noMemoryLimit.name;
  const labels = onHost("grows-without-limit");
  const elsewhere = { ...labels, instance: "db2:9847" };
  return {
    evaluation: slow,
    tests: [
      {
        name: "no limit but the memory of the machine, 64 GiB",
        situations: [
          situation("grows", slotOf(labels, 64 * GiB, growing), limitSource(labels, "node", end)),
          situation(
            "the same service on another host, which has a limit",
            slotOf(elsewhere, 8 * GiB, growing),
            limitSource(elsewhere, "cgroup", end),
          ),
          situation(
            "flat",
            slotOf(onHost("flat"), 64 * GiB, flat(0.5, "stable")),
            limitSource(onHost("flat"), "node", end),
          ),
        ],
        expect: [
          isSilent("it may only be starting", 4 * hour, alert),
          fires(
            "it has grown for many hours",
            7 * hour,
            alert,
            slotAlert(alert, of(labels, "info"), {
              title: "growing without a memory limit",
              evidence: "It would take the memory of the whole machine.",
              growth: "30MiB per hour",
              numbers: "Memory 400MiB of 64GiB.",
            }),
          ),
        ],
      },
    ],
  };
};

export const heapNearLimit = (): RuleTestFile => {
  const alert = alerts.heapNearLimit.name;
  const labels = inCluster("api");
  const heap = (where: Labels, runtime: string, used: number) => [
    ...slotOf(where, 4 * GiB, flat(0.5, "stable")),
    series(processMetrics.anonymousMemory.name, { ...where, slot: "0" }, level(used * 512 * MiB, end)),
    series(processMetrics.heapLimit.name, { ...where, slot: "0" }, level(512 * MiB, end)),
    series(processInfo.heapLimit.name, { ...where, slot: "0", runtime, source: "command_line" }, level(1, end)),
  ];
  return {
    evaluation: slow,
    tests: [
      {
        name: "heaps with a maximum of 512 MiB, in containers of 4 GiB",
        situations: [
          situation("Node.js at 98 %", heap(labels, "v8", 0.98)),
          situation("Node.js at 80 %", heap(onHost("has-room"), "v8", 0.8)),
          situation("Java at 98 %, which is how it uses its heap", heap(onHost("java"), "jvm", 0.98)),
        ],
        expect: [
          isSilent("for ten minutes it may be garbage", 5, alert),
          fires(
            "the first, and no other",
            hour,
            alert,
            levelAlert(
              alert,
              labels,
              "runtime's heap nearly full",
              "Its runtime exits with an out-of-memory error when the heap reaches its maximum, whatever is left of the memory limit. Memory 512MiB of 4GiB.",
            ),
          ),
        ],
      },
    ],
  };
};
