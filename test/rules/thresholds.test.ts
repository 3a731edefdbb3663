import fs from "node:fs";
import path from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import { type Rules, rules } from "../../detection/rules.ts";
import { DecodeError, showPath } from "../../exporter/config/decode.ts";
import { decodeThresholds, withThresholds } from "../../exporter/rules/thresholds.ts";

const change = (yaml: string): Rules =>
  withThresholds(rules, decodeThresholds(yaml === "" ? undefined : load(yaml), []));

const nameOf = (rule: Rule) => (isAlert(rule) ? rule.alert : rule.record);
const rulesOf = (groups: readonly RuleGroup[]) => groups.flatMap((group) => group.rules);

/** Names of the rules that are others than those that are shipped. */
function changedBy(yaml: string): string[] {
  const shipped = rulesOf(ruleGroups());
  const changed = rulesOf(ruleGroups(change(yaml)));
  expect(changed.map(nameOf)).toEqual(shipped.map(nameOf));
  const differ = changed.filter((rule, i) => JSON.stringify(rule) !== JSON.stringify(shipped[i]));
  return [...new Set(differ.map(nameOf))].sort();
}

/** A rule's expression and words with these thresholds. */
const textOf = (yaml: string, name: string, severity?: string) =>
  JSON.stringify(
    rulesOf(ruleGroups(change(yaml))).find(
      (rule) => nameOf(rule) === name && (severity === undefined || rule.labels?.["severity"] === severity),
    ),
  );

describe("a threshold changes the rules that rest on it, and no others", () => {
  test.each([
    ["nothing", "", []],
    ["what they are anyway", "near_limit: { for: 30m }", []],
    ["oom_predicted", "oom_predicted: { warning: { within: 8h } }", ["LeakwatchOomPredicted"]],
    ["growth_rate.limit_per_day", "growth_rate: { limit_per_day: 0.8 }", ["LeakwatchMemoryGrowth"]],
    ["growth_rate.for", "growth_rate: { for: 6h }", ["LeakwatchMemoryGrowth"]],
    ["near_limit", "near_limit: { for: 2h }", ["LeakwatchMemoryNearLimit"]],
    ["heap_near_limit.level", "heap_near_limit: { level: 0.9 }", ["LeakwatchHeapNearLimit"]],
    ["heap_near_limit.for", "heap_near_limit: { for: 1h }", ["LeakwatchHeapNearLimit"]],
    ["no_limit", "no_limit: { for: 1d }", ["LeakwatchNoMemoryLimit"]],
    ["oom_loop", "oom_loop: { kills: 3, within: 12h }", ["LeakwatchOomLoop", "group:leakwatch_incidents:increase"]],
    ["restart_loop", "restart_loop: { restarts: 10 }", ["LeakwatchRestartLoop"]],
    ["exhaustion", "exhaustion: { within: 1d }", ["LeakwatchDescriptorLeak", "LeakwatchThreadLeak"]],
    [
      "exporter",
      "exporter: { down: 10m }",
      [
        "LeakwatchExporterDown",
        "LeakwatchExporterLeaks",
        "LeakwatchPodsStale",
        "LeakwatchRulesNotEvaluated",
        "LeakwatchSamplesStale",
      ],
    ],
    [
      "target_gone",
      "target_gone: { for: 1h }",
      ["LeakwatchTargetGone", "group:leakwatch_processes:dropped", "group:leakwatch_processes:gone"],
    ],
  ])("%s", (_, yaml, expected) => {
    expect(changedBy(yaml)).toEqual([...expected].sort());
  });

  test("with the number that was given", () => {
    expect(textOf("heap_near_limit: { level: 0.9 }", "LeakwatchHeapNearLimit")).toContain(" > 0.9\\nand ");
    expect(textOf("restart_loop: { restarts: 10 }", "LeakwatchRestartLoop")).toContain(
      " > 9.5) > leakwatch_group_processes",
    );
    expect(textOf("oom_predicted: { info: { within: 2d } }", "LeakwatchOomPredicted", "info")).toContain(
      String(2 * 86_400),
    );
  });

  test("and does not change what is shipped", () => {
    const before = JSON.stringify(rules);
    change("heap_near_limit: { level: 0.5 }");
    expect(JSON.stringify(rules)).toBe(before);
  });
});

describe("refused is", () => {
  function complaint(yaml: string): string {
    try {
      change(yaml);
    } catch (error) {
      if (error instanceof DecodeError) return `${showPath(error.path)}: ${error.message}`;
      throw error;
    }
    throw new Error("it was accepted");
  }

  test.each([
    [
      "an unknown section",
      "grwth_rate: { for: 1h }",
      "grwth_rate: expected one of oom_predicted, growth_rate, near_limit",
    ],
    ["an unknown threshold", "growth_rate: { within: 4h }", "growth_rate.within: expected one of limit_per_day, for"],
    ["what the exporter's configuration has", "near_limit: { level: 0.95 }", "near_limit.level: expected one of for"],
    [
      "a share of 0",
      "heap_near_limit: { level: 0 }",
      "heap_near_limit.level: expected a share above 0 and up to 1, such as 0.05, got 0",
    ],
    [
      "a percentage",
      "heap_near_limit: { level: 95 }",
      "heap_near_limit.level: expected a share above 0 and up to 1, such as 0.05, got 95",
    ],
    [
      "growth of nothing",
      "growth_rate: { limit_per_day: 0 }",
      "growth_rate.limit_per_day: expected a number above 0, got 0",
    ],
    [
      "a text for a share",
      "heap_near_limit: { level: 95% }",
      'heap_near_limit.level: expected a share above 0 and up to 1, such as 0.05, got "95%"',
    ],
    [
      "a time without a unit",
      "near_limit: { for: 30 }",
      "near_limit.for: expected a duration such as 5s or 1m30s, got 30",
    ],
    [
      "predictions in the wrong order",
      "oom_predicted: { critical: { within: 6h } }",
      "oom_predicted.critical.within: expected critical to be nearer than warning",
    ],
    [
      "half an hour of a ledger that counts by the hour",
      "oom_loop: { within: 90m }",
      'oom_loop.within: expected whole hours, got "90m"',
    ],
    [
      "a loop of one restart",
      "restart_loop: { restarts: 1 }",
      "restart_loop.restarts: expected a whole number from 2 to 1000, got 1",
    ],
    ["a list", "[]", ": expected a mapping, got a list"],
  ])("%s", (_, yaml, expected) => {
    expect(complaint(yaml)).toContain(expected);
  });
});

test("docs/rules.md shows every threshold with the value that it has", () => {
  const page = fs.readFileSync(path.join(import.meta.dirname, "../../docs/rules.md"), "utf8");
  const shown = /```yaml\n(# thresholds\.yml\n.*?)```/s.exec(page)?.[1] ?? "";
  expect(changedBy(shown)).toEqual([]);
  const sections = Object.keys(load(shown) as object);
  expect(() => decodeThresholds({ unknown: 1 }, [])).toThrow(`expected one of ${sections.join(", ")}`);
  for (const [section, own] of Object.entries(load(shown) as Record<string, object>)) {
    const unknown = () => decodeThresholds({ [section]: { unknown: 1 } }, []);
    expect(unknown).toThrow(`expected one of ${Object.keys(own).join(", ")}`);
  }
});
