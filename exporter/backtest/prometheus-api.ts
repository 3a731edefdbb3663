// The HTTP API of a Prometheus server, as far as a backtest needs it, with failures in words for its user.
// https://prometheus.io/docs/prometheus/latest/querying/api/

import type { LabelSet } from "../promql/series.ts";
import { BacktestError } from "./failure.ts";

/** A server returns at most this many points per series and query. */
export const maximumPoints = 11_000;

/** Longer requests go into the body: servers and proxies cut addresses at some 8 kB. */
const longestAddress = 2000;

/** One series of a range query's result. */
export interface RangeResult {
  readonly metric: LabelSet;
  readonly values: readonly (readonly [time: number, text: string])[];
}

/** The query takes more samples than the server allows; a shorter stretch may pass. */
export class TooManySamples extends BacktestError {}

export interface ApiOptions {
  /** Token for the Authorization header. */
  readonly bearerToken?: string | undefined;
  /** How long an answer may take. */
  readonly timeoutSeconds?: number;
}

export class PrometheusApi {
  /** Without user and password: fit for messages. */
  readonly url: string;
  private readonly headers: Record<string, string>;
  private readonly timeoutSeconds: number;

  /** User and password may be in the URL. Throws BacktestError for what is not a URL. */
  constructor(address: string, { bearerToken, timeoutSeconds = 120 }: ApiOptions = {}) {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new BacktestError(`expected a URL such as http://127.0.0.1:9090, got "${address}"`, 2);
    }
    // compressing costs a server on this machine more than it saves, and one far away answers a query at a time
    this.headers = { "accept-encoding": isLoopback(url.hostname) ? "identity" : "gzip" };
    if (bearerToken !== undefined) this.headers["authorization"] = `Bearer ${bearerToken}`;
    if (url.username !== "") {
      const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      this.headers["authorization"] = `Basic ${Buffer.from(credentials).toString("base64")}`;
    }
    this.url = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
    this.timeoutSeconds = timeoutSeconds;
  }

  /** Labels of the series that a selector finds between two times in seconds. */
  async series(selector: string, from: number, to: number): Promise<LabelSet[]> {
    return (await this.get("series", { "match[]": selector, start: String(from), end: String(to) })) as LabelSet[];
  }

  /** The value of an expression at `from`, `from + step`, … up to `to`, in seconds. */
  async range(query: string, from: number, to: number, step: number): Promise<RangeResult[]> {
    const parameters = { query, start: String(from), end: String(to), step: String(step) };
    return ((await this.get("query_range", parameters)) as { result: RangeResult[] }).result;
  }

  /** The `data` of an endpoint's answer. Throws BacktestError. */
  async get(endpoint: string, parameters: Record<string, string>): Promise<unknown> {
    const query = new URLSearchParams(parameters);
    const isLong = String(query).length > longestAddress;
    const address = `${this.url}/api/v1/${endpoint}`;
    const request = { headers: this.headers, signal: AbortSignal.timeout(this.timeoutSeconds * 1000) };
    let response: Response;
    let body: string;
    try {
      response = isLong
        ? await fetch(address, { ...request, method: "POST", body: query })
        : await fetch(`${address}?${query}`, request);
      body = await response.text();
    } catch (error) {
      throw this.unreachable(error as Error);
    }
    const answer = parsedAnswer(body);
    if (response.ok && answer?.status === "success") return answer.data;
    throw this.refused(response, answer?.error);
  }

  private unreachable(error: Error): BacktestError {
    if (error.name === "TimeoutError") {
      return new BacktestError(`${this.url} did not answer within ${this.timeoutSeconds} seconds`, 1, { cause: error });
    }
    return new BacktestError(`cannot reach ${this.url}: ${unreachableReason(error)}`, 1, { cause: error });
  }

  private refused({ status, statusText, headers }: Response, error: string | undefined): BacktestError {
    if (status === 401 || status === 403) {
      return new BacktestError(
        `${this.url} refuses access (${status} ${statusText}). Put user and password into the URL (http://user:password@host) or use --bearer-token-file`,
        1,
      );
    }
    if (error === undefined) {
      const kind = headers.get("content-type")?.split(";")[0] ?? "no content type";
      return new BacktestError(`${this.url} is not a Prometheus server: it answers ${status} with ${kind}`, 1);
    }
    if (/too many samples|exceeded maximum.*(samples|series)/i.test(error)) {
      return new TooManySamples(`${this.url}: ${error}. Narrow it with --match, or use a longer --step`, 1);
    }
    return new BacktestError(`${this.url}: ${error}`, status === 400 ? 2 : 1);
  }
}

/** Why there was no answer to an HTTP request. */
export function unreachableReason(error: Error): string {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ECONNREFUSED: "nothing listens there",
    ENOTFOUND: "the host name is not known",
    EAI_AGAIN: "the host name cannot be looked up now",
    ECONNRESET: "the connection was cut",
    UND_ERR_SOCKET: "the connection was cut",
    "bad port": "this port is that of another protocol, and blocked for HTTP",
  };
  return reasons[cause.code ?? cause.message] ?? (cause.message || cause.code || "no reason is given");
}

function parsedAnswer(body: string): { status?: string; data?: unknown; error?: string } | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== "object" || answer === null) return undefined;
    const { status, data, error } = answer as Record<string, unknown>;
    if (status === "error") return { status, error: typeof error === "string" ? error : "an error without a text" };
    return status === "success" ? { status, data } : undefined;
  } catch {
    return undefined;
  }
}

export const noSeries = ({ url }: PrometheusApi, selectors: readonly string[]) =>
  `${url} has no series ${selectors.join(" or ")} in this time`;

/** Prometheus' own spelling of numbers. */
export function sampleValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || host.startsWith("127.");
