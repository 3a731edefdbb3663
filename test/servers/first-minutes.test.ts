// A new installation in which all is well: Prometheus on an empty folder, the exporter as it is shipped, three healthy services.
// The clock is a real one here: a rule group that was never evaluated is 56 years late for a rule that takes 0 for a time.

import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { alerts, anyAlert } from "../../catalog/alerts.ts";
import { ExporterProcess } from "../support/exporter-process.ts";
import { Prometheus } from "../support/prometheus.ts";
import { newGroup, Target } from "../support/targets.ts";

const rules = fileURLToPath(new URL("../../alerts/generated/leakwatch.rules.yml", import.meta.url));

test("no alert of the bundle fires, or is about to, in its first minutes", { timeout: 360_000 }, async () => {
  const groups = ["api", "web", "database"].map(newGroup);
  for (const group of groups) await Target.start("hog.ts", ["--hold=30", `--group=${group}`]);
  // of other tests, which run beside this one, it knows nothing
  const ours = groups
    .map((group) => `  - { name: ${group}, match: { cmdline: '.*--group=${group}( .*)?' } }\n`)
    .join("");
  const exporter = await ExporterProcess.start({ config: `unmatched: ignore\ngroups:\n${ours}` });
  const prometheus = await Prometheus.asInstalled(rules, "5s", exporter.url);

  // the groups of rules for restarts and health have had a turn or more
  await prometheus.until("count_over_time(leakwatch_build_info[10m])", ([scrapes]) => (scrapes?.value ?? 0) >= 15, 300);
  const watched = await prometheus.query("leakwatch_group_processes == 1");
  expect(watched.map(({ metric }) => metric["group"]).sort()).toEqual([...groups].sort());
  expect(await prometheus.query("sum(prometheus_rule_evaluation_failures_total)")).toMatchObject([{ value: 0 }]);
  const neverEvaluated = await prometheus.query("count(prometheus_rule_group_last_evaluation_timestamp_seconds == 0)");
  expect(neverEvaluated[0]?.value).toBeGreaterThan(0);
  // Prometheus spreads first turns over the interval
  await prometheus.until(
    "min_over_time(prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group=~'.*;leakwatch-(health|restarts)'}[30s]) > 0",
    (evaluated) => evaluated.length === 2,
    180,
  );

  // before the first scrape there is no exporter yet
  const told = `count_over_time(ALERTS{alertname=~"${anyAlert}",alertname!="${alerts.exporterAbsent.name}"}[10m])`;
  expect(await prometheus.query(told)).toEqual([]);
  expect(await prometheus.query(`ALERTS{alertname="${alerts.exporterAbsent.name}"}`)).toEqual([]);
});
