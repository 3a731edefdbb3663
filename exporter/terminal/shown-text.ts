// Text that is not ours, as the commands print it: names of processes, labels and errors of servers, what files hold. It is cut,
// loses what looks like a secret, and characters that a terminal or a reader of lines would act on are written out.

import { redacted, withoutSecrets } from "../text/secrets.ts";
import { cutPath, cutText, visible } from "../text/visible.ts";

/** Bytes. */
const sizes = { name: 128, foreign: 300, value: 512, message: 4096 } as const;

/** `##[error]`: GitHub's runner takes it for a command, wherever it stands in a line. */
const withoutRunnerCommands = (text: string) => text.replaceAll("##[", "\\x23#[");

/** What a server or a process chose, for a sentence of ours. Empty for what is no text. */
export function foreignText(text: unknown, bytes: number = sizes.foreign): string {
  if (typeof text !== "string") return "";
  // so that megabytes are not searched for secrets; what is beyond is seldom shown
  return cutText(withoutSpokenSecrets(text.slice(0, 4 * bytes)), bytes);
}

/** In a sentence, other than in a command, `pass` and `token` announce nothing. URLs, settings and headers are as everywhere. */
const withoutSpokenSecrets = (sentence: string) =>
  sentence
    .replace(/\S+/g, (word) => withoutSecrets([word]).join(""))
    .replace(/\b(bearer|basic)\s{1,8}\S+/gi, `$1 ${redacted}`);

/** A name, in a report as text or as JSON. */
export const shownName = (name: string): string => shownText(name, sizes.name);

/** Any text of a report. */
export const shownText = (text: string, bytes: number): string =>
  cutText(withoutRunnerCommands(text.slice(0, bytes + 1)), bytes);

/** A whole line of a report. One that begins with `::` would be a command to GitHub's runner, too. */
export const shownLine = (line: string): string =>
  withoutRunnerCommands(visible(line)).replace(/^(\s*):(?=:)/, "$1\\x3a");

/** All names and texts in what becomes JSON. Long ones that differ stay two. */
export function shownValues<T>(value: T): T;
export function shownValues(value: unknown): unknown {
  if (typeof value === "string") return shownValue(withoutRunnerCommands(value));
  if (Array.isArray(value)) return value.map((item) => shownValues(item as unknown));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [shownValues(key), shownValues(item as unknown)]),
  );
}

/** As it is where it is short: much of it is leakwatch's own, and made visible before. */
function shownValue(text: string): string {
  const shown = cutText(text, sizes.value);
  return text.length <= sizes.value && !shown.endsWith("…") ? shown : cutPath(text);
}

/** What went wrong, as one line. */
export const shownError = (message: string): string => shownText(message, sizes.message);

/** One plain line on standard error, no stack: the user is meant to read it. */
export const printError = (message: string): void => {
  process.stderr.write(`leakwatch: ${shownError(message)}\n`);
};
