// The HTTP API of a Prometheus server, as far as our commands need it, with failures in words for their user.
// https://prometheus.io/docs/prometheus/latest/querying/api/

import { MiB } from "../../catalog/defaults.ts";
import { CommandError } from "../terminal/command-error.ts";
import { foreignText } from "../terminal/shown-text.ts";
import { AnswerTooLarge, bearerAuthorization, readAnswer, serverAddress, unreachableReason } from "./http.ts";
import type { LabelSet } from "./labels.ts";

/** A server returns at most this many points per series and query. */
export const maximumPoints = 11_000;

/** Longer requests go into the body: servers and proxies cut addresses at some 8 kB. */
const longestAddress = 2000;

/** Answers that grow with what the server watches; all others are small. */
const longAnswers = new Set(["query_range", "query", "series", "targets", "rules"]);
const largestAnswer = { long: 64 * MiB, short: 4 * MiB } as const;

/** One series of a range query's result. */
export interface RangeResult {
  readonly metric: LabelSet;
  readonly values: readonly (readonly [time: number, text: string])[];
}

/** The query takes more samples than the server allows, or than are read here; a shorter stretch may pass. */
export class TooManySamples extends CommandError {}

/** The server answered too late, or without an end. */
export class Unanswered extends CommandError {
  /** Without the server's name. */
  readonly reason: string;

  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`${url}: ${reason}`, 1, options);
    this.reason = reason;
  }
}

export interface ApiOptions {
  /** Token for the Authorization header. */
  readonly bearerToken?: string | undefined;
  /** How long an answer may take. */
  readonly timeoutSeconds?: number;
  /** How long the answer to a query over time may be, in bytes. */
  readonly largestRange?: number;
}

export class PrometheusApi {
  /** Without user and password: fit for messages. */
  readonly url: string;
  private readonly headers: Record<string, string>;
  private readonly timeoutSeconds: number;
  private readonly largestRange: number;

  /** User and password may be in the URL. Throws CommandError for what is not a URL. */
  constructor(address: string, options: ApiOptions = {}) {
    const { bearerToken, timeoutSeconds = 120, largestRange = largestAnswer.long } = options;
    const refuse = (message: string) => new CommandError(message, 2);
    const { url, basic } = serverAddress(address, "http://127.0.0.1:9090", refuse);
    // compressing costs a server on this machine more than it saves, and one far away answers a query at a time
    this.headers = { "accept-encoding": isLoopback(new URL(url).hostname) ? "identity" : "gzip" };
    const bearer = bearerToken === undefined ? undefined : bearerAuthorization(bearerToken, url, refuse);
    const authorization = basic ?? bearer;
    if (authorization !== undefined) this.headers["authorization"] = authorization;
    this.url = url;
    this.timeoutSeconds = timeoutSeconds;
    this.largestRange = largestRange;
  }

  /** Labels of the series that a selector finds between two times in seconds. */
  async series(selector: string, from: number, to: number): Promise<LabelSet[]> {
    const found = await this.get("series", { "match[]": selector, start: String(from), end: String(to) });
    if (!Array.isArray(found) || !found.every(isLabelSet)) throw this.unexpected("series");
    return found;
  }

  /** The value of an expression at `from`, `from + step`, … up to `to`, in seconds. */
  async range(query: string, from: number, to: number, step: number): Promise<RangeResult[]> {
    const parameters = { query, start: String(from), end: String(to), step: String(step) };
    const answer = (await this.get("query_range", parameters)) as { result?: unknown } | null;
    if (!Array.isArray(answer?.result) || !answer.result.every(isRangeResult)) throw this.unexpected("query_range");
    return answer.result;
  }

  /** The `data` of an endpoint's answer. Throws CommandError. */
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
      body = await readAnswer(response, this.largest(endpoint));
    } catch (error) {
      throw this.unreachable(endpoint, error as Error);
    }
    const answer = parsedAnswer(body);
    if (response.ok && answer?.status === "success") return answer.data;
    throw this.refused(response, answer?.error);
  }

  private largest(endpoint: string): number {
    if (endpoint === "query_range") return this.largestRange;
    return longAnswers.has(endpoint) ? largestAnswer.long : largestAnswer.short;
  }

  private unreachable(endpoint: string, error: Error): CommandError {
    if (error instanceof AnswerTooLarge && endpoint === "query_range") return this.tooManySamples(error.message);
    if (error instanceof AnswerTooLarge) return new Unanswered(this.url, error.message, { cause: error });
    if (error.name === "TimeoutError") {
      return new Unanswered(this.url, `no complete answer within ${this.timeoutSeconds} seconds`, { cause: error });
    }
    return new CommandError(`cannot reach ${this.url}: ${unreachableReason(error)}`, 1, { cause: error });
  }

  private tooManySamples(reason: string): TooManySamples {
    return new TooManySamples(`${this.url}: ${reason}. Narrow it with --match, or use a longer --step`, 1);
  }

  private unexpected(endpoint: string): CommandError {
    return new CommandError(`${this.url} is not a Prometheus server: its answer to ${endpoint} has another form`, 1);
  }

  private refused({ status, statusText, headers }: Response, error: string | undefined): CommandError {
    if (status === 401 || status === 403) {
      return new CommandError(
        `${this.url} refuses access (${[status, foreignText(statusText)].join(" ").trimEnd()}). Put user and password into the URL (http://user:password@host) or use --bearer-token-file`,
        1,
      );
    }
    if (error === undefined) {
      const kind = foreignText(headers.get("content-type")?.split(";")[0]) || "no content type";
      return new CommandError(`${this.url} is not a Prometheus server: it answers ${status} with ${kind}`, 1);
    }
    const reason = foreignText(error);
    if (/too many samples|exceeded maximum.*(samples|series)/i.test(reason)) return this.tooManySamples(reason);
    return new CommandError(`${this.url}: ${reason}`, status === 400 ? 2 : 1);
  }
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

const isLabelSet = (value: unknown): value is LabelSet =>
  typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");

function isRangeResult(value: unknown): value is RangeResult {
  const { metric, values } = (value ?? {}) as { metric?: unknown; values?: unknown };
  return isLabelSet(metric) && Array.isArray(values) && values.every(isPoint);
}

const isPoint = (value: unknown) =>
  Array.isArray(value) && typeof value[0] === "number" && typeof value[1] === "string";

export const noSeries = ({ url }: PrometheusApi, selectors: readonly string[]) =>
  `${url} has no series ${selectors.join(" or ")} in this time`;

/** Prometheus' own spelling of numbers. */
export function sampleValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || host.startsWith("127.");
