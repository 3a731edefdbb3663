// A recursive-descent parser for that part of PromQL, in the order of the operators' precedence.
// https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence

import type { Aggregate, Binary, Expr, Matcher, Matching } from "./ast.ts";
import { PromqlError } from "./error.ts";

/** Throws PromqlError, which names the place. */
export function parsePromql(text: string): Expr {
  const parser = new Parser(text);
  const expr = parser.expression(0);
  parser.expectEnd();
  return expr;
}

type TokenKind = "number" | "duration" | "string" | "word" | "op" | "end";

interface Token {
  kind: TokenKind;
  text: string;
  at: number;
}

const tokenPatterns: readonly [TokenKind | "space", RegExp][] = [
  ["space", /\s+|#[^\n]*/y],
  ["duration", /(?:\d+(?:ms|[smhdwy]))+(?!\w)/y],
  ["number", /(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[Ii]nf\b|NaN\b)/y],
  ["string", /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y],
  ["word", /[a-zA-Z_][\w:]*/y],
  ["op", /==|!=|>=|<=|=~|!~|[-+*/%^<>=(){}[\],:]/y],
];

/** Operators by precedence, loosest first; each level is left-associative but the last. */
const levels: readonly (readonly string[])[] = [
  ["or"],
  ["and", "unless"],
  ["==", "!=", ">", "<", ">=", "<="],
  ["+", "-"],
  ["*", "/", "%"],
  ["^"],
];
const power = levels.length - 1;
const aggregations = new Set(["sum", "min", "max", "avg", "count", "group"]);

class Parser {
  private readonly tokens: Token[] = [];
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
    for (let position = 0; position < source.length; ) {
      const found = tokenPatterns.flatMap(([kind, pattern]) => {
        pattern.lastIndex = position;
        const text = pattern.exec(source)?.[0];
        return text === undefined ? [] : [{ kind, text, at: position }];
      })[0];
      if (found === undefined) throw this.error(position, `unexpected "${source[position]}"`);
      if (found.kind !== "space") this.tokens.push(found as Token);
      position += found.text.length;
    }
  }

  /** An expression of operators at this level or tighter. */
  expression(level: number): Expr {
    if (level > power) return this.unary();
    let left = this.expression(level + 1);
    for (;;) {
      const op = this.peek().text;
      if (this.peek().kind === "end" || !levels[level]?.includes(op)) return left;
      this.next();
      const bool = this.take("bool");
      const matching = this.matching();
      // ^ binds to the right: 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2)
      const right = this.expression(level === power ? level : level + 1);
      left = { kind: "binary", op: op as Binary["op"], left, right, bool, matching };
    }
  }

  expectEnd(): void {
    if (this.peek().kind !== "end") throw this.unexpected("an operator or the end");
  }

  private unary(): Expr {
    // a sign binds tighter than * but looser than ^
    if (this.take("-")) return { kind: "negate", of: this.expression(power) };
    if (this.take("+")) return this.expression(power);
    return this.suffixes(this.primary());
  }

  private primary(): Expr {
    const token = this.next();
    if (token.kind === "number") return { kind: "number", value: Number(token.text.replace(/^[Ii]nf$/, "Infinity")) };
    if (token.kind === "string") return { kind: "text", value: unquote(token.text) };
    if (token.text === "(") {
      const inner = this.expression(0);
      this.expect(")");
      return inner;
    }
    if (token.text === "{") {
      this.at--;
      return this.selector("");
    }
    if (token.kind !== "word") throw this.unexpected("a value", token);
    if (aggregations.has(token.text) && ["by", "without", "("].includes(this.peek().text)) {
      return this.aggregate(token.text as Aggregate["op"]);
    }
    if (this.take("(")) return { kind: "call", name: token.text, args: this.listOf(() => this.expression(0), ")") };
    return this.selector(token.text);
  }

  private selector(name: string): Expr {
    const matchers = this.take("{") ? this.listOf(() => this.matcher(), "}") : [];
    return { kind: "selector", name, matchers, range: undefined, offset: 0 };
  }

  private matcher(): Matcher {
    const label = this.next().text;
    const op = this.next();
    if (!["=", "!=", "=~", "!~"].includes(op.text)) throw this.unexpected("=, !=, =~ or !~", op);
    const value = this.next();
    if (value.kind !== "string") throw this.unexpected("a quoted text", value);
    return { label, op: op.text as Matcher["op"], value: unquote(value.text) };
  }

  /** `[5m]`, `[1d:1h]` and `offset 1h`, in the order in which they may follow. */
  private suffixes(of: Expr): Expr {
    let expr = of;
    for (;;) {
      if (this.take("[")) {
        const range = this.duration();
        if (this.take(":")) {
          expr = { kind: "subquery", of: expr, range, step: this.duration(), offset: 0 };
        } else {
          if (expr.kind !== "selector" || expr.range !== undefined) throw this.unexpected("a subquery's colon");
          expr = { ...expr, range };
        }
        this.expect("]");
      } else if (this.take("offset")) {
        const sign = this.take("-") ? -1 : 1;
        if (expr.kind !== "selector" && expr.kind !== "subquery") throw this.unexpected("a selector before offset");
        expr = { ...expr, offset: sign * this.duration() };
      } else {
        return expr;
      }
    }
  }

  private aggregate(op: Aggregate["op"]): Expr {
    let grouping = this.grouping();
    this.expect("(");
    const of = this.expression(0);
    this.expect(")");
    grouping ??= this.grouping();
    return { kind: "aggregate", op, mode: grouping?.mode ?? "by", labels: grouping?.labels ?? [], of };
  }

  private grouping(): Pick<Aggregate, "mode" | "labels"> | undefined {
    for (const mode of ["by", "without"] as const) if (this.take(mode)) return { mode, labels: this.labels() };
    return undefined;
  }

  private matching(): Matching | undefined {
    for (const mode of ["on", "ignoring"] as const) {
      if (!this.take(mode)) continue;
      const labels = this.labels();
      for (const many of ["left", "right"] as const) {
        if (!this.take(`group_${many}`)) continue;
        return { mode, labels, many, include: this.peek().text === "(" ? this.labels() : [] };
      }
      return { mode, labels, many: undefined, include: [] };
    }
    return undefined;
  }

  private labels(): string[] {
    this.expect("(");
    return this.listOf(() => this.next().text, ")");
  }

  private listOf<T>(item: () => T, end: string): T[] {
    const items: T[] = [];
    while (!this.take(end)) {
      items.push(item());
      if (this.peek().text !== end) this.expect(",");
    }
    return items;
  }

  private duration(): number {
    const token = this.next();
    if (token.kind !== "duration") throw this.unexpected("a duration", token);
    return parseDuration(token.text);
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: "end", text: "", at: this.source.length };
  }

  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private take(text: string): boolean {
    const token = this.peek();
    if (token.kind === "end" || token.kind === "string" || token.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`"${text}"`);
  }

  private unexpected(wanted: string, token = this.peek()): PromqlError {
    return this.error(token.at, `expected ${wanted}, got ${token.kind === "end" ? "the end" : `"${token.text}"`}`);
  }

  private error(at: number, message: string): PromqlError {
    return new PromqlError(`${message} at character ${at + 1} of: ${this.source.replace(/\s+/g, " ").slice(0, 200)}`);
  }
}

const secondsPer: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** `1h30m`: seconds. */
export function parseDuration(text: string): number {
  let seconds = 0;
  // a number is begun at its first digit only, so that a long one without a unit takes no longer
  for (const [, n, unit] of text.matchAll(/(?<!\d)(\d+)(ms|[smhdwy])/g))
    seconds += Number(n) * (secondsPer[unit as string] ?? 0);
  return seconds;
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
