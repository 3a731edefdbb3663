// What a Prometheus server says about us, as facts. https://prometheus.io/docs/prometheus/latest/querying/api/

import { processMetrics, selfMetrics } from "../../catalog/metrics.ts";
import { BacktestError } from "../backtest/failure.ts";
import type { PrometheusApi } from "../backtest/prometheus-api.ts";
import { parseDuration } from "../promql/parse.ts";

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

/** The answers as the API gives them, as far as they are read here. */
interface Answers {
  buildinfo: { version?: string };
  targets: {
    activeTargets: {
      labels: Record<string, string>;
      scrapePool?: string;
      scrapeUrl: string;
      health: string;
      lastError: string;
      lastScrape: string;
      lastScrapeDuration: number;
      scrapeInterval?: string;
    }[];
  };
  rules: {
    groups: {
      name: string;
      interval: number;
      rules: {
        name: string;
        query: string;
        labels?: Record<string, string>;
        duration?: number;
        keepFiringFor?: number;
        health: string;
        lastError?: string;
      }[];
    }[];
  };
  alertmanagers: { activeAlertmanagers: unknown[] };
  query: { result: { metric: Record<string, string>; value: [time: number, text: string] }[] };
  time: { result: [time: number, text: string] };
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
    const { result } = (await api.get("query", { query: "time()" })) as Answers["time"];
    serverTime = Number(result[1]);
  } catch (error) {
    if (!(error instanceof BacktestError)) throw error;
    return { ...nothing, error: error.message };
  }
  const clockAhead = serverTime - now();
  const ask = async <Endpoint extends keyof Answers>(endpoint: Endpoint, parameters: Record<string, string> = {}) => {
    const place = { buildinfo: "status/buildinfo", time: "query" }[endpoint as string] ?? endpoint;
    return (await api.get(place, parameters).catch(() => undefined)) as Answers[Endpoint] | undefined;
  };
  const count = async (query: string) => {
    const answer = await ask("query", { query });
    return answer && Number(answer.result[0]?.value[1] ?? 0);
  };
  const [build, targets, exporters, rules, alertmanagers] = await Promise.all([
    ask("buildinfo"),
    ask("targets", { state: "active" }),
    ask("query", { query: `last_over_time(${selfMetrics.buildInfo.name}[1h])` }),
    ask("rules"),
    ask("alertmanagers"),
  ]);
  const isOurs = ourTargets(exporters, options.port);
  return {
    ...nothing,
    error: undefined,
    version: build?.version,
    clockAhead,
    targets: targets?.activeTargets.filter(isOurs).map((target) => asTarget(target, serverTime)),
    targetCount: targets?.activeTargets.length ?? 0,
    watchedProcesses: await count(`count(${processMetrics.residentMemory.name})`),
    series: await count('count({__name__=~"leakwatch_.+"})'),
    ruleGroups: rules?.groups.map(asGroup),
    alertmanagers: alertmanagers?.activeAlertmanagers.length,
  };
}

type ApiTarget = Answers["targets"]["activeTargets"][number];

/** Known by what it served in the last hour; one that never could be scraped, by its port or name. */
function ourTargets(exporters: Answers["query"] | undefined, port: number): (target: ApiTarget) => boolean {
  const key = (labels: Record<string, string>) => `${labels["job"]} ${labels["instance"]}`;
  const known = new Set(exporters?.result.map(({ metric }) => key(metric)));
  return ({ labels, scrapeUrl, scrapePool = "" }) =>
    known.has(key(labels)) || portOf(scrapeUrl) === port || /leakwatch/.test(`${scrapePool} ${labels["job"] ?? ""}`);
}

function portOf(url: string): number | undefined {
  return URL.canParse(url) ? Number(new URL(url).port) : undefined;
}

function asTarget(target: ApiTarget, serverTime: number): ScrapeTarget {
  const lastScrape = Date.parse(target.lastScrape) / 1000;
  return {
    job: target.labels["job"] ?? "",
    instance: target.labels["instance"] ?? "",
    url: target.scrapeUrl,
    health: target.health,
    lastError: target.lastError,
    age: lastScrape > 0 ? Math.max(0, serverTime - lastScrape) : undefined,
    duration: target.lastScrapeDuration,
    interval: target.scrapeInterval === undefined ? undefined : parseDuration(target.scrapeInterval),
  };
}

function asGroup({ name, interval, rules }: Answers["rules"]["groups"][number]): LoadedGroup {
  return {
    name,
    interval,
    rules: rules.map((rule) => ({
      name: rule.name,
      query: rule.query,
      labels: rule.labels ?? {},
      for: rule.duration ?? 0,
      keepFiringFor: rule.keepFiringFor ?? 0,
      health: rule.health,
      lastError: rule.lastError ?? "",
    })),
  };
}
