// Text in lines that fit into a terminal.

import { visible } from "../text/visible.ts";
import { shownLine } from "./shown-text.ts";

/** Columns of a terminal that everybody has. */
export const columns = 100;

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
