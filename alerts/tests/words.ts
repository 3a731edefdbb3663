// What alerts are expected to say, with the numbers of a case filled in.

import { slotLabels } from "../../catalog/labels.ts";
import { links } from "../../catalog/links.ts";
import type { ExpectedAlert } from "./rule-test.ts";
import type { Labels } from "./series.ts";

/** A fleet of one cluster. */
export const inCluster = (group: string, more: Labels = {}): Labels => ({
  cluster: "eu",
  namespace: "shop",
  job: "leakwatch",
  instance: "10.0.0.7:9847",
  group,
  ...more,
});

/** A plain host: no cluster, no namespace. */
export const onHost = (group: string, more: Labels = {}): Labels => ({
  job: "leakwatch",
  instance: "db1:9847",
  group,
  ...more,
});

export const withoutGroup = ({ group: _, ...labels }: Labels): Labels => labels;

/** Where a process of `inCluster` or `onHost` runs, in a title. */
export const where = ({ group, slot, instance, cluster, namespace }: Labels) =>
  `${group}${slot === undefined || slot === "0" ? "" : ` (slot ${slot})`} on ${instance}${namespace === undefined ? "" : ` (${cluster}/${namespace})`}`;

/** What a growing process is told to begin with. */
const firstSteps =
  "First: roll back the last deploy, or restart it before the limit is reached; take a heap snapshot if there is time.";

interface Growing {
  readonly title: string;
  readonly evidence: string;
  readonly verdict?: string;
  readonly growth: string;
  /** The growth is the value of the alert. */
  readonly byGrowth?: boolean;
  /** The numbers behind the growth, as sentences. */
  readonly numbers?: string;
  /** Empty where there is none to be said. */
  readonly timeLeft?: string;
}

/** An alert about one process that grows. */
export const slotAlert = (
  alert: string,
  labels: Labels,
  { title, evidence, verdict, growth, byGrowth = false, numbers, timeLeft }: Growing,
): ExpectedAlert =>
  plainAlert(
    alert,
    labels,
    {
      summary: `${where(labels)}: ${title}${timeLeft ? `, OOM in about ${timeLeft}` : ""}`,
      description: `${evidence} It grows by ${growth}.${numbers === undefined ? "" : ` ${numbers}`} ${firstSteps}`,
      ...(verdict === undefined ? {} : { verdict }),
      ...(byGrowth ? { growth } : {}),
      ...(timeLeft === undefined ? {} : { time_left: timeLeft }),
    },
    "leakwatch-process",
    "24h",
  );

/** An alert whose text has no numbers but those given here. */
export const plainAlert = (
  alert: string,
  labels: Labels,
  annotations: Labels,
  uid: string,
  range: string,
): ExpectedAlert => ({
  labels,
  annotations: { ...annotations, runbook_url: links.runbook(alert), dashboard_url: dashboard(uid, range, labels) },
});

/** Variables in the order of the dashboards; those that an alert does not have are left out. */
function dashboard(uid: string, range: string, labels: Labels): string {
  const variables = slotLabels
    .filter((name) => labels[name] !== undefined)
    .map((name) => `&var-${name}=${encodeURIComponent(labels[name] ?? "")}`);
  return `http://localhost:3000/d/${uid}?from=now-${range}&to=now${variables.join("")}`;
}
