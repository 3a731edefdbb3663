// Every alert, once: its name, how grave it can be, and what one such alert is about. Rules, routes, runbooks, the exporter's
// own verdict and the boards read it here.

/** The severities of alerts, and what they ask for. */
export const severities = ["info", "warning", "critical"] as const;
export type Severity = (typeof severities)[number];

/** What an alert is about: growth, room, restarts, or the bundle itself. */
export type AlertClass = "leak" | "capacity" | "restarts" | "health";

/** What one alert is about: a process, a service, a cgroup, an exporter, or a group of rules in Prometheus. */
export type AlertScope = "slot" | "group" | "cgroup" | "exporter" | "prometheus";

export interface DeclaredAlert {
  readonly name: `Leakwatch${string}`;
  /** The gravest first. */
  readonly severities: readonly [Severity, ...Severity[]];
  readonly class: AlertClass;
  readonly scope: AlertScope;
}

const declared = <const S extends readonly [Severity, ...Severity[]]>(
  name: `Leakwatch${string}`,
  alertClass: AlertClass,
  scope: AlertScope,
  ...graded: S
) => ({ name, severities: graded, class: alertClass, scope }) satisfies DeclaredAlert;

export const alerts = {
  memoryLeak: declared("LeakwatchMemoryLeak", "leak", "slot", "critical", "warning", "info"),
  memoryLeakMasked: declared("LeakwatchMemoryLeakMasked", "leak", "group", "warning"),
  memoryLeakOutside: declared("LeakwatchMemoryLeakOutsideProcesses", "leak", "cgroup", "critical", "warning"),
  oomPredicted: declared("LeakwatchOomPredicted", "leak", "slot", "critical", "warning", "info"),
  memoryGrowth: declared("LeakwatchMemoryGrowth", "capacity", "slot", "info"),
  memoryNearLimit: declared("LeakwatchMemoryNearLimit", "capacity", "slot", "warning"),
  noMemoryLimit: declared("LeakwatchNoMemoryLimit", "capacity", "slot", "info"),
  heapNearLimit: declared("LeakwatchHeapNearLimit", "capacity", "slot", "warning"),
  oomLoop: declared("LeakwatchOomLoop", "restarts", "group", "critical"),
  oomKilled: declared("LeakwatchOomKilled", "restarts", "group", "info"),
  restartLoop: declared("LeakwatchRestartLoop", "restarts", "group", "warning"),
  restartsRecur: declared("LeakwatchRestartsRecur", "restarts", "group", "info"),
  descriptorLeak: declared("LeakwatchDescriptorLeak", "leak", "slot", "warning"),
  threadLeak: declared("LeakwatchThreadLeak", "leak", "slot", "warning"),
  exporterDown: declared("LeakwatchExporterDown", "health", "exporter", "critical", "warning"),
  exporterAbsent: declared("LeakwatchExporterAbsent", "health", "prometheus", "warning"),
  targetGone: declared("LeakwatchTargetGone", "health", "group", "warning"),
  samplesStale: declared("LeakwatchSamplesStale", "health", "exporter", "warning"),
  podsStale: declared("LeakwatchPodsStale", "health", "exporter", "warning"),
  targetsUnreadable: declared("LeakwatchTargetsUnreadable", "health", "exporter", "info"),
  rulesNotEvaluated: declared("LeakwatchRulesNotEvaluated", "health", "prometheus", "warning"),
  exporterLeaks: declared("LeakwatchExporterLeaks", "health", "exporter", "warning"),
} as const;

/** Restarts that make everything else about the service secondary. */
export const loopAlerts = [alerts.oomLoop, alerts.restartLoop] as const;

/** All alerts that memory leaks, masked ones too, as a pattern. */
export const anyLeak = "LeakwatchMemoryLeak.*";

/** Every alert of the bundle, as a pattern. */
export const anyAlert = "Leakwatch.*";

/** One of these and no other, as a pattern. */
export const oneOf = (...these: readonly DeclaredAlert[]) => these.map(({ name }) => name).join("|");

/** The labels by which Alertmanager routes an alert. */
export const alertLabels = <S extends Severity>(
  { class: alertClass, severities: [gravest] }: DeclaredAlert,
  severity: S | Severity = gravest,
) => ({ severity, class: alertClass });
