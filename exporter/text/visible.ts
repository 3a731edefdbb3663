// Names and paths as they are shown: in labels, on the page, in logs and at a terminal. A target chooses most of them, so
// they are cut, and characters that a terminal, a log reader or a page would act on are written out.

import { sizes } from "../../catalog/defaults.ts";

/** `crypto` comes from `getBuiltinModule`, see web/server.ts. */
const { createHash } = process.getBuiltinModule("node:crypto");

/**
 * Control characters, ANSI's first bytes among them; marks that change the direction of writing or cannot be seen; separators of
 * lines; characters for private use.
 */
const notShown = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** What `visible` and `cutPath` write in place of something. Not `\x2d`, of which systemd's paths are full. */
const likeWritten = /\\x(?:[01][0-9a-f]|7f|[89][0-9a-f]|ad)|\\u(?:[0-9a-f]{4}|\{[0-9a-f]{5,6}\})|…[0-9a-f]{16}$/;

/** `\x1b` for an escape character, `\u202e` for a mark that turns the writing around. */
export function visible(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.replace(notShown, written);
}

function written(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

/** A name of at most 128 bytes of UTF-8. */
export const cutName = (name: string): string =>
  cut(withoutBacktick(visible(cutCharacters(name, sizes.name))), sizes.name);

/** Boards and alerts quote what they ask for in backticks, in which PromQL knows no escape, and Grafana's `:regex` has none. */
const withoutBacktick = (text: string) => (text.includes("`") ? text.replaceAll("`", "'") : text);

/** A path of at most 512 bytes of UTF-8; two that differ beyond that, or only in how a character is written, stay two. */
export function cutPath(path: string): string {
  if (path.length <= sizes.path && !likeWritten.test(path) && !path.includes("`")) {
    const shown = visible(path);
    if (Buffer.byteLength(shown) <= sizes.path) return shown;
  }
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 16);
  const shown = withoutBacktick(visible(cutCharacters(path, sizes.path)));
  return `${cut(shown, sizes.path - digest.length - ellipsisBytes)}…${digest}`;
}

/** Any text of at most so many bytes. */
export const cutText = (text: string, bytes: number): string => cut(visible(cutCharacters(text, bytes)), bytes);

const ellipsisBytes = Buffer.byteLength("…");

/** So that megabytes are not looked through for what is cut anyway: no character takes less than a byte. */
const cutCharacters = (text: string, characters: number) =>
  text.length <= characters ? text : `${text.slice(0, characters)}…`;

/** Whole characters only. */
function cut(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  let kept = "";
  let size = ellipsisBytes;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    kept += character;
  }
  return `${kept}…`;
}
