// Gauges of memory that are known, with the gauges of the limit and of the start time that belong to each.

import { processMetrics } from "../../catalog/metrics.ts";
import type { Selector } from "../prometheus/selector.ts";
import type { StartSource } from "./lives.ts";

/** A selector, and the option in which a user asked for it; undefined when nobody did. */
export interface GivenSelector extends Selector {
  readonly option?: string;
}

export interface Gauge {
  readonly metric: GivenSelector;
  /** What of the memory cannot be given back, where it is exposed in parts. */
  readonly parts: readonly GivenSelector[];
  /** Gauges, of which the first that the server has counts; or the same number of bytes for all. */
  readonly limits: readonly GivenSelector[] | number;
  readonly starts: readonly GivenSelector[];
  readonly startSource: StartSource;
  /** What a reader must know about the gauge. */
  readonly note?: string;
}

const plain = (name: string, matchers = ""): GivenSelector => ({ name, matchers });

const kubernetesLimit = plain("kube_pod_container_resource_limits", 'resource="memory"');
/** Of a container: cAdvisor's own, and those of kube-state-metrics 2 and 1. */
const containerLimits = [
  plain("container_spec_memory_limit_bytes"),
  kubernetesLimit,
  plain("kube_pod_container_resource_limits_memory_bytes"),
];

const container = (name: string, note?: string): Gauge => ({
  metric: plain(name),
  parts: [],
  limits: containerLimits,
  starts: [plain("container_start_time_seconds")],
  // of the container, which may be started again: https://github.com/google/cadvisor/issues/2169
  startSource: "creation",
  ...(note === undefined ? {} : { note }),
});

const ofProcess = ({ name }: { readonly name: string }) => plain(name);

/** Tried in this order when none is named. */
export const knownGauges: readonly Gauge[] = [
  {
    metric: ofProcess(processMetrics.residentMemory),
    parts: [processMetrics.anonymousMemory, processMetrics.sharedMemory, processMetrics.swap].map(ofProcess),
    limits: [ofProcess(processMetrics.memoryLimit)],
    starts: [ofProcess(processMetrics.startTime)],
    startSource: "exact",
  },
  container("container_memory_rss"),
  container(
    "container_memory_working_set_bytes",
    "the working set holds page cache in use, which the kernel can take back",
  ),
  {
    metric: plain("process_resident_memory_bytes"),
    parts: [],
    limits: containerLimits,
    starts: [plain("process_start_time_seconds")],
    startSource: "process",
  },
  {
    metric: plain("namedprocess_namegroup_memory_bytes", 'memtype="resident"'),
    parts: [],
    limits: [],
    starts: [plain("namedprocess_namegroup_oldest_start_time_seconds")],
    startSource: "process",
    note: "each is the sum of all processes of one name: that a process is added looks like growth",
  },
];

/** Others whose limit and start time are known, when they are named. */
const alsoKnown: readonly Gauge[] = [
  container("container_memory_usage_bytes", "the usage holds page cache, which the kernel can take back"),
];

/** What is known about a gauge that a user names; its own matchers stay. */
export function knownGauge(metric: GivenSelector): Gauge {
  const known = [...knownGauges, ...alsoKnown].find((gauge) => gauge.metric.name === metric.name);
  if (known === undefined) return { metric, parts: [], limits: [], starts: [], startSource: "none" };
  return { ...known, metric: { ...metric, matchers: withMatchers(metric, known.metric) } };
}

/** kube-state-metrics has the limits of all resources in one gauge: without this, CPUs would count as bytes. */
export const limitMatchers = (given: GivenSelector): string =>
  given.name === kubernetesLimit.name ? withMatchers(given, kubernetesLimit) : given.matchers;

/** What must be asked for, unless the user asks for it in another way. */
function withMatchers(given: GivenSelector, known: GivenSelector): string {
  const label = known.matchers.split("=", 1)[0] ?? "";
  const isSaid = label === "" || new RegExp(`(?:^|,)${label}[=!]`).test(given.matchers);
  return [given.matchers, isSaid ? "" : known.matchers].filter((text) => text !== "").join(",");
}
