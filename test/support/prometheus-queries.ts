// Questions to a Prometheus that runs somewhere, and to somebody's JSON in general.

import { setTimeout as wait } from "node:timers/promises";
import type { Labels } from "./scrape.ts";

export interface QueryResult {
  metric: Labels;
  value: number;
}

export class PrometheusQueries {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async query(expression: string, at?: number): Promise<QueryResult[]> {
    const { result } = (await this.api("query", {
      query: expression,
      ...(at === undefined ? {} : { time: String(at) }),
    })) as {
      result: { metric: Labels; value: [time: number, text: string] }[];
    };
    return result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
  }

  /** The first value of the first series; undefined when there is none. */
  async value(expression: string): Promise<number | undefined> {
    return (await this.query(expression))[0]?.value;
  }

  /** Asks until there is a result that will do. */
  until(
    expression: string,
    {
      seconds = 60,
      enough = (result) => result.length > 0,
    }: { seconds?: number; enough?: (result: QueryResult[]) => boolean } = {},
  ): Promise<QueryResult[]> {
    return until(expression, seconds, async () => {
      const result = await this.query(expression);
      return enough(result) ? result : undefined;
    });
  }

  /** The `data` of an answer of its HTTP API. */
  async api(endpoint: string, parameters: Record<string, string> = {}): Promise<unknown> {
    const body = new URLSearchParams(parameters);
    const response = await fetch(`${this.url}/api/v1/${endpoint}?${body}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== "success") throw new Error(`${endpoint} ${body}: ${answer.error}`);
    return answer.data;
  }
}

/** Tries until something is found; errors count as not yet. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let error: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (thrown) {
      error = thrown;
    }
    await wait(500);
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: error });
}
