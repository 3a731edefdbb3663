// What a user said about a history, checked.

import fs from "node:fs";
import { parseSelector, SelectorError } from "../prometheus/selector.ts";
import { CommandError } from "../terminal/command-error.ts";
import { durationSeconds } from "../text/duration.ts";
import { type Gauge, type GivenSelector, knownGauge, limitMatchers } from "./gauges.ts";
import type { BacktestOptions } from "./options.ts";
import type { Stretch } from "./stretch.ts";

export interface HistoryOptions extends Stretch {
  readonly match: GivenSelector;
  /** Undefined: the first of those that are known, by what the server has. */
  readonly metric: Gauge | undefined;
  /** Labels that only tell copies of the same series apart. */
  readonly replicaLabels: readonly string[];
}

/** Windows are as short as some minutes; fewer than two samples there tell nothing. All in seconds. */
const longestStep = 300;
const shortestStep = 10;
const shortestStretch = 3600;

/** `now` in Unix seconds. Throws CommandError that names the option. */
export function historyOptions(options: BacktestOptions, now: number): HistoryOptions {
  const step = duration("--step", options.step);
  if (step < shortestStep || step > longestStep) {
    throw new CommandError(`--step: expected 10s to 5m, got ${options.step}`, 2);
  }
  const since = duration("--since", options.since);
  if (since < shortestStretch) throw new CommandError(`--since: expected at least 1h, got ${options.since}`, 2);
  const match = options.match === undefined ? { name: "", matchers: "" } : givenSelector("--match", options.match);
  const to = Math.floor(now / step) * step;
  return {
    from: to - Math.floor(since / step) * step,
    to,
    step,
    match,
    metric: gaugeOf(options, match),
    replicaLabels: options.replicaLabel ?? [],
  };
}

function gaugeOf(options: BacktestOptions, match: GivenSelector): HistoryOptions["metric"] {
  const metric =
    options.metric !== undefined
      ? withName("--metric", options.metric)
      : match.name !== ""
        ? { name: match.name, matchers: "" }
        : undefined;
  if (metric === undefined) {
    for (const [option, value] of [
      ["--limit-metric", options.limitMetric],
      ["--start-time-metric", options.startTimeMetric],
    ] as const) {
      if (value !== undefined) throw new CommandError(`${option} only goes with --metric`, 2);
    }
    return undefined;
  }
  const gauge = knownGauge(metric);
  return {
    ...gauge,
    limits: options.limitMetric === undefined ? gauge.limits : limitOf(options.limitMetric),
    // whether a gauge that a user names moves at each restart is not known
    ...(options.startTimeMetric === undefined ? {} : startsOf(gauge, options.startTimeMetric)),
  };
}

function startsOf(gauge: Gauge, text: string): Pick<Gauge, "starts" | "startSource"> {
  const given = withName("--start-time-metric", text);
  const isKnown = gauge.starts.some(({ name }) => name === given.name);
  return { starts: [given], startSource: isKnown ? gauge.startSource : "creation" };
}

/** Throws CommandError that names the option. */
export function givenSelector(option: string, text: string): GivenSelector {
  try {
    return parseSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    const expected = `${option}: expected a selector such as up{job="api"} or {job="api"}, got ${text}`;
    throw new CommandError(`${expected}: ${error.message}`, 2, { cause: error });
  }
}

function withName(option: string, text: string): GivenSelector {
  const selector = givenSelector(option, text);
  if (selector.name === "") throw new CommandError(`${option}: expected the name of a gauge, got ${text}`, 2);
  return { ...selector, option };
}

const units: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 };

/** A name, or a number of bytes: a name does not begin with a digit. */
function limitOf(text: string): readonly GivenSelector[] | number {
  if (!/^\d/.test(text)) {
    const given = withName("--limit-metric", text);
    return [{ ...given, matchers: limitMatchers(given) }];
  }
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmg]?i?)b?$/i.exec(text) ?? [];
  const factor = units[unit?.toLowerCase() ?? "none"];
  if (number === undefined || factor === undefined || Number(number) === 0) {
    throw new CommandError(`--limit-metric: expected a gauge's name or bytes such as 512MiB, got ${text}`, 2);
  }
  return Number(number) * factor;
}

function duration(option: string, text: string): number {
  const seconds = durationSeconds(text);
  if (seconds === undefined) {
    throw new CommandError(`${option}: expected a duration such as 30d or 90s, got ${text}`, 2);
  }
  return seconds;
}

/** Throws CommandError when the file cannot be read. */
export function bearerToken({ bearerTokenFile: file }: BacktestOptions): string | undefined {
  if (file === undefined) return undefined;
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new CommandError(`--bearer-token-file: ${(error as Error).message}`, 2, { cause: error });
  }
}
