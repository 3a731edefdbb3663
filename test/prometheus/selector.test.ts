import { describe, expect, test } from "vitest";
import { commonSelector } from "../../exporter/backtest/common-selector.ts";
import { parseSelector, selectorText } from "../../exporter/prometheus/selector.ts";
import { durationSeconds } from "../../exporter/text/duration.ts";

describe("a selector from labels", () => {
  test.each<[string, Record<string, string>, string]>([
    ["up", {}, "up"],
    ["up", { job: "a" }, 'up{job="a"}'],
    ["up", { "service.name": "a", "0": "b" }, 'up{"0"="b","service.name"="a"}'],
    ["process.memory", { job: "a" }, '{"process.memory",job="a"}'],
    ["process.memory", {}, '{"process.memory"}'],
    ["", { 'a"b': 'c"\\\nd`' }, '{"a\\"b"="c\\"\\\\\\nd`"}'],
  ])("%s %j", (name, labels, text) => {
    expect(selectorText(name, labels)).toBe(text);
  });
});

describe("a selector as people type it", () => {
  test.each([
    ["up", "up", ""],
    ['{job="a"}', "", 'job="a"'],
    ['job="a", b!~"c.*"', "", 'job="a",b!~"c.*"'],
    ["up{job='a',}", "up", 'job="a"'],
    ['up{job=`a\\d"`}', "up", 'job="a\\\\d\\""'],
    ['{"service.name"="api"}', "", '"service.name"="api"'],
    ['"service.name"="api"', "", '"service.name"="api"'],
    ['{"process.memory", job="a"}', "process.memory", 'job="a"'],
    ["up{}", "up", ""],
  ])("%s", (text, name, matchers) => {
    expect(parseSelector(text)).toEqual({ name, matchers });
  });

  test.each([
    ["", "expected a name or {, got the end"],
    ["up{", "expected the name of a label, got the end"],
    ['{service.name="a"}', 'expected one of = != =~ !~, got "."'],
    ['{a="b" c="d"}', 'expected "," or "}", got "c"'],
    ["up[5m]", 'expected the end, got "["'],
    ["sum(up)", 'expected the end, got "("'],
    ['{a="b', "expected a quoted text"],
  ])("%s is none", (text, message) => {
    expect(() => parseSelector(text)).toThrow(message);
  });
});

describe("one selector for many series", () => {
  test("has what they share, and the values in which they differ, as themselves", () => {
    const series = [
      { a: "1", pod: "x.y", only: "z" },
      { a: "1", pod: "x|z" },
    ];
    expect(commonSelector("m", series, 'c!="d"')).toBe('m{a="1",pod=~"x\\\\.y|x\\\\|z",c!="d"}');
  });

  test("has the common beginning of very many", () => {
    const series = Array.from({ length: 1000 }, (_, i) => ({ pod: `api-${i}` }));
    expect(commonSelector("m", series)).toBe('m{pod=~"api-.*"}');
  });
});

test.each([
  ["1h30m", 5400],
  ["90s", 90],
  ["500ms", 0.5],
  ["1y", 31_536_000],
  ["", undefined],
  ["5", undefined],
  ["1h30", undefined],
  ["-1h", undefined],
])("duration %s", (text, seconds) => {
  expect(durationSeconds(text)).toBe(seconds);
});
