// Colours, only where a person looks at them.

import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Puts a text into a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Whether standard output is for colours. As https://no-color.org asks: any value of NO_COLOR but an empty one is a no. */
export function wantsColour(): boolean {
  if (process.env["NO_COLOR"]) return false;
  return Boolean(process.env["FORCE_COLOR"] && process.env["FORCE_COLOR"] !== "0") || process.stdout.isTTY === true;
}

export const painter =
  (colour: boolean): Paint =>
  (style, text) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
