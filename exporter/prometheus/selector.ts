// Series selectors as text, from what a user typed and from labels. Since Prometheus 3 a name may hold any character; one that
// older servers would not take is quoted, and a metric's goes into the braces: {"process.memory","service.name"="api"}.
// https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors

import type { LabelSet } from "./labels.ts";

/** `name{a="b",c=~"d.*"}`, in parts. */
export interface Selector {
  /** Empty when only matchers were given. */
  readonly name: string;
  /** `a="b",c=~"d.*"` */
  readonly matchers: string;
}

/** The text is no selector; the message says what was expected, and where. */
export class SelectorError extends Error {}

const bareLabel = /^[a-zA-Z_]\w*$/;
const bareName = /^[a-zA-Z_:][\w:]*$/;

/** Selector of all that has these labels, and what matchers further say. */
export function selectorText(name: string, labels: LabelSet, matchers = ""): string {
  const own = Object.entries(labels).flatMap(([label, value]) =>
    label === "__name__" ? [] : [matcherText(label, "=", value)],
  );
  const isBare = name === "" || bareName.test(name);
  const all = [...(isBare ? [] : [quoted(name)]), ...own, ...(matchers === "" ? [] : [matchers])];
  const outside = isBare ? name : "";
  return all.length === 0 ? outside : `${outside}{${all.join(",")}}`;
}

/** `label=~"a|b"`, the label quoted where its name needs it. */
export const matcherText = (label: string, op: string, value: string): string =>
  `${bareLabel.test(label) ? label : quoted(label)}${op}${quoted(value)}`;

/** A value, so that a regular expression finds only itself. */
export const literalPattern = (value: string): string => value.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");

const quoted = (value: string) => `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;

const tokens = {
  space: /\s*/y,
  name: /[a-zA-Z_:][\w:]*/y,
  // as in Go: in backticks nothing is escaped
  text: /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y,
  op: /=~|!~|!=|=/y,
};

/** Throws SelectorError. */
export function parseSelector(text: string): Selector {
  // a bare list of matchers is what people type
  const reader = new Reader(/^\s*(\w+|"[^"]*")\s*(=|!)/.test(text) ? `{${text}}` : text);
  let name = reader.take("name") ?? "";
  const matchers: string[] = [];
  if (reader.skip("{")) {
    while (!reader.skip("}")) {
      const given = reader.take("text");
      const label = given === undefined ? reader.take("name") : unquoted(given);
      if (label === undefined) throw reader.expected("the name of a label");
      const op = reader.take("op");
      if (op === undefined && given !== undefined && name === "") name = label;
      else if (op === undefined) throw reader.expected("one of = != =~ !~");
      else {
        const value = reader.take("text");
        if (value === undefined) throw reader.expected("a quoted text");
        matchers.push(matcherText(label, op, unquoted(value)));
      }
      if (reader.skip(",")) continue;
      if (!reader.skip("}")) throw reader.expected('"," or "}"');
      break;
    }
  } else if (name === "") throw reader.expected("a name or {");
  if (!reader.atEnd()) throw reader.expected("the end");
  return { name, matchers: matchers.join(",") };
}

class Reader {
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  take(kind: keyof typeof tokens): string | undefined {
    this.space();
    const pattern = tokens[kind];
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  skip(character: string): boolean {
    this.space();
    if (this.source[this.at] !== character) return false;
    this.at++;
    return true;
  }

  atEnd(): boolean {
    this.space();
    return this.at === this.source.length;
  }

  expected(wanted: string): SelectorError {
    const found = this.source[this.at];
    const got = found === undefined ? "the end" : `"${found}"`;
    return new SelectorError(`expected ${wanted}, got ${got} at character ${this.at + 1}`);
  }

  private space(): void {
    tokens.space.lastIndex = this.at;
    this.at += tokens.space.exec(this.source)?.[0].length ?? 0;
  }
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  return inner.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
