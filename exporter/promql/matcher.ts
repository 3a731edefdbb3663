// Label matchers. Regular expressions match the whole value; a label that is absent is empty.

import type { Matcher } from "./ast.ts";
import type { LabelSet } from "./series.ts";

export function matches({ label, op, value }: Matcher, labels: LabelSet): boolean {
  const found = labels[label] ?? "";
  if (op === "=" || op === "!=") return (found === value) === (op === "=");
  return new RegExp(`^(?:${value})$`, "s").test(found) === (op === "=~");
}
