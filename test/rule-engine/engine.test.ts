import { describe, expect, test } from "vitest";
import type { AlertRule, Rule } from "../../alerts/rule.ts";
import type { Samples } from "../../exporter/promql/series.ts";
import { gridOf, RuleEngine } from "../../exporter/rule-engine/engine.ts";

const minute = 60;

/** One value a minute from 0 on, of `x{slot="0"}`. */
const values = (...all: number[]): Map<string, Samples[]> =>
  new Map([["x", [{ labels: { __name__: "x", slot: "0" }, times: all.map((_, i) => i * minute), values: all }]]]);

const engine = (interval: number, ...rules: Rule[]) => new RuleEngine([{ name: "g", interval, rules }]);

const alert = (expr: string, options: Partial<AlertRule> = {}): AlertRule => ({
  alert: "High",
  expr,
  for: 0,
  labels: { severity: "warning", class: "leak" },
  annotations: { summary: "", description: "" },
  ...options,
});

/** The samples of the only series of this name, by the minute. */
function samplesOf(series: ReadonlyMap<string, readonly Samples[]>, name: string): [number, number][] {
  const [one, ...others] = series.get(name) ?? [];
  if (one === undefined || others.length > 0) throw new Error(`${others.length + 1} series ${name}`);
  return Array.from(one.times, (t, i) => [t / minute, one.values[i] as number]);
}

describe("recording rules", () => {
  test("record on the grid of their group's interval", () => {
    const { series } = engine(2 * minute, { record: "y", expr: "x * 10" }).evaluate(
      values(1, 2, 3, 4, 5),
      1 * minute,
      4 * minute,
    );
    expect(samplesOf(series, "y")).toEqual([
      [2, 30],
      [4, 50],
    ]);
  });

  test("take the name and the labels of the rule, and keep the element's", () => {
    const rule = { record: "y", expr: "x", labels: { kind: "copy" } };
    const { series } = engine(minute, rule).evaluate(values(1), 0, 0);
    expect(series.get("y")?.map(({ labels }) => labels)).toEqual([{ __name__: "y", slot: "0", kind: "copy" }]);
  });

  test("read what others recorded at the same time", () => {
    const rules = [
      { record: "z", expr: "y + 1" },
      { record: "y", expr: "x * 10" },
    ];
    const { series } = engine(minute, ...rules).evaluate(values(1, 2), 0, minute);
    expect(samplesOf(series, "z")).toEqual([
      [0, 11],
      [1, 21],
    ]);
  });

  test("are stale at once where they have no value: nobody looks back at an old one", () => {
    const rules = [
      { record: "y", expr: "x > 1" },
      { record: "z", expr: "y" },
    ];
    const { series } = engine(minute, ...rules).evaluate(values(2, 1, 3), 0, 2 * minute);
    expect(samplesOf(series, "z")).toEqual([
      [0, 2],
      [1, Number.NaN],
      [2, 3],
    ]);
  });

  test("several branches of an expression are one series", () => {
    const rule = { record: "y", expr: "(x > 2) or (0 * x)" };
    const { series } = engine(minute, rule).evaluate(values(1, 3), 0, minute);
    expect(samplesOf(series, "y")).toEqual([
      [0, 0],
      [1, 3],
    ]);
  });
});

describe("alerts", () => {
  test("fire with for on the grid of their group", () => {
    const { episodes } = engine(2 * minute, alert("x > 1", { for: 2 * minute })).evaluate(
      values(1, 2, 2, 2, 2, 2, 1, 1, 1),
      0,
      8 * minute,
    );
    // active at 2 (the first even minute), firing at 4, gone at 6
    expect(episodes).toMatchObject([{ start: 4 * minute, end: 6 * minute }]);
  });

  test("are seen by the rules that read ALERTS, while they fire", () => {
    const rules = [
      { record: "y", expr: 'x and ignoring (alertname, alertstate, severity, class) ALERTS{alertname="High"}' },
      alert("x > 2"),
    ];
    const { series } = engine(minute, ...rules).evaluate(values(2, 3, 2), 0, 2 * minute);
    expect(samplesOf(series, "y")).toEqual([
      [0, Number.NaN],
      [1, 3],
      [2, Number.NaN],
    ]);
  });

  test("that never fire leave no series", () => {
    const { episodes, series } = engine(minute, alert("x > 9")).evaluate(values(1, 2), 0, minute);
    expect(episodes).toEqual([]);
    expect(series.get("ALERTS")).toBeUndefined();
  });
});

test("what was given is neither changed nor kept for the next stretch", () => {
  const one = engine(minute, { record: "y", expr: "x" });
  const base = values(1);
  one.evaluate(base, 0, 0);
  expect([...base.keys()]).toEqual(["x"]);
  expect(one.evaluate(new Map(), 0, 0).series.get("y")).toBeUndefined();
});

describe("an error names the rule", () => {
  test("that cannot be read", () => {
    expect(() => engine(minute, { record: "y", expr: "x +" })).toThrow("expected a value, got the end");
  });

  test("that cannot be evaluated", () => {
    expect(() => engine(minute, { record: "y", expr: "irate(x[5m])" }).evaluate(values(1), 0, 0)).toThrow(
      "y: the function irate is not known here",
    );
    expect(() => engine(minute, alert("sum(1)")).evaluate(values(1), 0, 0)).toThrow("High: expected a vector");
  });
});

test.each([
  ["both ends included", 0, 120, [0, 60, 120]],
  ["ends between", 30, 150, [60, 120]],
  ["before 0", -90, 0, [-60, 0]],
  ["too short for any", 61, 119, []],
  ["nothing at all", Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, []],
])("the grid of a minute: %s", (_, from, to, times) => {
  expect([...gridOf(minute, from, to)]).toEqual(times);
});
