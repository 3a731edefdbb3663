// A server with the two endpoints that a backtest asks, over series in memory; what it is asked is kept.

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { LabelSet } from "../../exporter/prometheus/labels.ts";
import { parseSelector } from "../../exporter/prometheus/selector.ts";

/** One series, oldest sample first. A value of NaN ends it until the next sample. */
export interface Samples {
  readonly labels: LabelSet;
  /** Unix seconds. */
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

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

/** A sample holds for so long, in seconds, unless another one follows. */
const lookback = 300;

function dataOf({ endpoint, query, start, end, step }: Asked, series: readonly Samples[]): unknown {
  const isWanted = wantedBy(query);
  const found = series.filter(({ labels }) => isWanted(labels));
  if (endpoint.endsWith("/series")) {
    return found
      .filter(({ times }) => Array.from(times).some((t) => t >= start && t <= end))
      .map(({ labels }) => labels);
  }
  const result = found.map(({ labels, times, values }) => {
    const points: [number, string][] = [];
    let next = 0;
    for (let t = start; t <= end; t += step) {
      while (next < times.length && (times[next] as number) <= t) next++;
      const [at, value] = [times[next - 1], values[next - 1]];
      if (at !== undefined && t - at < lookback && !Number.isNaN(value)) points.push([t, String(value)]);
    }
    return { metric: labels, values: points };
  });
  return { resultType: "matrix", result: result.filter(({ values }) => values.length > 0) };
}

/** As far as Prometheus 3 takes it: a name with a dot must be quoted. */
function wantedBy(query: string): (labels: LabelSet) => boolean {
  const { name, matchers } = parseSelector(query);
  const each = [...matchers.matchAll(/("(?:[^"\\]|\\.)*"|\w+)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")/g)].map(
    ([, label = "", op = "", value = ""]) => {
      const wanted = unquoted(value);
      const is = op.endsWith("~")
        ? (text: string) => new RegExp(`^(?:${wanted})$`, "s").test(text)
        : (text: string) => text === wanted;
      const key = label.startsWith('"') ? unquoted(label) : label;
      return (labels: LabelSet) => is(labels[key] ?? "") !== op.startsWith("!");
    },
  );
  return (labels) => labels["__name__"] === name && each.every((matches) => matches(labels));
}

const unquoted = (text: string) =>
  text.slice(1, -1).replace(/\\(.)/gs, (_, character: string) => (character === "n" ? "\n" : character));

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
