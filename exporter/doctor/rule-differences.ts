// Are the rules that a server has loaded those that we ship? Servers write expressions in their own way, so words are
// compared and not texts; annotations may differ, since `leakwatch rules` puts other links into them.

import { isDeepStrictEqual } from "node:util";
import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import { parseDuration } from "../prometheus/duration.ts";
import type { LoadedGroup, LoadedRule } from "./prometheus.ts";

export interface RuleDifferences {
  /** Names of groups that are not loaded at all. */
  readonly missingGroups: readonly string[];
  /** `group: rule` of loaded groups. */
  readonly missingRules: readonly string[];
  /** `group: rule` whose expression, labels or times are others. */
  readonly changed: readonly string[];
}

export function ruleDifferences(shipped: readonly RuleGroup[], loaded: readonly LoadedGroup[]): RuleDifferences {
  const missingGroups: string[] = [];
  const missingRules: string[] = [];
  const changed: string[] = [];
  for (const { name, rules } of shipped) {
    const found = loaded.filter((group) => group.name === name);
    if (found.length === 0) {
      missingGroups.push(name);
      continue;
    }
    const candidates = found.flatMap((group) => group.rules);
    for (const rule of rules) {
      const named = candidates.filter((candidate) => candidate.name === nameOf(rule));
      if (named.length === 0) missingRules.push(`${name}: ${nameOf(rule)}`);
      else if (!named.some((candidate) => isSame(rule, candidate))) changed.push(`${name}: ${nameOf(rule)}`);
    }
  }
  return { missingGroups, missingRules: unique(missingRules), changed: unique(changed) };
}

export const nameOf = (rule: Rule): string => (isAlert(rule) ? rule.alert : rule.record);

function isSame(rule: Rule, loaded: LoadedRule): boolean {
  return (
    isDeepStrictEqual({ ...rule.labels }, { ...loaded.labels }) &&
    (!isAlert(rule) || (rule.for === loaded.for && (rule.keepFiringFor ?? 0) === loaded.keepFiringFor)) &&
    isSameExpression(rule.expr, loaded.query)
  );
}

const isSameExpression = (ours: string, theirs: string): boolean =>
  canonical(wordsOf(ours)) === canonical(wordsOf(theirs));

/** Strings, matchers' operators, durations, numbers, names, and single characters for all else; spaces and lines go. */
const word =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|=~|![=~]|[<>=]=|(?:\d+(?:ms|[smhdwy]))+(?![\w.])|\d[\d.]*(?:e[+-]?\d+)?|[a-zA-Z_][\w:]*|\S/g;

const wordsOf = (expr: string): string[] => (expr.match(word) ?? []).map(canonicalWord).filter((text) => text !== "");

/** Every server has its own quotes, units and signs. */
function canonicalWord(text: string, i: number, all: readonly string[]): string {
  if (/^["'`]/.test(text)) return JSON.stringify(text.slice(1, -1));
  if (/^\d[\d.]*(e|$)/.test(text)) return String(Number(text));
  if (/^\d/.test(text)) return `${parseDuration(text)}s`;
  return text === "+" && all[i + 1] === "Inf" ? "" : text;
}

/** As one text, with the matchers of each selector sorted. */
const canonical = (words: readonly string[]): string =>
  words
    .join(" ")
    .replaceAll(/\{ ([^{}]*) \}/g, (_, matchers: string) => `{ ${matchers.split(" , ").sort().join(" , ")} }`);

const unique = (names: readonly string[]) => [...new Set(names)];
