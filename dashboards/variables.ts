// The bar at the top of every board.

import {
  AdHocVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { groupMetrics, processInfo, processMetrics, selfMetrics } from "../catalog/metrics.ts";
import { groupRecordings } from "../catalog/recordings.ts";
import type { Clock } from "./clock.ts";
import { countedOver, growthOver, ofExporter, ofGroups } from "./queries.ts";

/** How many groups a chart shows at most: more lines cannot be told apart, and this bounds what a week of them costs. */
export const shownAtMost = 12;

export const source = { type: "prometheus", uid: `\${datasource}` };

export const datasource = () => new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus");

interface Kind {
  label: string;
  /** Of what is not chosen: `.*` also takes series that lack the label. */
  allValue?: string;
  several?: boolean;
  hidden?: boolean;
}

const queryVariable = (name: string, query: string, { label, allValue, several = true, hidden = false }: Kind) => {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(several)
    .includeAll(several);
  if (several) variable.current({ selected: true, text: ["All"], value: ["$__all"] });
  if (allValue !== undefined) variable.allValue(allValue);
  if (hidden) variable.hide(VariableHide.HideVariable);
  return variable;
};

const buildInfo = selfMetrics.buildInfo.name;

/** From wide to narrow: each offers what the ones before it leave. */
export const cluster = () =>
  queryVariable("cluster", `label_values(${buildInfo}, cluster)`, { label: "Cluster", allValue: ".*" });
export const namespace = () =>
  queryVariable("namespace", `label_values(${buildInfo}{cluster=~"$cluster"}, namespace)`, {
    label: "Namespace",
    allValue: ".*",
  });
export const job = () =>
  queryVariable("job", `label_values(${buildInfo}{cluster=~"$cluster",namespace=~"$namespace"}, job)`, {
    label: "Job",
    allValue: ".+",
  });
export const instance = () =>
  queryVariable(
    "instance",
    `label_values(${buildInfo}{cluster=~"$cluster",namespace=~"$namespace",job=~"$job"}, instance)`,
    {
      label: "Instance",
      allValue: ".*",
    },
  );

const groups = `label_values(${ofExporter(groupMetrics.processes)}, group)`;

/** `.*`, so that alerts about an exporter, which have no group, are seen too. */
export const group = () => queryVariable("group", groups, { label: "Group", allValue: ".*" });
/** Not asked about here, but kept for the way back. */
export const hiddenGroup = () => queryVariable("group", groups, { label: "Group", allValue: ".*", hidden: true });
/** A board about one process group. */
export const oneGroup = () => queryVariable("group", groups, { label: "Group", several: false });
/** The containers that held the processes of `of` in the time shown. */
export const cgroups = (of: typeof ofGroups) =>
  queryVariable("cgroups", `label_values(${of(processInfo.process)}, cgroup)`, { label: "Containers", hidden: true });
export const slot = () =>
  queryVariable("slot", `label_values(${ofGroups(processMetrics.startTime)}, slot)`, {
    label: "Slot",
    allValue: ".*",
  });

/** The groups that charts show: those first that a person would look at first. `ranking` has one label, group. */
const worst = (ranking: string, description: string) =>
  queryVariable("worst", `query_result(topk(${shownAtMost}, ${ranking}))`, { label: "Charts show" })
    .description(description)
    .sort(VariableSort.Disabled)
    // the text of a result is {group="…"} value time, quotes inside the name not escaped
    .regex('/^\\{group="(.*)"\\} \\S+ \\S+$/');

const any = `max by (group) (${ofGroups(groupMetrics.processes)})`;

/** By verdict, then by growth; a group that has neither comes last, not never. */
export const gravest = () =>
  worst(
    `(max by (group) (${ofGroups(groupMetrics.verdict)}) * 1e12 + (max by (group) (${growthOver(ofGroups, "1h")}) or 0 * ${any})) or ${any}`,
    `The ${shownAtMost} groups with the gravest verdict and the fastest growth, of those chosen`,
  );

export const mostRestarted = (clock: Clock) =>
  worst(
    `(1e6 * max by (group) (${countedOver(clock, ofGroups(groupRecordings.livesEnded), 7 * 24)})) or ${any}`,
    `The ${shownAtMost} groups that restarted most, of those chosen`,
  );

export const filters = () => new AdHocVariableBuilder("filters").label("Filters").datasource(source);

const textBox = (name: string, label: string, value: string, description: string) =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue(value)
    .current({ selected: true, text: value, value });

export const versionLabel = () =>
  textBox("version_label", "Version label", "version", "Label that holds the version, if your targets have one");

/** Series of the application itself, which leakwatch does not know. */
export const application = () => [
  textBox("app_label", "App label", "job", "Label of the application's own series whose value is the group's name"),
  textBox("traffic_metric", "Request counter", "http_requests_total", "A counter of requests of the application"),
  textBox("heap_metric", "Heap gauge", "nodejs_heap_size_used_bytes", "Heap in use, as the application reports it"),
];
