// Where alerts send people. Both bases can be changed: `leakwatch rules --runbook-url=… --grafana-url=…`.

/** Uids of the dashboards; fixed, so that links to them last. */
export const dashboardUids = {
  fleet: "leakwatch-fleet",
  process: "leakwatch-process",
  trend: "leakwatch-trend",
  restarts: "leakwatch-restarts",
  exporter: "leakwatch-exporter",
} as const;

/** What stands for each base in the generated rules. */
export const defaultBases = {
  runbooks: "https://github.com/leakwatch/leakwatch/blob/main/alerts/runbooks",
  grafana: "http://localhost:3000",
} as const;

export const links = {
  runbook: (alert: string) => `${defaultBases.runbooks}/${alert}.md`,
  dashboard: (name: keyof typeof dashboardUids) => `${defaultBases.grafana}/d/${dashboardUids[name]}`,
} as const;
