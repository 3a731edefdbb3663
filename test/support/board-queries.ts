// The questions that a dashboard asks when it opens, and their answers: for the tests, the benchmark and the preview alike.

import {
  type Annotation,
  all,
  type Choice,
  type Context,
  type Dashboard,
  interpolate,
  type Panel,
  seconds,
  stepOf,
  type Target,
  type Variable,
} from "./grafana.ts";

type Labels = Record<string, string>;

/** One series of an answer: a matrix, or a vector. */
export interface Series {
  metric: Labels;
  values?: [time: number, text: string][];
  value?: [time: number, text: string];
}

/** The `data` of an answer of Prometheus' HTTP API. */
export type Ask = (endpoint: string, parameters: Record<string, string>) => Promise<unknown>;

/** Unix seconds, and the words that they come from. */
export interface Stretch {
  from: number;
  to: number;
  raw: { from: string; to: string };
}

/** The range of a board. A panel may have one of its own, and may look back. */
export function stretchOf({ time }: Pick<Dashboard, "time">, now: number, panel?: Panel): Stretch {
  const raw = panel?.timeFrom === undefined ? time : { from: `now-${panel.timeFrom}`, to: "now" };
  const shift = panel?.timeShift === undefined ? 0 : seconds(panel.timeShift);
  return { from: moment(raw.from, now) - shift, to: moment(raw.to, now) - shift, raw };
}

/** `now-7d`, `now+12h`, `now`. */
function moment(text: string, now: number): number {
  const [, sign, duration] = /^now(?:([+-])(\w+))?$/.exec(text) ?? [];
  return duration === undefined ? now : now + (sign === "-" ? -1 : 1) * seconds(duration);
}

export type Choices = Record<string, Choice>;

/** What the variables are when the board opens: one after another, since the choices of one depend on those before. */
export async function choicesOf(
  { templating }: Dashboard,
  ask: Ask,
  stretch: Stretch,
  values: Readonly<Record<string, string>> = {},
): Promise<Choices> {
  const chosen: Choices = {};
  for (const variable of templating.list) {
    const { multi = false, includeAll = false, allValue } = variable;
    const options = await optionsOf(variable, chosen, ask, stretch);
    const first = includeAll ? all : (options[0] ?? "");
    const value = values[variable.name] ?? first;
    chosen[variable.name] = { value, options, multi, includeAll, ...(allValue === undefined ? {} : { allValue }) };
  }
  return chosen;
}

async function optionsOf(variable: Variable, before: Choices, ask: Ask, stretch: Stretch): Promise<string[]> {
  const { type, query, regex, current } = variable;
  const text = typeof query === "string" ? query : (query?.query ?? "");
  if (type === "datasource") return ["prometheus"];
  if (type !== "query") return [current?.value ?? text].flat();
  const found = await textsOf(interpolate(text, contextOf(before, stretch)), ask, stretch);
  if (!regex) return found;
  const pattern = new RegExp(regex.replace(/^\/|\/[a-z]*$/g, ""));
  return found.flatMap((one) => {
    const match = pattern.exec(one);
    return match === null ? [] : [match[1] ?? match[0]];
  });
}

/** `label_values(selector, label)`, `label_values(label)` or `query_result(expression)`. */
async function textsOf(query: string, ask: Ask, { from, to }: Stretch): Promise<string[]> {
  const [, expr] = /^query_result\(([\s\S]*)\)$/.exec(query) ?? [];
  if (expr !== undefined) {
    const { result } = (await ask("query", { query: expr, time: String(to) })) as { result: Series[] };
    return result.map(({ metric, value }) => {
      const labels = Object.entries(metric).map(([name, text]) => `${name}="${text}"`);
      return `{${labels.join(",")}} ${value?.[1]} ${(value?.[0] ?? 0) * 1000}`;
    });
  }
  const [, selector, label] = /^label_values\((?:([\s\S]*),)?\s*(\w+)\s*\)$/.exec(query) ?? [];
  if (label === undefined) throw new Error(`expected label_values or query_result, got ${query}`);
  const parameters: Record<string, string> = { start: String(from), end: String(to) };
  if (selector !== undefined) parameters["match[]"] = selector;
  return (await ask(`label/${label}/values`, parameters)) as string[];
}

/** Step and scrape interval do not matter in what variables ask. */
const contextOf = (variables: Choices, range: Stretch, interval = 60, scrapeInterval = 15): Context => ({
  variables,
  range,
  interval,
  scrapeInterval,
});

export interface Question extends Stretch {
  refId: string;
  query: string;
  /** Undefined when only one moment is asked about. */
  step: number | undefined;
  target: Target;
}

export interface Opened {
  board: Pick<Dashboard, "time">;
  choices: Choices;
  now: number;
  /** The data source's, in seconds. */
  scrapeInterval: number;
}

/** Pixels of a panel over the full width, and so the points that Grafana asks for at most. */
const fullWidth = 1550;

/** Hidden targets ask nothing. */
export function questionsOf(panel: Panel, { board, choices, now, scrapeInterval }: Opened): Question[] {
  const stretch = stretchOf(board, now, panel);
  const shown = (panel.targets ?? []).filter((target) => !("hide" in target && target.hide === true));
  return shown.map((target) => {
    const maxDataPoints = panel.maxDataPoints ?? Math.round((panel.gridPos.w / 24) * fullWidth);
    const step = stepOf(stretch, { maxDataPoints, interval: target.interval ?? panel.interval }, scrapeInterval);
    const query = interpolate(target.expr, contextOf(choices, stretch, step, scrapeInterval));
    const isInstant = target.instant === true && target.range !== true;
    return { ...stretch, refId: target.refId, query, step: isInstant ? undefined : step, target };
  });
}

/** A text of the board with its variables filled in. */
export const filledIn = (text: string, { board, choices, now }: Opened) =>
  interpolate(text, contextOf(choices, stretchOf(board, now)));

/** What an annotation asks; nothing is known of the future. */
export function annotationQuestion({ expr, step = "60s" }: Annotation, { board, choices, now }: Opened) {
  const stretch = stretchOf(board, now);
  const to = Math.min(stretch.to, now);
  const least = Math.max(seconds(step), Math.ceil((to - stretch.from) / 10_000));
  return { ...stretch, to, step: least, query: interpolate(expr, contextOf(choices, stretch, least)) };
}

export async function answerTo(
  { query, from, to, step }: Pick<Question, "query" | "from" | "to" | "step">,
  ask: Ask,
): Promise<Series[]> {
  if (step === undefined) {
    const { resultType, result } = (await ask("query", { query, time: String(to) })) as {
      resultType: string;
      result: Series[] | [number, string];
    };
    return resultType === "scalar" ? [{ metric: {}, value: result as [number, string] }] : (result as Series[]);
  }
  const start = String(Math.floor(from / step) * step);
  return ((await ask("query_range", { query, start, end: String(to), step: String(step) })) as { result: Series[] })
    .result;
}

/** `{{label}}` of the target's legend filled in. */
export function seriesName({ legendFormat, expr }: Target, metric: Labels): string {
  if (legendFormat && legendFormat !== "__auto") {
    return legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? "");
  }
  const { __name__ = "", ...labels } = metric;
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return __name__ || expr;
  if (pairs.length === 1 && legendFormat === "__auto") return (pairs[0] as [string, string])[1];
  return `${__name__}{${pairs.map(([label, value]) => `${label}="${value}"`).join(", ")}}`;
}

/** Over HTTP; `address` ends before `/api/v1`. Throws what Prometheus complains of. */
export function askAt(address: string): Ask {
  return async (endpoint, parameters) => {
    const url = `${address}/api/v1/${endpoint}`;
    const body = new URLSearchParams(parameters);
    const response = endpoint.startsWith("label")
      ? await fetch(`${url}?${body}`)
      : await fetch(url, { method: "POST", body });
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== "success") throw new Error(answer.error ?? `status ${response.status}`);
    return answer.data;
  };
}
