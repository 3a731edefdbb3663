// Series selectors as text, from what a user gave and from labels.

import { PromqlError } from "../promql/error.ts";
import { parsePromql } from "../promql/parse.ts";
import type { LabelSet } from "../promql/series.ts";
import { CommandError } from "../terminal/command-error.ts";

/** `name{a="b",c=~"d.*"}`, in parts. */
export interface GivenSelector {
  /** Empty when only matchers were given. */
  readonly name: string;
  /** `a="b",c=~"d.*"` */
  readonly matchers: string;
  /** The option in which a user asked for it; undefined when nobody did. */
  readonly option?: string;
}

/** Throws CommandError that names the option. */
export function givenSelector(option: string, text: string): GivenSelector {
  const expected = `${option}: expected a selector such as up{job="api"} or {job="api"}, got ${text}`;
  try {
    // a bare list of matchers is what people type
    const expr = parsePromql(/^\s*\w+\s*[=!]/.test(text) ? `{${text}}` : text);
    if (expr.kind !== "selector" || expr.range !== undefined || expr.offset !== 0) throw new CommandError(expected, 2);
    return {
      name: expr.name,
      matchers: expr.matchers.map(({ label, op, value }) => `${label}${op}${quoted(value)}`).join(","),
    };
  } catch (error) {
    if (error instanceof PromqlError) throw new CommandError(`${expected}: ${error.message}`, 2, { cause: error });
    throw error;
  }
}

/** A selector of all that has these labels, and what matchers further say. */
export function selectorText(name: string, labels: LabelSet, matchers = ""): string {
  const own = Object.entries(labels).flatMap(([label, value]) =>
    label === "__name__" ? [] : [`${label}=${quoted(value)}`],
  );
  const all = matchers === "" ? own : [...own, matchers];
  return all.length === 0 ? name : `${name}{${all.join(",")}}`;
}

const quoted = (value: string) => `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
