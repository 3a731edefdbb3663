// Text in lines that fit into a terminal.

import { visible } from "../text/visible.ts";
import { shownLine } from "./shown-text.ts";

/** Lines that are easy to read, where the terminal is that wide. */
export const widest = 100;
const narrowest = 40;

/** Columns that standard output has for a report; those of a wide terminal where it is none. */
export const reportColumns = (stream: Pick<NodeJS.WriteStream, "isTTY" | "columns"> = process.stdout): number =>
  stream.isTTY && stream.columns > 0 ? Math.min(widest, Math.max(narrowest, stream.columns)) : widest;

/** Breaks at blanks. No line holds what a terminal would act on, whatever is in the text. `width` in columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of visible(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map(shownLine);
}
