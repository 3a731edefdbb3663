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

interface Growth {
  readonly growth: string;
  readonly confidence?: string;
  readonly memory: string;
  readonly limit: string;
  readonly timeLeft: string;
}

/** An alert about one process that grows. */
export function slotAlert(
  alert: string,
  labels: Labels,
  { does, evidence, verdict }: { does: string; evidence: string; verdict?: string },
  { growth, confidence, memory, limit, timeLeft }: Growth,
): ExpectedAlert {
  const sentences = [
    evidence,
    `It grows ${growth} per hour.`,
    ...(confidence === undefined ? [] : [`Confidence ${confidence}.`]),
    `Memory ${memory} of ${limit}.`,
    `At this pace it reaches the limit in ${timeLeft}.`,
  ];
  return {
    labels,
    annotations: {
      summary: `${labels["group"]} (slot ${labels["slot"]}) ${does}.`,
      description: sentences.join(" "),
      ...(verdict === undefined ? {} : { verdict }),
      growth: `${growth} per hour`,
      time_left: timeLeft,
      runbook_url: links.runbook(alert),
      dashboard_url: dashboard("leakwatch-process", "24h", labels),
    },
  };
}

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
