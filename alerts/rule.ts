// What a rule is. Families are functions from the catalogue to these; render.ts alone knows YAML.

import type { AlertClass, Severity } from "../catalog/alerts.ts";

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** Seconds that the condition must hold, and that the alert goes on after it. */
  readonly for: number;
  readonly keepFiringFor?: number;
  readonly labels: AlertLabels;
  readonly annotations: { readonly summary: string; readonly description: string } & Readonly<Record<string, string>>;
}

export type AlertLabels = { readonly severity: Severity; readonly class: AlertClass } & Readonly<
  Record<string, string>
>;

export type Rule = RecordingRule | AlertRule;

export interface RuleGroup {
  readonly name: string;
  /** Seconds between two evaluations. */
  readonly interval: number;
  readonly rules: readonly Rule[];
}

export const isAlert = (rule: Rule): rule is AlertRule => "alert" in rule;
