// A server with the two endpoints that a backtest asks, over series in memory; what it is asked is kept.

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { evaluate, type Source } from "../../exporter/promql/evaluate.ts";
import { matches } from "../../exporter/promql/matcher.ts";
import { parsePromql } from "../../exporter/promql/parse.ts";
import type { LabelSet, Samples } from "../../exporter/promql/series.ts";

export interface Asked {
  endpoint: string;
  query: string;
  start: number;
  end: number;
  step: number;
  authorization: string | undefined;
}

type Answer = { status: number; body: string; type?: string } | "hang up";

export class FakePrometheus {
  readonly url: string;
  readonly asked: Asked[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  /** `refuse` may answer in place of the server. It is stopped when the test is over. */
  static async start(
    series: readonly Samples[],
    refuse: (asked: Asked) => Answer | undefined = () => undefined,
  ): Promise<FakePrometheus> {
    const server = http.createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const fake = new FakePrometheus(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on("request", (request, response) => {
      const { pathname, searchParams } = new URL(request.url as string, fake.url);
      const asked = {
        endpoint: pathname,
        query: searchParams.get("query") ?? searchParams.get("match[]") ?? "",
        start: Number(searchParams.get("start")),
        end: Number(searchParams.get("end")),
        step: Number(searchParams.get("step") ?? 1),
        authorization: request.headers.authorization,
      };
      fake.asked.push(asked);
      const answer = refuse(asked) ?? {
        status: 200,
        body: JSON.stringify({ status: "success", data: dataOf(asked, series) }),
      };
      if (answer === "hang up") return void request.socket.destroy();
      response.writeHead(answer.status, { "content-type": answer.type ?? "application/json" });
      response.end(answer.body);
    });
    return fake;
  }
}

export const refusal = (status: number, error: string): Answer => ({
  status,
  body: JSON.stringify({ status: "error", errorType: "execution", error }),
});

function dataOf({ endpoint, query, start, end, step }: Asked, series: readonly Samples[]): unknown {
  const expr = parsePromql(query);
  if (endpoint.endsWith("/series")) {
    if (expr.kind !== "selector") throw new Error(query);
    return series
      .filter(({ labels }) => labels["__name__"] === expr.name && expr.matchers.every((m) => matches(m, labels)))
      .filter(({ times }) => Array.from(times).some((t) => t >= start && t <= end))
      .map(({ labels }) => labels);
  }
  const source: Source = { series: (name) => series.filter(({ labels }) => labels["__name__"] === name) };
  const times = Float64Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step);
  const result = evaluate(expr, source, times).map(({ labels, values }) => ({
    metric: labels,
    values: Array.from(values, (value, i) => [times[i] as number, String(value)]).filter(([, text]) => text !== "NaN"),
  }));
  return { resultType: "matrix", result: result.filter(({ values }) => values.length > 0) };
}

/** The same value at each of these times, or one for each. */
export function gauge(
  name: string,
  labels: LabelSet,
  times: ArrayLike<number>,
  value: number | ArrayLike<number>,
): Samples {
  const values = typeof value === "number" ? Float64Array.from(times, () => value) : value;
  return { labels: { __name__: name, ...labels }, times, values };
}

/** The address of a port on which nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
