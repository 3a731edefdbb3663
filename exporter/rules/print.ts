// The rules as a user wants them, as text: thresholds, labels and links are theirs.

import fs from "node:fs";
import path from "node:path";
import { ruleGroups } from "../../alerts/index.ts";
import { renderPrometheusRule, renderRules } from "../../alerts/render.ts";
import { isAlert, type Rule, type RuleGroup } from "../../alerts/rule.ts";
import { defaultBases } from "../../catalog/links.ts";
import { rules } from "../../detection/rules.ts";
import { ConfigError, readDocument } from "../config/load.ts";
import { printError } from "../terminal/shown-text.ts";
import { withoutTrailingSlashes } from "../text/url.ts";
import { decodeThresholds, withThresholds } from "./thresholds.ts";

export interface RulesOptions {
  format: "prometheus" | "prometheusrule";
  name: string;
  namespace?: string;
  label: Record<string, string>;
  metadataLabel: Record<string, string>;
  runbookUrl?: string;
  grafanaUrl?: string;
  thresholds?: string;
  output?: string;
  check: boolean;
}

/** Prints the rules, or writes them, or looks whether they are what was written. */
export async function printRules(options: RulesOptions): Promise<void> {
  try {
    const text = await rulesText(options);
    const { output } = options;
    if (output === undefined) process.stdout.write(text);
    else if (options.check) check(output, text);
    else write(output, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printError(error.message);
    process.exitCode = 2;
  }
}

export async function rulesText(options: RulesOptions): Promise<string> {
  const { thresholds, format, label, metadataLabel, name, namespace } = options;
  const chosen =
    thresholds === undefined
      ? rules
      : await readDocument(thresholds, (value, path) => withThresholds(rules, decodeThresholds(value, path)));
  const groups = withLinks(withLabels(ruleGroups(chosen), label), options);
  const text =
    format === "prometheus"
      ? renderRules(groups)
      : renderPrometheusRule(groups, { "app.kubernetes.io/name": "leakwatch", ...metadataLabel }, { name, namespace });
  return `# Written by leakwatch rules. Thresholds, labels and links are its options: do not edit.\n${text}`;
}

/** Every alert has these labels too. */
export const withLabels = (groups: readonly RuleGroup[], labels: Readonly<Record<string, string>>): RuleGroup[] =>
  onAlerts(groups, (alert) => ({ ...alert, labels: { ...alert.labels, ...labels } }));

/** Links lead to where the user has the runbooks and Grafana. */
export function withLinks(
  groups: readonly RuleGroup[],
  bases: { runbookUrl?: string | undefined; grafanaUrl?: string | undefined },
): RuleGroup[] {
  const moved = (link: string, from: string, to: string | undefined) =>
    to !== undefined && link.startsWith(`${from}/`) ? withoutTrailingSlashes(to) + link.slice(from.length) : link;
  return onAlerts(groups, ({ annotations, ...alert }) => ({
    ...alert,
    annotations: {
      ...annotations,
      runbook_url: moved(annotations["runbook_url"] ?? "", defaultBases.runbooks, bases.runbookUrl),
      dashboard_url: moved(annotations["dashboard_url"] ?? "", defaultBases.grafana, bases.grafanaUrl),
    },
  }));
}

function onAlerts(
  groups: readonly RuleGroup[],
  change: (alert: Extract<Rule, { alert: string }>) => Rule,
): RuleGroup[] {
  return groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => (isAlert(rule) ? change(rule) : rule)),
  }));
}

function write(file: string, text: string): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new ConfigError(`${file}: cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

function check(file: string, text: string): void {
  let found: string;
  try {
    found = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (found === text) return;
  printError(`${file} is not what these options give: run the same without --check`);
  process.exitCode = 1;
}
