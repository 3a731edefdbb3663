// What a user asks of a backtest, as it was typed: durations, selectors and sizes are texts.

export interface BacktestOptions {
  traces?: string;
  labels?: string;
  prometheusUrl?: string;
  since: string;
  match?: string;
  metric?: string;
  limitMetric?: string;
  startTimeMetric?: string;
  replicaLabel?: string[];
  step: string;
  bearerTokenFile?: string;
  json?: string;
}
