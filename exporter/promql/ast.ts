// The part of PromQL that leakwatch's rules use, as a tree.
// https://prometheus.io/docs/prometheus/latest/querying/basics/

export type Expr =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | Selector
  | Subquery
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: "negate"; readonly of: Expr }
  | Binary
  | Aggregate;

export interface Selector {
  readonly kind: "selector";
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** Seconds of a range vector; undefined for an instant vector. */
  readonly range: number | undefined;
  /** Seconds into the past. */
  readonly offset: number;
}

export interface Matcher {
  readonly label: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

export interface Subquery {
  readonly kind: "subquery";
  readonly of: Expr;
  /** Seconds. */
  readonly range: number;
  readonly step: number;
  readonly offset: number;
}

export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "^";
export type ComparisonOp = "==" | "!=" | ">" | "<" | ">=" | "<=";
export type SetOp = "and" | "or" | "unless";

export interface Binary {
  readonly kind: "binary";
  readonly op: ArithmeticOp | ComparisonOp | SetOp;
  readonly left: Expr;
  readonly right: Expr;
  /** A comparison that gives 0 or 1 instead of filtering. */
  readonly bool: boolean;
  readonly matching: Matching | undefined;
}

/** Which labels two vectors are matched on. */
export interface Matching {
  readonly mode: "on" | "ignoring";
  readonly labels: readonly string[];
  /** The side of which several may match one of the other. */
  readonly many: "left" | "right" | undefined;
  /** Labels taken over from the other side. */
  readonly include: readonly string[];
}

export interface Aggregate {
  readonly kind: "aggregate";
  readonly op: "sum" | "min" | "max" | "avg" | "count" | "group";
  readonly mode: "by" | "without";
  readonly labels: readonly string[];
  readonly of: Expr;
}

/** Every selector in an expression, nested ones included. */
export function* selectorsOf(expr: Expr): Generator<Selector> {
  switch (expr.kind) {
    case "number":
    case "text":
      return;
    case "selector":
      yield expr;
      return;
    case "call":
      for (const argument of expr.args) yield* selectorsOf(argument);
      return;
    case "binary":
      yield* selectorsOf(expr.left);
      yield* selectorsOf(expr.right);
      return;
    default:
      yield* selectorsOf(expr.of);
  }
}
