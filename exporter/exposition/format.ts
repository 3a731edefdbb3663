// The two text formats of Prometheus, as far as they differ.
// https://prometheus.io/docs/instrumenting/exposition_formats/
// https://prometheus.io/docs/specs/om/open_metrics_spec/

import type { Labels, Metric } from "../../catalog/metric.ts";

export type Format = "text" | "openmetrics";

export const contentTypes: Record<Format, string> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What ends a body: OpenMetrics tells a whole one from one that was cut short. */
export function endOf(format: Format): string {
  return format === "openmetrics" ? "# EOF\n" : "";
}

/** The lines before a family's first sample. OpenMetrics names counters without `_total`, and knows units and info. */
export function familyHeader(metric: Metric, format: Format): string {
  const help = escapeHelp(metric.help, format);
  if (format === "text") {
    const type = metric.type === "info" ? "gauge" : metric.type;
    return `# HELP ${metric.name} ${help}\n# TYPE ${metric.name} ${type}\n`;
  }
  const family = openMetricsFamily(metric);
  const unit =
    metric.unit !== undefined && family.endsWith(`_${metric.unit}`) ? `# UNIT ${family} ${metric.unit}\n` : "";
  return `# TYPE ${family} ${metric.type}\n${unit}# HELP ${family} ${help}\n`;
}

function openMetricsFamily({ name, type }: Metric): string {
  if (type === "counter") return name.replace(/_total$/, "");
  return type === "info" ? name.replace(/_info$/, "") : name;
}

/** `{group="api",slot="0"}`, or nothing for a metric without labels. */
export function labelText<M extends Metric>(metric: M, labels: Labels<M>): string {
  if (metric.labels.length === 0) return "";
  const values = labels as Readonly<Record<string, string>>;
  return `{${metric.labels.map((name) => `${name}="${escapeLabel(values[name] ?? "")}"`).join(",")}}`;
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : value;
}

function escapeHelp(help: string, format: Format): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}

/** prom-client's classic text in the other format; it writes that itself, but forgets the names on the way. */
export function selfMetricsAs(format: Format, classic: string): string {
  if (format === "text") return classic;
  const counters = new Set([...classic.matchAll(/^# TYPE (\w+)_total counter$/gm)].map(([, name]) => name));
  return classic
    .split("\n")
    .filter((line) => line !== "")
    .map((line) =>
      line.replace(/^# (HELP|TYPE) (\w+)_total( .*)$/, (whole, kind: string, name: string, rest: string) =>
        counters.has(name) ? `# ${kind} ${name}${rest}` : whole,
      ),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * What the client would rather have, from its Accept header: OpenMetrics if it ranks it at least as high as text.
 * Prometheus sends both with weights; browsers and curl send neither and get text.
 */
export function negotiate(accept: string | undefined): Format {
  let [text, openmetrics] = [0, 0];
  for (const range of (accept ?? "").split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((p) => p.startsWith("q="))?.slice(2) ?? 1);
    const version = parameters.find((p) => p.startsWith("version="))?.slice("version=".length);
    if (
      type === "application/openmetrics-text" &&
      (version === undefined || version === "1.0.0" || version === "0.0.1")
    ) {
      openmetrics = Math.max(openmetrics, weight);
    }
    if (type === "text/plain") text = Math.max(text, weight);
  }
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text";
}
