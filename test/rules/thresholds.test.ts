import fs from "node:fs";
import path from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import { type Detection, detection } from "../../catalog/detection.ts";
import { DecodeError, showPath } from "../../exporter/config/decode.ts";
import { decodeThresholds, withThresholds } from "../../exporter/rules/thresholds.ts";

const change = (yaml: string): Detection =>
  withThresholds(detection, decodeThresholds(yaml === "" ? undefined : load(yaml), []));

const nameOf = (rule: Rule) => (isAlert(rule) ? rule.alert : rule.record);
const rulesOf = (groups: readonly RuleGroup[]) => groups.flatMap(({ rules }) => rules);

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

const left40m = "slot:leakwatch_memory_left_seconds:rise40m";
const left2h = "slot:leakwatch_memory_left_seconds:rise2h";
const left12h = "slot:leakwatch_memory_left_seconds:rise12h";
const rise1h = "slot:leakwatch_memory_rise_bytes:delta1h";
const rise6h = "slot:leakwatch_memory_rise_bytes:delta6h";
const rise12h = "slot:leakwatch_memory_rise_bytes:delta12h";
const rise1d = "slot:leakwatch_memory_rise_bytes:delta1d";
const lowRise1d = "slot:leakwatch_memory_rise_bytes:low1d";
const rise15m = "slot:leakwatch_memory_rise_bytes:delta15m";
const nearLimit = "slot:leakwatch_memory_near_limit_bytes:peak";
const steady = "LeakwatchMemoryLeakSteady";

describe("a threshold changes the rules that rest on it, and no others", () => {
  test.each([
    ["nothing", "", []],
    ["what they are anyway", "near_limit: { level: 0.9, for: 30m }", []],
    ["urgent.growth", "urgent: { growth: 0.08 }", [left40m, left2h, left12h, rise15m, rise1h, rise6h]],
    ["urgent.critical_within", "urgent: { critical_within: 4h }", ["LeakwatchMemoryLeakUrgent", left2h, rise1h]],
    ["urgent.warning_within", "urgent: { warning_within: 1d }", [left12h]],
    ["steady.growth", "steady: { growth: 0.098 }", [steady, rise12h]],
    // what is recorded for it must reach as low as the alert
    ["steady.growth, far down", "steady: { growth: 0.01 }", [steady, rise12h, rise6h]],
    ["slow.growth", "slow: { growth: 0.03 }", ["LeakwatchMemoryLeakSlow", rise1d, lowRise1d]],
    ["oom_predicted", "oom_predicted: { warning: { level: 0.6 } }", ["LeakwatchOomPredicted"]],
    ["near_limit.level", "near_limit: { level: 0.95 }", [nearLimit]],
    ["near_limit.for", "near_limit: { for: 2h }", ["LeakwatchMemoryNearLimit"]],
    ["no_limit", "no_limit: { for: 1d }", ["LeakwatchNoMemoryLimit"]],
    ["oom_loop", "oom_loop: { kills: 3, within: 12h }", ["LeakwatchOomLoop", "group:leakwatch_incidents:increase"]],
    ["restart_loop", "restart_loop: { restarts: 10 }", ["LeakwatchRestartLoop"]],
    ["exhaustion", "exhaustion: { within: 1d }", ["LeakwatchDescriptorLeak", "LeakwatchThreadLeak"]],
    [
      "exporter",
      "exporter: { down: 10m }",
      ["LeakwatchExporterDown", "LeakwatchPodsStale", "LeakwatchRulesNotEvaluated", "LeakwatchSamplesStale"],
    ],
    ["target_gone", "target_gone: { for: 1h }", ["LeakwatchTargetGone", "group:leakwatch_processes:dropped"]],
  ])("%s", (_, yaml, expected) => {
    expect(changedBy(yaml)).toEqual([...expected].sort());
  });

  test("with the number that was given", () => {
    expect(textOf("near_limit: { level: 0.95 }", nearLimit)).toContain("> 0.95 * ");
    expect(textOf("restart_loop: { restarts: 10 }", "LeakwatchRestartLoop")).toContain(
      " > 9.5) > leakwatch_group_processes",
    );
    expect(textOf("oom_predicted: { info: { within: 2d } }", "LeakwatchOomPredicted", "info")).toContain(
      String(2 * 86_400),
    );
  });

  test("and does not change what is shipped", () => {
    const before = JSON.stringify(detection);
    change("urgent: { growth: 0.5 }");
    expect(JSON.stringify(detection)).toBe(before);
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
    ["an unknown section", "urgnt: { growth: 0.1 }", "urgnt: expected one of urgent, steady, slow, oom_predicted"],
    [
      "an unknown threshold",
      "urgent: { within: 4h }",
      "urgent.within: expected one of growth, critical_within, warning_within",
    ],
    ["a share of 0", "slow: { growth: 0 }", "slow.growth: expected a share above 0 and up to 1, such as 0.05, got 0"],
    [
      "a percentage",
      "near_limit: { level: 95 }",
      "near_limit.level: expected a share above 0 and up to 1, such as 0.05, got 95",
    ],
    [
      "a text for a share",
      "near_limit: { level: 95% }",
      'near_limit.level: expected a share above 0 and up to 1, such as 0.05, got "95%"',
    ],
    [
      "a time without a unit",
      "near_limit: { for: 30 }",
      "near_limit.for: expected a duration such as 5s or 1m30s, got 30",
    ],
    [
      "a time that no rule looks at",
      "urgent: { critical_within: 10h }",
      'urgent.critical_within: expected a duration from 10m to 9h, got "10h"',
    ],
    [
      "a page that comes after the ticket",
      "urgent: { critical_within: 9h, warning_within: 8h }",
      "urgent.warning_within: expected critical_within to be at most warning_within",
    ],
    [
      "a page that comes after the shipped ticket",
      "urgent: { warning_within: 1h }",
      "urgent.warning_within: expected critical_within to be at most warning_within",
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
