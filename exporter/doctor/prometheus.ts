// What a Prometheus server says about us, as facts. https://prometheus.io/docs/prometheus/latest/querying/api/

import { processMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { type PrometheusApi, Unanswered } from "../prometheus/api.ts";
import { parseDuration } from "../prometheus/duration.ts";
import { CommandError } from "../terminal/command-error.ts";
import { foreignText } from "../terminal/shown-text.ts";
import { cutName } from "../text/visible.ts";
import { type Fields, fieldsOf, listOf, numberOf, textOf } from "./answer.ts";

export interface PrometheusFacts {
  readonly url: string;
  /** Why it cannot be asked; then nothing else is known. */
  readonly error: string | undefined;
  /** Each of the following is undefined where the server does not tell. */
  readonly version: string | undefined;
  /** Its clock less ours, in seconds. */
  readonly clockAhead: number | undefined;
  /** Targets that are leakwatch exporters, or would be if they could be scraped. */
  readonly targets: readonly ScrapeTarget[] | undefined;
  /** All targets, whatever they are. */
  readonly targetCount: number;
  /** Processes with a resident memory series now, and all series of ours. */
  readonly watchedProcesses: number | undefined;
  readonly series: number | undefined;
  readonly ruleGroups: readonly LoadedGroup[] | undefined;
  readonly alertmanagers: number | undefined;
  /** Why there is no answer, where one began. */
  readonly unanswered?: Readonly<Partial<Record<"targets" | "rules" | "query", string>>>;
}

export interface ScrapeTarget {
  readonly job: string;
  readonly instance: string;
  readonly url: string;
  readonly health: string;
  readonly lastError: string;
  /** Seconds since the last scrape, by the server's clock; undefined before the first. */
  readonly age: number | undefined;
  readonly duration: number;
  /** Seconds; undefined where an old server does not tell. */
  readonly interval: number | undefined;
}

export interface LoadedGroup {
  readonly name: string;
  /** Seconds. */
  readonly interval: number;
  readonly rules: readonly LoadedRule[];
}

export interface LoadedRule {
  readonly name: string;
  readonly query: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds, of alerts only. */
  readonly for: number;
  readonly keepFiringFor: number;
  readonly health: string;
  readonly lastError: string;
}

/** `port` is that on which our exporter listens. */
export async function observePrometheus(
  api: PrometheusApi,
  options: { port: number; now?: () => number },
): Promise<PrometheusFacts> {
  const now = options.now ?? (() => Date.now() / 1000);
  const nothing = {
    url: api.url,
    version: undefined,
    clockAhead: undefined,
    targets: undefined,
    targetCount: 0,
    watchedProcesses: undefined,
    series: undefined,
    ruleGroups: undefined,
    alertmanagers: undefined,
  };
  let serverTime: number;
  try {
    const { result } = fieldsOf(await api.get("query", { query: "time()" }));
    serverTime = Number(listOf(result)?.[1] ?? Number.NaN);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ...nothing, error: error.message };
  }
  if (!Number.isFinite(serverTime))
    return { ...nothing, error: `${api.url} is not a Prometheus server: it has no value for time()` };
  const unanswered: Record<string, string> = {};
  const ask = async (endpoint: string, parameters: Record<string, string> = {}): Promise<Fields> => {
    try {
      return fieldsOf(await api.get(endpoint, parameters));
    } catch (error) {
      if (error instanceof Unanswered) unanswered[endpoint] = error.reason;
      return {}; // many speak only a part of the API
    }
  };
  const resultOf = async (query: string) => listOf((await ask("query", { query }))["result"])?.map(fieldsOf);
  const count = async (query: string) => {
    const found = await resultOf(query);
    return found && numberOf(Number(listOf(found[0]?.["value"])?.[1] ?? 0));
  };
  const [build, targets, exporters, rules, alertmanagers] = await Promise.all([
    ask("status/buildinfo"),
    ask("targets", { state: "active" }),
    resultOf(`last_over_time(${selfMetrics.buildInfo.name}[1h])`),
    ask("rules", { exclude_alerts: "true" }), // older servers list them all the same
    ask("alertmanagers"),
  ]);
  const active = listOf(targets["activeTargets"])?.map(fieldsOf);
  return {
    ...nothing,
    error: undefined,
    version: foreignText(build["version"]) || undefined,
    clockAhead: serverTime - now(),
    targets: active?.filter(ourTargets(exporters, options.port)).map((target) => asTarget(target, serverTime)),
    targetCount: active?.length ?? 0,
    watchedProcesses: await count(`count(${processMetrics.residentMemory.name})`),
    series: await count('count({__name__=~"leakwatch_.+"})'),
    ruleGroups: listOf(rules["groups"])?.map(asGroup),
    alertmanagers: listOf(alertmanagers["activeAlertmanagers"])?.length,
    ...(Object.keys(unanswered).length === 0 ? {} : { unanswered }),
  };
}

/** Known by what it served in the last hour; one that never could be scraped, by its port or name. */
function ourTargets(exporters: readonly Fields[] | undefined, port: number): (target: Fields) => boolean {
  const key = (labels: Fields) => `${textOf(labels["job"])} ${textOf(labels["instance"])}`;
  const known = new Set(exporters?.map(({ metric }) => key(fieldsOf(metric))));
  return ({ labels: given, scrapeUrl, scrapePool }) => {
    const labels = fieldsOf(given);
    const isNamed = `${textOf(scrapePool)} ${textOf(labels["job"])}`.includes("leakwatch");
    return known.has(key(labels)) || portOf(textOf(scrapeUrl)) === port || isNamed;
  };
}

function portOf(url: string): number | undefined {
  return URL.canParse(url) ? Number(new URL(url).port) : undefined;
}

function asTarget(target: Fields, serverTime: number): ScrapeTarget {
  const labels = fieldsOf(target["labels"]);
  const lastScrape = Date.parse(textOf(target["lastScrape"])) / 1000;
  return {
    job: foreignText(labels["job"]),
    instance: foreignText(labels["instance"]),
    url: foreignText(target["scrapeUrl"]),
    health: textOf(target["health"]),
    lastError: foreignText(target["lastError"]),
    age: lastScrape > 0 ? Math.max(0, serverTime - lastScrape) : undefined,
    duration: numberOf(target["lastScrapeDuration"]) ?? 0,
    interval: parseDuration(textOf(target["scrapeInterval"])) || undefined,
  };
}

function asGroup(given: unknown): LoadedGroup {
  const group = fieldsOf(given);
  return {
    name: textOf(group["name"]),
    interval: numberOf(group["interval"]) ?? 0,
    rules: (listOf(group["rules"]) ?? []).map((one) => asRule(fieldsOf(one))),
  };
}

/** Expressions and labels are compared with ours, and never shown. */
function asRule(rule: Fields): LoadedRule {
  return {
    name: cutName(textOf(rule["name"])),
    query: textOf(rule["query"]),
    labels: fieldsOf(rule["labels"]) as Record<string, string>,
    for: numberOf(rule["duration"]) ?? 0,
    keepFiringFor: numberOf(rule["keepFiringFor"]) ?? 0,
    health: textOf(rule["health"]),
    lastError: foreignText(rule["lastError"]),
  };
}
