// Text of clients, for answers and logs.

import { web } from "../../catalog/defaults.ts";

/** At most so many printable ASCII characters: bytes of others become \xNN, and "..." stands for what was cut off. */
export function printable(text: string, most: number = web.shownCharacters): string {
  let shown = "";
  // characters beyond these would be cut off anyway
  for (const byte of Buffer.from(text.slice(0, most + 1), "utf8")) shown += escapeByte(byte);
  if (shown.length <= most) return shown;
  return `${shown.slice(0, most - "...".length).replace(/\\(x.?)?$/, "")}...`; // without half of a \xNN
}

const escapeByte = (byte: number) =>
  byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
