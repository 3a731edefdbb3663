// docs/doctor.md has every check.

import fs from "node:fs";
import { expect, test } from "vitest";
import { grafanaSections } from "../../exporter/doctor/grafana-checks.ts";
import { machineSections, ruleSections } from "../../exporter/doctor/machine-checks.ts";
import { prometheusSections } from "../../exporter/doctor/prometheus-checks.ts";
import { configurationSections, exporterSections } from "../../exporter/doctor/setup-checks.ts";

test("the table in docs/doctor.md is that of the code", () => {
  const sections = [
    machineSections,
    configurationSections,
    ruleSections,
    exporterSections,
    prometheusSections,
    grafanaSections,
  ];
  const rows = sections.flat().flatMap(({ checks }) => checks.map(({ id, question }) => `| \`${id}\` | ${question} |`));
  const page = fs.readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
  expect(page.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
});
