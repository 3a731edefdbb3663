import { describe, expect, test } from "vitest";
import type { Expr } from "../../exporter/promql/ast.ts";
import { selectorsOf } from "../../exporter/promql/ast.ts";
import { parseDuration, parsePromql } from "../../exporter/promql/parse.ts";

/** The tree with every operation in parentheses, so that a test shows what binds to what. */
function grouped(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return String(expr.value);
    case "text":
      return JSON.stringify(expr.value);
    case "selector":
      return expr.name;
    case "negate":
      return `(-${grouped(expr.of)})`;
    case "binary":
      return `(${grouped(expr.left)} ${expr.op} ${grouped(expr.right)})`;
    case "call":
      return `${expr.name}(${expr.args.map(grouped).join(", ")})`;
    case "aggregate":
      return `${expr.op}(${grouped(expr.of)})`;
    case "subquery":
      return `${grouped(expr.of)}[${expr.range}:${expr.step}]`;
  }
}

// https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence
describe("operators bind as in Prometheus", () => {
  test.each([
    ["a + b * c", "(a + (b * c))"],
    ["a * b + c", "((a * b) + c)"],
    ["a - b - c", "((a - b) - c)"],
    ["a / b * c % d", "(((a / b) * c) % d)"],
    ["2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"],
    ["a * b ^ c", "(a * (b ^ c))"],
    ["-a ^ 2", "(-(a ^ 2))"],
    ["2 ^ -a", "(2 ^ (-a))"],
    ["-a * b", "((-a) * b)"],
    ["+a - -b", "(a - (-b))"],
    ["a > b + c", "(a > (b + c))"],
    ["a > 1 < 2 >= 3", "(((a > 1) < 2) >= 3)"],
    ["a and b > c", "(a and (b > c))"],
    ["a or b and c", "(a or (b and c))"],
    ["a unless b and c", "((a unless b) and c)"],
    ["a or b unless c or d", "((a or (b unless c)) or d)"],
    ["(a or b) and c", "((a or b) and c)"],
    ["a > bool 0 == b", "((a > 0) == b)"],
    ["a # the first\n+ b", "(a + b)"],
  ])("%s", (text, tree) => {
    expect(grouped(parsePromql(text))).toBe(tree);
  });
});

describe("selectors", () => {
  test("have a name, matchers, a range and an offset", () => {
    expect(parsePromql('up{job="a",i!="b",c=~"d.*", e!~\'f\',}[1h30m] offset 5m')).toEqual({
      kind: "selector",
      name: "up",
      matchers: [
        { label: "job", op: "=", value: "a" },
        { label: "i", op: "!=", value: "b" },
        { label: "c", op: "=~", value: "d.*" },
        { label: "e", op: "!~", value: "f" },
      ],
      range: 5400,
      offset: 300,
    });
  });

  test.each([
    ["a name with colons", "slot:memory:min10m", "slot:memory:min10m"],
    ["a name that is also an aggregation", "sum", "sum"],
    ["a name that begins like a number's exponent", "e5", "e5"],
    ["no name", '{job="a"}', ""],
  ])("with %s", (_, text, name) => {
    expect(parsePromql(text)).toMatchObject({ kind: "selector", name });
  });

  test("may look into the future", () => {
    expect(parsePromql("a offset -1m")).toMatchObject({ offset: -60 });
  });

  test("keep what is escaped in a text", () => {
    expect(parsePromql(String.raw`a{b="\"\\.\n"}`)).toMatchObject({ matchers: [{ value: '"\\.\n' }] });
  });

  test("are all found in a nested expression", () => {
    const expr = parsePromql(
      "sum by (x) (a / b) + max_over_time((c > 1)[1h:1m]) unless -label_replace(d, 'x', '', '', '')",
    );
    expect([...selectorsOf(expr)].map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
  });
});

test("a subquery has a range, a step and an offset of its own", () => {
  expect(parsePromql("max_over_time((a + b)[1d:1h] offset 2h)")).toMatchObject({
    args: [{ kind: "subquery", range: 86_400, step: 3600, offset: 7200, of: { kind: "binary" } }],
  });
});

describe("matching and grouping", () => {
  test.each([
    ["a + on (x) b", { mode: "on", labels: ["x"], many: undefined, include: [] }],
    ["a + ignoring (x, y) b", { mode: "ignoring", labels: ["x", "y"], many: undefined, include: [] }],
    ["a * on (x) group_left (y) b", { mode: "on", labels: ["x"], many: "left", include: ["y"] }],
    ["a * on (x) group_right b", { mode: "on", labels: ["x"], many: "right", include: [] }],
    ["a and on () b", { mode: "on", labels: [], many: undefined, include: [] }],
  ])("%s", (text, matching) => {
    expect(parsePromql(text)).toMatchObject({ kind: "binary", matching });
  });

  test.each([
    ["sum by (a, b) (x)", { op: "sum", mode: "by", labels: ["a", "b"] }],
    ["sum (x) without (a)", { op: "sum", mode: "without", labels: ["a"] }],
    ["count(x)", { op: "count", mode: "by", labels: [] }],
  ])("%s", (text, aggregate) => {
    expect(parsePromql(text)).toMatchObject({ kind: "aggregate", ...aggregate });
  });
});

test.each([
  ["90s", 90],
  ["1h30m", 5400],
  ["1d", 86_400],
  ["2w", 14 * 86_400],
  ["1y", 365 * 86_400],
  ["500ms", 0.5],
])("a duration of %s", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

describe("what cannot be read is refused, with its place", () => {
  test.each([
    ["nothing", "", "expected a value, got the end at character 1"],
    ["an operator without its right side", "a +", "expected a value, got the end at character 4"],
    ["a parenthesis that stays open", "(a", 'expected ")", got the end at character 3'],
    ["two values in a row", "a b", 'expected an operator or the end, got "b" at character 3'],
    ["a matcher without quotes", "a{b=c}", 'expected a quoted text, got "c" at character 5'],
    ["a matcher without an operator", 'a{b"c"}', "expected =, !=, =~ or !~"],
    ["a range that is a number", "a[5]", 'expected a duration, got "5" at character 3'],
    ["a range of an expression", "(a + b)[5m]", "expected a subquery's colon"],
    ["a range of a range", "a[5m][5m]", "expected a subquery's colon"],
    ["an offset of a sum", "sum(a) offset 5m", "expected a selector before offset"],
    ["a character that PromQL does not have", "a ? b", 'unexpected "?" at character 3'],
  ])("%s", (_, text, message) => {
    expect(() => parsePromql(text)).toThrow(message);
  });
});

describe("long texts of strangers take time in proportion", () => {
  const long = (piece: string) => piece.repeat(400_000 / piece.length);

  // a number without a unit was looked through from each of its digits: 20 s for 100 kB, minutes for this
  test.each([
    ["a number", long("9"), 0],
    ["numbers and letters", long("9x"), 0],
    ["hours", long("1h"), 200_000 * 3600],
  ])("as a duration: %s", (_, text, seconds) => {
    const started = performance.now();
    expect(parseDuration(text)).toBe(seconds);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each([
    ["durations", `${long("1s")}X`],
    ["digits", `${long("9")}!`],
    ["an open quote", `"${long("a")}`],
    ["quotes", long('"')],
    ["backslashes", `"${long("\\a")}`],
    ["parentheses", long("(")],
    ["signs", long("-")],
    ["blanks", `${long(" ")}!`],
    ["dots", long("1.")],
    ["sums", long("a+")],
    ["ranges", `a[${long("1s:")}`],
  ])("as an expression: %s", (_, text) => {
    const started = performance.now();
    expect(() => parsePromql(text)).toThrow();
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
