// What commander complains about, as one line that shows neither secrets nor control characters.

import { shownError } from "../terminal/shown-text.ts";
import { withoutSecretWords } from "../text/secrets.ts";

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
