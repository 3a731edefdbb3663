// What Grafana does with a dashboard before a query leaves for Prometheus, as far as our dashboards need it: variables,
// intervals, the panels inside rows. There is no Grafana in the tests, so this page is the one place that stands for it.
// https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/

export interface Target {
  refId: string;
  expr: string;
  instant?: boolean;
  range?: boolean;
  format?: string;
  legendFormat?: string;
  interval?: string;
  datasource?: { type?: string; uid?: string };
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type?: string; uid?: string };
  targets?: Target[];
  interval?: string;
  maxDataPoints?: number;
  timeFrom?: string;
  timeShift?: string;
  repeat?: string;
  links?: { url?: string; title?: string }[];
  transformations?: { id: string; options: Record<string, unknown> }[];
  options?: Record<string, unknown>;
  fieldConfig?: {
    defaults: Record<string, unknown> & { unit?: string; noValue?: string };
    overrides: { matcher: { id: string; options?: unknown }; properties: { id: string; value?: unknown }[] }[];
  };
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: string;
  label?: string;
  query?: string | { query: string; refId?: string };
  definition?: string;
  regex?: string;
  refresh?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  hide?: number;
  datasource?: { type?: string; uid?: string };
  current?: { text: string | string[]; value: string | string[] };
}

export interface Annotation {
  name: string;
  expr: string;
  enable: boolean;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean;
  datasource?: { type?: string; uid?: string };
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  tags: string[];
  editable: boolean;
  graphTooltip: number;
  refresh?: string;
  time: { from: string; to: string };
  panels: Panel[];
  links: { title: string; type: string; url?: string; tags?: string[]; keepTime?: boolean; includeVars?: boolean }[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
}

/** A panel, and whether its row is closed when the dashboard opens: then it does not query. */
export type PlacedPanel = Panel & { inClosedRow: boolean };

/** All panels, those inside closed rows too, without the rows themselves. */
export function panelsOf(dashboard: Dashboard): PlacedPanel[] {
  return dashboard.panels.flatMap((panel) =>
    panel.type === "row"
      ? (panel.panels ?? []).map((inner) => ({ ...inner, inClosedRow: panel.collapsed === true }))
      : [{ ...panel, inClosedRow: false }],
  );
}

/** Rows of the dashboard. */
export const rowsOf = (dashboard: Dashboard): Panel[] => dashboard.panels.filter(({ type }) => type === "row");

/** What is chosen in the bar at the top: one value, several, or all of them. */
export interface Choice {
  value: string | readonly string[] | typeof all;
  /** All that there is to choose from, for "all" without a value of its own. */
  options?: readonly string[];
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
}

/** The value of "All". */
export const all = "$__all";

export interface Context {
  variables: Readonly<Record<string, string | readonly string[] | Choice>>;
  /** Unix seconds. */
  range: { from: number; to: number };
  /** The step that Grafana chose, in seconds; see stepOf. */
  interval: number;
  /** What the data source believes that the scrape interval is, in seconds. */
  scrapeInterval: number;
}

/** The expression as Prometheus gets it. Throws at a variable that nobody gave. */
export function interpolate(expr: string, context: Context): string {
  const syntax = /\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;
  return expr.replace(
    syntax,
    (match, plain?: string, braced?: string, format?: string, old?: string, oldAs?: string) => {
      const name = plain ?? braced ?? old ?? "";
      if (/^\d+$/.test(name)) return match; // $1 is label_replace's
      const builtIn = builtIns(context)[name];
      if (builtIn !== undefined) return builtIn;
      const chosen = context.variables[name];
      if (chosen === undefined) throw new Error(`no variable ${name} for ${match} in ${expr}`);
      return formatted(asChoice(chosen), format ?? oldAs);
    },
  );
}

/** Grafana's step: the range over the points that fit, rounded as Grafana rounds, at least the panel's least interval. */
export function stepOf(
  range: { from: number; to: number },
  { maxDataPoints = 1000, interval }: { maxDataPoints?: number; interval?: string | undefined },
  scrapeInterval: number,
): number {
  const least = interval === undefined ? scrapeInterval : seconds(interval);
  return Math.max(roundInterval((range.to - range.from) / maxDataPoints), least);
}

/** `1h30m` is 5400. */
export function seconds(duration: string): number {
  const size: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
  const parts = [...duration.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (parts.map(([text]) => text).join("") !== duration || parts.length === 0)
    throw new Error(`${duration} is no duration`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (size[unit as string] as number), 0);
}

function builtIns({ range, interval, scrapeInterval }: Context): Record<string, string> {
  const length = Math.round(range.to - range.from);
  const rate = Math.max(interval + scrapeInterval, 4 * scrapeInterval);
  const both = (name: string, value: number) => ({ [name]: durationText(value), [`${name}_ms`]: String(value * 1000) });
  return {
    ...both("__interval", interval),
    ...both("__rate_interval", rate),
    ...both("__range", length),
    __range_s: String(length),
    __from: String(range.from * 1000),
    __to: String(range.to * 1000),
  };
}

const durationText = (value: number) => (Number.isInteger(value) ? `${value}s` : `${Math.round(value * 1000)}ms`);

function asChoice(chosen: string | readonly string[] | Choice): Choice {
  if (typeof chosen === "string") return { value: chosen };
  if (isList(chosen)) return { value: chosen, multi: true };
  return chosen;
}

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

function formatted(choice: Choice, format: string | undefined): string {
  const { value, allValue, options = [], multi = false, includeAll = false } = choice;
  const isAll = value === all || (isList(value) && value.includes(all));
  if (isAll && allValue !== undefined) return allValue; // never escaped
  const values = isAll ? options : value;
  if (format === "regex") return regex(values, escapeRegex);
  if (format === "raw" || format === "text") return isList(values) ? values.join(",") : values;
  if (format === "queryparam" || format === "percentencode") return encodeURIComponent(String(values));
  if (format !== undefined) throw new Error(`no format ${format} here`);
  // What the Prometheus data source does: a choice that can be several is a regular expression inside quotes.
  if (!multi && !includeAll) return isList(values) ? values.join(",") : values;
  return regex(values, (text) => text.replace(/\\/g, "\\\\\\\\").replace(/[$^*{}[\]'+?.()|]/g, "\\\\$&"));
}

function regex(values: string | readonly string[], escaped: (text: string) => string): string {
  const list = isList(values) ? values : [values];
  return list.length === 1 ? escaped(list[0] as string) : `(${list.map(escaped).join("|")})`;
}

const escapeRegex = (text: string) => text.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&");

/** The steps of Grafana's roundInterval: up to so many seconds, take this. */
function roundInterval(interval: number): number {
  const steps: [number, number][] = [
    [0.015, 0.01],
    [0.035, 0.02],
    [0.075, 0.05],
    [0.15, 0.1],
    [0.35, 0.2],
    [0.75, 0.5],
    [1.5, 1],
    [3.5, 2],
    [7.5, 5],
    [12.5, 10],
    [17.5, 15],
    [25, 20],
    [45, 30],
    [90, 60],
    [210, 120],
    [450, 300],
    [750, 600],
    [1050, 900],
    [1500, 1200],
    [2700, 1800],
    [5400, 3600],
    [9000, 7200],
    [16_200, 10_800],
    [32_400, 21_600],
    [86_400, 43_200],
    [604_800, 86_400],
    [1_814_400, 604_800],
    [3_628_800, 2_592_000],
  ];
  return steps.find(([below]) => interval < below)?.[1] ?? 31_536_000;
}
