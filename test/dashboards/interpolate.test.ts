import { describe, expect, test } from "vitest";
import { all, interpolate, seconds, stepOf } from "../support/grafana.ts";

const context = { range: { from: 1_000_000, to: 1_086_400 }, interval: 60, scrapeInterval: 15 };
const withVariables = (variables: Parameters<typeof interpolate>[1]["variables"]) => ({ ...context, variables });

describe("interpolate", () => {
  test.each([
    ["$__interval", "60s"],
    ["$__range", "86400s"],
    [`\${__range}`, "86400s"],
    ["$__rate_interval", "75s"], // a step and a scrape, which is more than four scrapes
    ["$__rate_interval_ms", "75000"],
    ["$1", "$1"], // label_replace's
  ])("%s is %s", (expr, expected) => {
    expect(interpolate(expr, withVariables({}))).toBe(expected);
  });

  test("a choice of several is a regular expression inside quotes", () => {
    expect(interpolate('up{job=~"$job"}', withVariables({ job: ["a.b", "c"] }))).toBe('up{job=~"(a\\\\.b|c)"}');
  });

  test("all is the value that the variable has for it, else every option", () => {
    const job = { value: all, options: ["a", "b"] };
    expect(interpolate("$job", withVariables({ job: { ...job, allValue: ".+" } }))).toBe(".+");
    expect(interpolate(`\${job:regex}`, withVariables({ job }))).toBe("(a|b)");
  });

  test("a name with quotes, slashes and dots stands as it is in a raw string", () => {
    expect(interpolate(`g=~\`\${group:regex}\``, withVariables({ group: 'a"b/c.d é' }))).toBe('g=~`a"b\\/c\\.d é`');
  });

  test("a variable that nobody gave is an error", () => {
    expect(() => interpolate("$nobody", withVariables({}))).toThrow("no variable nobody");
  });
});

describe("stepOf", () => {
  test.each([
    ["a day in a thousand points", 86_400, {}, 60],
    ["a week in a thousand points", 7 * 86_400, {}, 600],
    ["the panel's least step", 3600, { interval: "10m" }, 600],
    ["the scrape interval at least", 300, {}, 15],
  ])("%s", (_, length, panel, expected) => {
    expect(stepOf({ from: 0, to: length }, panel, 15)).toBe(expected);
  });
});

test.each([
  ["1h30m", 5400],
  ["7d", 604_800],
  ["15s", 15],
])("%s is %i seconds", (text, expected) => {
  expect(seconds(text)).toBe(expected);
});
