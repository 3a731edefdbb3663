// `127.0.0.1:9847`, `:9847`, `[::1]:9847`: the notation of Prometheus' own programs.

export interface ListenAddress {
  /** Undefined listens on all interfaces. */
  host: string | undefined;
  port: number;
}

/** Throws an Error whose message says what was expected. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`expected HOST:PORT or :PORT, got "${text}"`);
  }
  const host = bracketed ?? plain;
  return { host: host === "" ? undefined : host, port };
}

/** The address as a URL that can be opened; all interfaces are shown as localhost. */
export function urlOf({ host, port }: ListenAddress, scheme: "http" | "https"): string {
  const shown = host === undefined || host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `${scheme}://${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
}
