import { describe, expect, test } from "vitest";
import type { AlertRule } from "../../alerts/rule.ts";
import { runAlert } from "../../exporter/rule-engine/alert-state.ts";

const minute = 60;

const rule = (hold: number, keep?: number): AlertRule => ({
  alert: "Leak",
  expr: "x",
  for: hold * minute,
  ...(keep === undefined ? {} : { keepFiringFor: keep * minute }),
  labels: { severity: "warning", class: "leak" },
  annotations: { summary: "", description: "" },
});

/** A condition by the minute: `#` where it holds, and whatever its value is. */
function run(alert: AlertRule, condition: string) {
  const times = Float64Array.from(condition, (_, i) => i * minute);
  const values = Float64Array.from(condition, (c) => (c === "#" ? 0 : Number.NaN));
  const { episodes, series } = runAlert(alert, [{ labels: { __name__: "x", slot: "0" }, values }], times);
  return {
    firing: Array.from(series[0]?.values ?? [], (value) => (value === 1 ? "F" : ".")).join(""),
    episodes: episodes.map(({ start, end }) => [start / minute, end === undefined ? undefined : end / minute]),
  };
}

describe("for and keep_firing_for", () => {
  test.each<[string, number, number | undefined, string, string, (number | undefined)[][]]>([
    ["fires at once without for", 0, undefined, "..##..", "..FF..", [[2, 4]]],
    ["fires when it held for long enough", 2, undefined, ".####.", "...FF.", [[3, 5]]],
    ["does not fire when it held a little shorter", 3, undefined, ".###..", "", []],
    ["counts anew after a gap of one evaluation", 2, undefined, "##.###.", ".....F.", [[5, 6]]],
    ["still fires at the end", 1, undefined, "..##", "...F", [[3, undefined]]],
    ["goes on after the condition for as long as it is kept", 0, 3, ".#.....", ".FFFF..".slice(0, 7), [[1, 5]]],
    ["is one episode when the condition comes back in that time", 0, 3, "#..#....", "FFFFFFF.".slice(0, 8), [[0, 7]]],
    ["need not hold again for as long while it is kept", 2, 3, "###.#....", "..FFFFFF.", [[2, 8]]],
    ["is not kept when it never fired", 2, 3, "##......", "", []],
    [
      "fires twice when the condition comes back too late",
      0,
      1,
      "#..#..",
      "FF.FF.",
      [
        [0, 2],
        [3, 5],
      ],
    ],
    ["still fires at the end while it is kept", 0, 5, "#...", "FFFF", [[0, undefined]]],
  ])("%s", (_, hold, keep, condition, firing, episodes) => {
    expect(run(rule(hold, keep), condition)).toEqual({ firing, episodes });
  });
});

describe("labels", () => {
  const times = Float64Array.of(0, 60);

  test("are the element's and the rule's; the series that is written also says what fires", () => {
    const { episodes, series } = runAlert(rule(0), [{ labels: { slot: "1" }, values: Float64Array.of(5, 5) }], times);
    const labels = { slot: "1", severity: "warning", class: "leak" };
    expect(episodes).toEqual([{ alert: "Leak", labels, start: 0, end: undefined }]);
    expect(series.map((one) => one.labels)).toEqual([
      { __name__: "ALERTS", ...labels, alertname: "Leak", alertstate: "firing" },
    ]);
  });

  test("elements that differ only in their name are one alert when they take turns", () => {
    const condition = [
      { labels: { __name__: "a", slot: "0" }, values: Float64Array.of(1, Number.NaN) },
      { labels: { __name__: "b", slot: "0" }, values: Float64Array.of(Number.NaN, 1) },
    ];
    expect(runAlert(rule(1), condition, times).episodes.map(({ start }) => start)).toEqual([60]);
  });

  test("and are an error when they do not, as in Prometheus", () => {
    const condition = ["a", "b"].map((name) => ({ labels: { __name__: name }, values: Float64Array.of(1, 1) }));
    expect(() => runAlert(rule(0), condition, times)).toThrow("several elements have the labels");
  });
});
