// What a Grafana server says about our dashboards, as facts.
//   GET /api/health               {"database": "ok", "version": "11.2.0"}        needs no login
//   GET /api/dashboards/uid/<uid> 200, or 404
//   GET /api/datasources          [{"name": …, "type": "prometheus", "jsonData": {"timeInterval": "15s"}}]
// https://grafana.com/docs/grafana/latest/developers/http_api/

import { MiB } from "../../catalog/defaults.ts";
import { dashboardUids } from "../../catalog/links.ts";
import { duration } from "../config/decode.ts";
import {
  AnswerTooLarge,
  bearerAuthorization,
  readAnswer,
  type ServerAddress,
  serverAddress,
  unreachableReason,
} from "../prometheus/http.ts";
import { foreignText } from "../terminal/shown-text.ts";
import { fieldsOf, listOf, textOf } from "./answer.ts";

export interface GrafanaFacts {
  readonly url: string;
  /** Why it cannot be asked; then nothing else is known. */
  readonly error: string | undefined;
  readonly version: string | undefined;
  /** By uid. */
  readonly dashboards: ReadonlyMap<string, "there" | "missing" | "refused" | "failed">;
  /** Data sources of type prometheus; undefined where the user may not see them. */
  readonly datasources: readonly Datasource[] | undefined;
}

export interface Datasource {
  readonly name: string;
  /** What it takes for the scrape interval, in seconds; undefined when it is a text that Prometheus does not know. */
  readonly interval: number | undefined;
}

/** Grafana's own, when the field is empty. */
const defaultInterval = "15s";

/** A dashboard has some 100 KiB. Bytes. */
const largestAnswer = 4 * MiB;

export class GrafanaError extends Error {}

export interface GrafanaOptions {
  /** Of a service account. */
  readonly token?: string | undefined;
  readonly timeoutSeconds?: number;
}

/** User and password may be in the URL. Throws GrafanaError for what is not a URL. */
export async function observeGrafana(address: string, options: GrafanaOptions = {}): Promise<GrafanaFacts> {
  const server = serverAddress(address, "http://127.0.0.1:3000", (message) => new GrafanaError(message));
  const { url } = server;
  const nothing = { url, version: undefined, dashboards: new Map(), datasources: undefined };
  const ask = asker(url, authorization(server, options.token), options.timeoutSeconds ?? 10);
  let health: Reply;
  try {
    health = await ask("/api/health");
  } catch (error) {
    if (error instanceof AnswerTooLarge) return { ...nothing, error: `${url}: ${error.message}` };
    return { ...nothing, error: `cannot reach ${url}: ${unreachableReason(error as Error)}` };
  }
  const found = fieldsOf(health.body);
  if (typeof found["database"] !== "string") {
    return { ...nothing, error: `${url} is not a Grafana server: /api/health answers ${health.status}` };
  }
  const states = await Promise.all(
    Object.values(dashboardUids).map(async (uid) => [uid, await stateOf(ask, uid)] as const),
  );
  return {
    url,
    error: undefined,
    version: foreignText(found["version"]) || undefined, // may be hidden from strangers
    dashboards: new Map(states),
    datasources: await datasources(ask),
  };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

type Ask = (place: string) => Promise<Reply>;

const asker =
  (url: string, headers: Record<string, string>, timeoutSeconds: number): Ask =>
  async (place) => {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const response = await fetch(url + place, { headers: { accept: "application/json", ...headers }, signal });
    const text = await readAnswer(response, largestAnswer);
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      return { status: response.status, body: undefined };
    }
  };

function authorization({ url, basic }: ServerAddress, token: string | undefined): Record<string, string> {
  if (token !== undefined)
    return { authorization: bearerAuthorization(token, url, (message) => new GrafanaError(message)) };
  return basic === undefined ? {} : { authorization: basic };
}

async function stateOf(ask: Ask, uid: string) {
  const { status } = await ask(`/api/dashboards/uid/${uid}`).catch(() => ({ status: 0 }));
  if (status === 200) return "there";
  if (status === 404) return "missing";
  return status === 401 || status === 403 ? "refused" : "failed";
}

async function datasources(ask: Ask): Promise<Datasource[] | undefined> {
  const { status, body } = await ask("/api/datasources").catch(() => ({ status: 0, body: undefined }));
  if (status !== 200) return undefined;
  return listOf(body)
    ?.map(fieldsOf)
    .filter(({ type }) => type === "prometheus")
    .map(({ name, jsonData }) => ({
      name: foreignText(name),
      interval: secondsOf(textOf(fieldsOf(jsonData)["timeInterval"]) || defaultInterval),
    }));
}

/** Longer than any duration that somebody writes. */
const longestDuration = 40;

function secondsOf(text: string): number | undefined {
  if (text.length > longestDuration) return undefined;
  try {
    return duration(text, []);
  } catch {
    return undefined;
  }
}
