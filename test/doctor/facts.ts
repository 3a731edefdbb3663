// Facts of a machine, a server or a setup where all is well; tests change what they are about.

import { isAlert, type RuleGroup } from "../../alerts/rule.ts";
import { MiB } from "../../catalog/defaults.ts";
import { dashboardUids } from "../../catalog/links.ts";
import { defaultConfig } from "../../exporter/config/config.ts";
import type { Finding, Section } from "../../exporter/doctor/finding.ts";
import { examine } from "../../exporter/doctor/finding.ts";
import type { GrafanaFacts } from "../../exporter/doctor/grafana.ts";
import type { MachineFacts, SeenProcess, WatchedProcess } from "../../exporter/doctor/machine.ts";
import type { LoadedGroup, PrometheusFacts, ScrapeTarget } from "../../exporter/doctor/prometheus.ts";
import { nameOf } from "../../exporter/doctor/rule-differences.ts";
import type { SetupFacts } from "../../exporter/doctor/setup.ts";

export const watchedProcess = (changes: Partial<WatchedProcess> = {}): WatchedProcess => ({
  group: "api",
  limitSource: "cgroup",
  unreadable: new Map(),
  cgroup: { path: "/pod/api", reachedBy: "mount", hasEvents: true, hasPressure: true },
  ...changes,
});

export const seenProcess = (changes: Partial<SeenProcess> = {}): SeenProcess => ({
  pid: 7,
  name: "api",
  uid: 1000,
  kind: "target",
  showsProgram: true,
  watched: watchedProcess(),
  ...changes,
});

export const pause = seenProcess({ pid: 1, name: "pause", uid: 65535, kind: "pause", watched: undefined });

export const machineFacts = (changes: Partial<MachineFacts> = {}): MachineFacts => ({
  procfs: "/proc",
  cgroupfs: "/sys/fs/cgroup",
  ownPid: 50,
  credentials: { uid: 1000, effectiveUid: 1000, ptrace: false, namespacePids: [50] },
  hidepid: undefined,
  kernelThreads: 0,
  zombies: 0,
  closed: new Map(),
  processes: [pause, seenProcess()],
  cgroups: { version: 2, hybrid: false, mounts: [{ version: 2, root: "/", mountPoint: "/sys/fs/cgroup" }] },
  ownLimit: { bytes: 96 * MiB, source: "cgroup" },
  ownUsage: 50 * MiB,
  nodeMemory: 8192 * MiB,
  kernel: { release: "6.12.0", fdCount: "size", countsOomKills: true },
  maxKept: 800,
  rules: [],
  ignores: [],
  rulesNeedRights: false,
  unmatched: "watch",
  smapsEnabled: false,
  ...changes,
});

export const setupFacts = (changes: Partial<SetupFacts> = {}): SetupFacts => ({
  configFile: undefined,
  configError: undefined,
  config: defaultConfig,
  address: "127.0.0.1:9847",
  port: { is: "leakwatch", version: "0.1.0", notReady: undefined },
  ...changes,
});

export const scrapeTarget = (changes: Partial<ScrapeTarget> = {}): ScrapeTarget => ({
  job: "leakwatch",
  instance: "shop:9847",
  url: "http://shop:9847/metrics",
  health: "up",
  lastError: "",
  age: 4,
  duration: 0.012,
  interval: 15,
  ...changes,
});

/** As a server shows them that has loaded them. */
export const loaded = (groups: readonly RuleGroup[]): LoadedGroup[] =>
  groups.map(({ name, interval, rules }) => ({
    name,
    interval,
    rules: rules.map((rule) => ({
      name: nameOf(rule),
      query: rule.expr,
      labels: rule.labels ?? {},
      for: isAlert(rule) ? rule.for : 0,
      keepFiringFor: isAlert(rule) ? (rule.keepFiringFor ?? 0) : 0,
      health: "ok",
      lastError: "",
    })),
  }));

export const prometheusFacts = (changes: Partial<PrometheusFacts> = {}): PrometheusFacts => ({
  url: "http://prometheus:9090",
  error: undefined,
  version: "2.53.0",
  clockAhead: 0.2,
  targets: [scrapeTarget()],
  targetCount: 3,
  watchedProcesses: 4,
  series: 120,
  ruleGroups: [],
  alertmanagers: 1,
  ...changes,
});

export const grafanaFacts = (changes: Partial<GrafanaFacts> = {}): GrafanaFacts => ({
  url: "http://grafana:3000",
  error: undefined,
  version: "11.2.0",
  dashboards: new Map(Object.values(dashboardUids).map((uid) => [uid, "there"])),
  datasources: [{ name: "Prometheus", interval: 15 }],
  ...changes,
});

/** The one finding with this id; undefined when the question does not arise. */
export function finding<Facts>(sections: readonly Section<Facts>[], id: string, facts: Facts): Finding | undefined {
  if (!sections.some(({ checks }) => checks.some((check) => check.id === id))) throw new Error(`no check ${id}`);
  return examine(sections, facts).find((one) => one.id === id);
}
