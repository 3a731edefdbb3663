// A server that the user names, a Prometheus or a Grafana: its address, its authorization, and its answers, which end at a size.

import { foreignText } from "../terminal/shown-text.ts";
import { humanBytes } from "../text/human.ts";
import { withoutCredentials, withoutTrailingSlashes } from "../text/url.ts";

export interface ServerAddress {
  /** Without user and password: fit for messages. */
  readonly url: string;
  /** Value of the Authorization header, when there are user and password in the address. */
  readonly basic: string | undefined;
}

/** `refuse` makes the error of what is no address. */
export function serverAddress(given: string, example: string, refuse: (message: string) => Error): ServerAddress {
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw refuse(`expected a URL such as ${example}, got "${withoutCredentials(given)}"`);
  }
  const { origin, pathname, search, hash } = parsed;
  // a password with a slash ends the host: what is left of it would be shown as host, port and path
  if (`${pathname}${search}${hash}`.includes("@")) {
    throw refuse("a user or password in a URL must have / as %2F, ? as %3F, # as %23 and @ as %40");
  }
  return { url: origin + withoutTrailingSlashes(pathname), basic: basicAuthorization(parsed) };
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64")}`;
}

/** A lone % stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Value of the Authorization header. One that cannot be sent is refused here, since fetch's own error shows it. */
export function bearerAuthorization(token: string, url: string, refuse: (message: string) => Error): string {
  if (!/^[!-~]+$/.test(token)) throw refuse(`the token for ${url} must be a single word; it is not shown here`);
  return `Bearer ${token}`;
}

/** The server sends more than such an answer can be. The rest was not read. */
export class AnswerTooLarge extends Error {
  constructor(bytes: number) {
    super(`its answer is larger than ${humanBytes(bytes)}, and the rest was not read`);
  }
}

/** The body as text. Throws AnswerTooLarge, and fetch's errors. */
export async function readAnswer({ body }: Response, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length; // after decompression
    if (bytes > mostBytes) throw new AnswerTooLarge(mostBytes); // which also ends the transfer
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
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
  return reasons[cause.code ?? cause.message] ?? (foreignText(cause.message || cause.code) || "no reason is given");
}
