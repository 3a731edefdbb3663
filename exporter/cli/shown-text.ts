// Text that is not ours, as the commands print it: names of processes, labels and errors of servers, what files hold. It is cut,
// loses what looks like a secret, and characters that a terminal or a reader of lines would act on are written out.

import { redacted, withoutSecrets, withoutSecretWords } from "../text/secrets.ts";
import { cutPath, cutText, visible } from "../text/visible.ts";

/** Bytes. */
const sizes = { name: 128, said: 300, value: 512, message: 4096 } as const;

/** `##[error]`: GitHub's runner takes it for a command, wherever it stands in a line. */
const withoutRunnerCommands = (text: string) => text.replaceAll("##[", "\\x23#[");

/** What somebody else said, for a sentence of ours. What is no text says nothing. */
export function foreignText(text: unknown, bytes: number = sizes.said): string {
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

/** For commander's `configureOutput`: what it complains about was typed, or put together by a script. */
export const plainErrors = {
  outputError(text: string, write: (text: string) => void): void {
    const hintAt = text.lastIndexOf("\n(Did you mean ");
    const message = hintAt < 0 ? text.replace(/\n$/, "") : text.slice(0, hintAt);
    const hint = hintAt < 0 ? "" : `\n${shownError(text.slice(hintAt + 1).replace(/\n$/, ""))}`;
    write(`${shownError(withoutTypedSecrets(message))}${hint}\n`);
  },
};

/** Commander shows the words that it does not expect, such as those of the command that is watched, typed without `--` before it. */
function withoutTypedSecrets(message: string): string {
  const [start, option] = /^error: unknown option '(-[^-])?/.exec(message) ?? [];
  if (start !== undefined) return option === undefined ? withoutSecretWords(message) : `${start}'`; // not -psecret
  return /^error: (?:too many arguments|option '|unknown command)/.test(message)
    ? withoutSecretWords(message)
    : message;
}
