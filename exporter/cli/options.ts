// Options that more than one command has, and how their values are read.

import { InvalidArgumentError } from "commander";

/** Makes commander say what was wrong with a value; the text itself is kept. */
export function checked(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    try {
      parse(text);
      return text;
    } catch (error) {
      throw new InvalidArgumentError(`${(error as Error).message}.`);
    }
  };
}

export function telemetryPath(text: string): string {
  if (!/^\/[\w./-]+$/.test(text)) throw new InvalidArgumentError(`expected a path such as /metrics, got "${text}".`);
  return text;
}

/** commander keeps the dots of `--web.listen-address`: `web.listenAddress` becomes webListenAddress. */
export function withPlainNames<Options>(options: Readonly<Record<string, unknown>>): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as Options;
}

/** Paths are appended to it. */
export const mountPoint = (text: string) => text.replace(/(?!^)\/+$/, "");
