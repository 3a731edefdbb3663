import { describe, expect, test } from "vitest";
import { evaluate, type Source } from "../../exporter/promql/evaluate.ts";
import { parsePromql } from "../../exporter/promql/parse.ts";
import type { Samples } from "../../exporter/promql/series.ts";

const minute = 60;

/** Lines of a selector and values, one a minute from 0 on; `_` is no sample, `stale` ends the series there. */
function load(text: string): Source {
  const series = text
    .trim()
    .split("\n")
    .map((line): Samples => {
      const [, selector, values] = /^\s*(\S+?(?:\{.*\})?)\s+(.*)$/.exec(line) as unknown as [string, string, string];
      const expr = parsePromql(selector);
      if (expr.kind !== "selector") throw new Error(line);
      const labels = Object.fromEntries(expr.matchers.map(({ label, value }) => [label, value]));
      const samples = values
        .split(/\s+/)
        .flatMap((value, i) => (value === "_" ? [] : [[i * minute, value === "stale" ? Number.NaN : Number(value)]]));
      return {
        labels: { __name__: expr.name, ...labels },
        times: samples.map(([t]) => t as number),
        values: samples.map(([, value]) => value as number),
      };
    });
  return { series: (name) => series.filter(({ labels }) => labels["__name__"] === name) };
}

/** Values at these minutes by their labels, `_` where there is no element; no line for what never has one. */
function result(text: string, source: Source, minutes: readonly number[]): Record<string, string> {
  const vector = evaluate(
    parsePromql(text),
    source,
    Float64Array.from(minutes, (m) => m * minute),
  );
  return Object.fromEntries(
    vector
      .filter(({ values }) => !values.every(Number.isNaN))
      .map(({ labels: { __name__: name = "", ...labels }, values }) => [
        `${name}{${Object.entries(labels).map(([label, value]) => `${label}=${value}`)}}`,
        Array.from(values, (x) => (Number.isNaN(x) ? "_" : x)).join(" "),
      ]),
  );
}

describe("an instant selector", () => {
  const source = load("a 1 2 _ _ _ _ _ 8 stale _ 11");

  test("gives the last sample, until it is five minutes old", () => {
    expect(result("a", source, [0, 1, 5, 6, 7])).toEqual({ "a{}": "1 2 2 _ 8" });
  });

  test("gives nothing once the series is stale", () => {
    expect(result("a", source, [7, 8, 9, 10])).toEqual({ "a{}": "8 _ _ 11" });
  });

  test("looks into the past with an offset, and into the future with a negative one", () => {
    expect(result("a offset 1m", source, [1, 8])).toEqual({ "a{}": "1 8" });
    expect(result("a offset -1m", source, [0, 6])).toEqual({ "a{}": "2 8" });
  });

  test.each([
    ['a{x="1"}', ["a{x=1,y=p}"]],
    ['a{x!="1"}', ["a{x=2,y=q}", "a{y=}"]],
    ['a{x=~"1|2",y="q"}', ["a{x=2,y=q}"]],
    ['a{x=~"."}', ["a{x=1,y=p}", "a{x=2,y=q}"]],
    ['a{x!~"[12]"}', ["a{y=}"]],
    ['a{x=""}', ["a{y=}"]],
    ['a{x=~"1.+"}', []],
  ])("%s matches whole values, and absent labels as empty ones", (text, names) => {
    const labelled = load('a{x="1",y="p"} 1\na{x="2",y="q"} 2\na{y=""} 3');
    expect(Object.keys(result(text, labelled, [0]))).toEqual(names);
  });
});

describe("functions over time", () => {
  const source = load("a 5 3 4 _ 1 2 2");

  // at minute 4 the window (1, 4] holds 4 and 1; the sample of minute 1 is just outside
  test.each([
    ["min_over_time(a[3m])", "3 1 1"],
    ["max_over_time(a[3m])", "5 4 2"],
    ["sum_over_time(a[3m])", "12 5 5"],
    ["avg_over_time(a[3m])", "4 2.5 1.6666666666666667"],
    ["count_over_time(a[3m])", "3 2 3"],
    ["last_over_time(a[3m])", "4 1 2"],
    ["changes(a[3m])", "2 1 1"],
    ["present_over_time(a[3m])", "1 1 1"],
  ])("%s", (text, values) => {
    expect(Object.values(result(text, source, [2, 4, 6]))).toEqual([values]);
  });

  test.each([
    ["deriv(a[5m])", "0 3 7 9", 2, 3.5 / 60], // the line through 0, 3 and 7, a minute apart
    ["predict_linear(a[5m], 120)", "1 2 3", 2, 5],
    ["rate(a[3m])", "0 10 20 30", 3, 10 / 60],
    ["rate(a[2m])", "5 2 _", 1, 2 / 60], // a fall is a reset
  ])("%s of %s", (text, values, at, expected) => {
    const [found] = Object.values(result(text, load(`a ${values}`), [at]));
    expect(Number(found)).toBeCloseTo(expected, 10);
  });

  test("drop the name, all but last_over_time", () => {
    expect(Object.keys(result("max_over_time(a[5m])", source, [4]))).toEqual(["{}"]);
    expect(Object.keys(result("last_over_time(a[5m])", source, [4]))).toEqual(["a{}"]);
  });

  test("have no value where the window is empty, nor count what is stale", () => {
    expect(result("count_over_time(a[2m])", load("a 1 stale _ _ 1"), [0, 1, 2, 3, 4])).toEqual({ "{}": "1 1 _ _ 1" });
  });

  test("take an offset", () => {
    expect(result("max_over_time(a[2m] offset 3m)", source, [3, 4])).toEqual({ "{}": "5 5" });
  });
});

describe("a subquery", () => {
  // sampled at 0, 2, 4, … whatever the time is: the grid of a subquery starts at 0, not at the evaluation
  const source = load("a 0 1 2 3 4 5 6 7 8");

  test.each([
    ["at a multiple of its step", 6, "2", "6"],
    ["between two multiples", 7, "2", "6"],
  ])("has its own grid: %s", (_, at, count, last) => {
    expect(result("count_over_time(a[4m:2m])", source, [at])).toEqual({ "{}": count });
    expect(result("last_over_time(a[4m:2m])", source, [at])).toEqual({ "a{}": last });
  });

  test("may hold a whole expression, and have an offset", () => {
    expect(result("max_over_time((a * 2 > 4)[4m:1m] offset 2m)", source, [4, 6])).toEqual({
      "{}": "_ 8",
    });
  });

  test("looks back from where it looks, not from the evaluation", () => {
    expect(result("min_over_time(max_over_time(a[2m])[3m:1m])", source, [6])).toEqual({ "{}": "4" });
  });
});

describe("arithmetic and comparison", () => {
  const source = load('a{x="1"} 7\na{x="2"} -2\nb{x="1"} 2\nb{x="3"} 1');

  test.each([
    ["a + b", { "{x=1}": "9" }],
    ["a % b", { "{x=1}": "1" }],
    ["a ^ b", { "{x=1}": "49" }],
    ["-a", { "{x=1}": "-7", "{x=2}": "2" }],
    ["2 ^ 3 ^ 2 + 0 * a", { "{x=1}": "512", "{x=2}": "512" }],
    ["10 - a", { "{x=1}": "3", "{x=2}": "12" }],
    ["a / 0", { "{x=1}": "Infinity", "{x=2}": "-Infinity" }],
    ["a > 0", { "a{x=1}": "7" }],
    ["0 < a", { "a{x=1}": "7" }],
    ["a > bool 0", { "{x=1}": "1", "{x=2}": "0" }],
    ["a > b", { "a{x=1}": "7" }],
    ["a < b", {}],
    ["a < bool b", { "{x=1}": "0" }],
    ["a != 7", { "a{x=2}": "-2" }],
    ["1 + 2 * 3", { "{}": "7" }],
    ["3 > bool 2", { "{}": "1" }],
    ["time()", { "{}": "0" }],
    ["vector(3) + time()", { "{}": "3" }],
    ["clamp_min(a, 0)", { "{x=1}": "7", "{x=2}": "0" }],
    ["clamp_max(a, 1 + 1)", { "{x=1}": "2", "{x=2}": "-2" }],
    ["abs(a)", { "{x=1}": "7", "{x=2}": "2" }],
    ["sgn(a)", { "{x=1}": "1", "{x=2}": "-1" }],
    ["floor(a / 2)", { "{x=1}": "3", "{x=2}": "-1" }],
    ["ceil(a / 2)", { "{x=1}": "4", "{x=2}": "-1" }],
  ])("%s", (text, values) => {
    expect(result(text, source, [0])).toEqual(values);
  });
});

describe("vectors are matched by their labels", () => {
  const source = load(`
    a{x="1",y="p"} 10
    a{x="2",y="p"} 20
    b{x="1",z="q"} 2
    one{y="p",z="r"} 100
  `);

  test.each([
    ["all labels, when nothing is said", "a + b", {}],
    ["on some", "a + on (x) b", { "{x=1}": "12" }],
    ["ignoring some", "a + ignoring (y, z) b", { "{x=1}": "12" }],
    ["a comparison keeps the left value, and only what was matched on", "a > on (x) b", { "{x=1}": "10" }],
    ["a comparison that ignores labels keeps the name", "a > ignoring (y, z) b", { "a{x=1}": "10" }],
    ["several to one", "a + on (y) group_left one", { "{x=1,y=p}": "110", "{x=2,y=p}": "120" }],
    [
      "several to one, with a label of the one",
      "a / on (y) group_left (z) one",
      { "{x=1,y=p,z=r}": "0.1", "{x=2,y=p,z=r}": "0.2" },
    ],
    [
      "one to several, left and right as they stand",
      "one - on (y) group_right a",
      { "{x=1,y=p}": "90", "{x=2,y=p}": "80" },
    ],
    ["a label that the one does not have is taken away", "a * on (x) group_left (y) b", { "{x=1}": "20" }],
  ])("%s", (_, text, values) => {
    expect(result(text, source, [0])).toEqual(values);
  });

  test.each([
    ["several on both sides", "a + on (y) one + on (y) a"],
    ["several on the left without group_left", "a + on (y) one"],
    ["several on the right without group_right", "one + on (y) a"],
    ["several on the side that must be one", "b * on () group_left a"],
    ["labels that are the same after the operation", "label_replace(a, 'x', '', '', '')"],
  ])("an error: %s", (_, text) => {
    expect(() => result(text, source, [0])).toThrow(/several elements have the labels .* at 0/);
  });

  test("several are one when they take turns", () => {
    const turns = load('a{x="1"} 1 stale\na{x="2"} _ 2\nb 10 10');
    expect(result("b + on () a", turns, [0, 1])).toEqual({ "{}": "11 12" });
  });
});

describe("and, or, unless", () => {
  const source = load(`
    a{x="1"} 1 1 1
    a{x="2"} 2 2 2
    b{x="1",y="p"} 5 stale 5
    c{x="1"} 7 7 stale
  `);

  test.each([
    ["a and b", {}],
    ["a and on (x) b", { "a{x=1}": "1 _ 1" }],
    ["a and ignoring (y) b", { "a{x=1}": "1 _ 1" }],
    ["a and on () b", { "a{x=1}": "1 _ 1", "a{x=2}": "2 _ 2" }],
    ["a unless on (x) b", { "a{x=1}": "_ 1 _", "a{x=2}": "2 2 2" }],
    ["a or b", { "a{x=1}": "1 1 1", "a{x=2}": "2 2 2", "b{x=1,y=p}": "5 _ 5" }],
    ["b or on (x) a", { "b{x=1,y=p}": "5 _ 5", "a{x=1}": "_ 1 _", "a{x=2}": "2 2 2" }],
    ["c or a", { "c{x=1}": "7 7 _", "a{x=1}": "_ _ 1", "a{x=2}": "2 2 2" }],
    ["c + 0 or a + 0", { "{x=1}": "7 7 1", "{x=2}": "2 2 2" }],
  ])("%s", (text, values) => {
    expect(result(text, source, [0, 1, 2])).toEqual(values);
  });
});

describe("aggregations", () => {
  const source = load('a{x="1",y="p"} 1 1\na{x="2",y="p"} 2 stale\na{x="3",y="q"} 4 4');

  test.each([
    ["sum(a)", { "{}": "7 5" }],
    ["sum by (y) (a)", { "{y=p}": "3 1", "{y=q}": "4 4" }],
    ["max without (x) (a)", { "{y=p}": "2 1", "{y=q}": "4 4" }],
    ["min(a)", { "{}": "1 1" }],
    ["avg(a)", { "{}": "2.3333333333333335 2.5" }],
    ["count(a)", { "{}": "3 2" }],
    ["group by (y) (a)", { "{y=p}": "1 1", "{y=q}": "1 1" }],
    ["sum(nothing)", {}],
  ])("%s", (text, values) => {
    expect(result(text, source, [0, 1])).toEqual(values);
  });
});

describe("label_replace", () => {
  const source = load('a{pod="api-7d9-x2"} 1');

  test.each([
    [
      "with what was matched",
      String.raw`label_replace(a, "app", "$1", "pod", "(.+)-\\w+-\\w+")`,
      "a{pod=api-7d9-x2,app=api}",
    ],
    ["with a text of its own", 'label_replace(a, "app", "web", "", "")', "a{pod=api-7d9-x2,app=web}"],
    ["over a label that is there", 'label_replace(a, "pod", "$1", "pod", "(...).*")', "a{pod=api}"],
    ["not at all, where a part only matches", 'label_replace(a, "app", "x", "pod", "api")', "a{pod=api-7d9-x2}"],
  ])("%s", (_, text, name) => {
    expect(result(text, source, [0])).toEqual({ [name]: "1" });
  });
});

describe("what is not understood is refused by its name", () => {
  test.each([
    ["irate(a[5m])", "the function irate is not known here"],
    ["min_over_time(a)", "min_over_time needs a range vector"],
    ["a[5m:1m]", "a subquery is only possible inside a function over time"],
    ["a[5m]", "a range is only possible inside a function over time"],
    ["'text'", 'expected a value, got the text "text"'],
    ["abs()", "abs needs an argument"],
    ["clamp_min(a)", "clamp_min and clamp_max need a bound"],
    ["clamp_min(a, a)", "expected a number, got a vector"],
    ["sum(1)", "expected a vector, got a number"],
    ["label_replace(a, 'x')", "label_replace needs four texts"],
    ["1 and 2", "expected a vector, got a number"],
  ])("%s", (text, message) => {
    expect(() => result(text, load("a 1"), [0])).toThrow(message);
  });
});
