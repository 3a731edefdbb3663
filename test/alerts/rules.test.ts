// The rules as they are shipped: what promtool says about them, that they use only series that exist, and that every alert
// has its runbook and its tests.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert, type RecordingRule } from "../../alerts/rule.ts";
import { ruleTests, testFiles } from "../../alerts/tests/index.ts";
import { alerts as declared, severities } from "../../catalog/alerts.ts";
import { defaultBases } from "../../catalog/links.ts";
import { recordings } from "../../catalog/recordings.ts";
import { verdicts } from "../../catalog/verdicts.ts";
import { promtool } from "./promtool.ts";
import { knownSeries, seriesIn } from "./series-in.ts";

const folder = fileURLToPath(new URL("../../alerts", import.meta.url));
const rulesFile = path.join(folder, "generated/leakwatch.rules.yml");
const filesIn = (name: string, ending: string) =>
  fs.readdirSync(path.join(folder, name)).filter((file) => file.endsWith(ending));

const rules = ruleGroups().flatMap(({ rules: these }) => [...these]);
const alerts = rules.filter(isAlert);
const recorded = rules.filter((rule): rule is RecordingRule => !isAlert(rule));
const alertNames = [...new Set(alerts.map(({ alert }) => alert))];

describe("promtool", () => {
  test("finds nothing wrong with the rules", async () => {
    expect(await promtool("check", "rules", "--lint=all", "--lint-fatal", rulesFile)).toMatchObject({ ok: true });
  });

  // each evaluates its rules over hours or days
  test.concurrent.for(Object.entries(ruleTests))(
    "agrees that the rules do what the situations of %s say",
    { timeout: 300_000 },
    async ([name, test], { expect, onTestFinished }) => {
      const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-rule-test-"));
      onTestFinished(() => fs.rmSync(temporary, { recursive: true }));
      for (const [file, text] of Object.entries(testFiles(name, test()))) {
        fs.writeFileSync(path.join(temporary, file), text);
      }
      const { ok, said } = await promtool("test", "rules", path.join(temporary, `${name}.yml`));
      expect(ok, said).toBe(true);
    },
  );
});

describe.each(alertNames)("%s", (name) => {
  const variants = alerts.filter(({ alert }) => alert === name);

  test("has a severity and a class that Alertmanager routes", () => {
    for (const { labels } of variants) {
      expect(severities).toContain(labels.severity);
      expect(["leak", "capacity", "restarts", "health"]).toContain(labels.class);
    }
  });

  test("says what happened, and where to read on", () => {
    for (const { annotations } of variants) {
      expect(annotations.summary).toMatch(/^(\{\{ \$s := [^}]+\}\})?(\{\{ \$labels\.|leakwatch|Prometheus)/);
      expect(annotations.description).not.toBe("");
      expect(annotations["dashboard_url"]).toMatch(/\/d\/leakwatch-[a-z]+\?from=now-\d+[hd]&to=now/);
      if (annotations["verdict"] !== undefined) {
        expect(verdicts.map(({ word }) => word)).toContain(annotations["verdict"]);
      }
    }
  });

  test("has a runbook, to which it links", () => {
    for (const { annotations } of variants) {
      const url = annotations["runbook_url"] ?? "";
      expect(url.startsWith(`${defaultBases.runbooks}/`)).toBe(true);
      const file = path.join(folder, "runbooks", url.slice(defaultBases.runbooks.length));
      expect(fs.readFileSync(file, "utf8").split("\n")[0]).toBe(`# ${name}`);
    }
  });

  test("has a test in which it fires, and one in which it does not", () => {
    const expectations = (ruleTests[name]?.() ?? { tests: [] }).tests.flatMap(({ expect }) => expect);
    const about = expectations.flatMap((expected) =>
      "alert" in expected && expected.alert === name ? [expected] : [],
    );
    expect(about.some(({ firing }) => firing.length > 0)).toBe(true);
    expect(about.some(({ firing }) => firing.length === 0)).toBe(true);
  });
});

test("the alerts are those of the catalogue, with its severities", () => {
  const made = alertNames.map((name) => {
    const variants = alerts.filter(({ alert }) => alert === name);
    const graded = [...severities]
      .reverse()
      .filter((severity) => variants.some(({ labels }) => labels.severity === severity));
    return { name, class: variants[0]?.labels.class, severities: graded };
  });
  const wanted = Object.values(declared).map(({ scope: _, ...alert }) => alert);
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(made.sort(byName)).toEqual([...wanted].sort(byName));
});

test("there are no runbooks and no tests of alerts that do not exist", () => {
  const runbooks = filesIn("runbooks", ".md").filter((file) => file.startsWith("Leakwatch"));
  expect(runbooks.map((file) => file.replace(".md", "")).filter((name) => !alertNames.includes(name))).toEqual([]);
  const tests = Object.keys(ruleTests).filter((name) => name.startsWith("Leakwatch"));
  expect(tests.filter((name) => !alertNames.includes(name))).toEqual([]);
});

describe("recorded series", () => {
  test("are those of the catalogue, each of them once", () => {
    expect([...new Set(recorded.map(({ record }) => record))].sort()).toEqual(
      recordings.map(({ name }) => name).sort(),
    );
  });

  test.each(recordings.map(({ name }) => name))("%s is named level:metric:operations", (name) => {
    expect(name).toMatch(/^(slot|group|exporter):leakwatch_[a-z]+(_[a-z]+)*:[a-z]+\d*[a-z]*$/);
  });

  test("read no range of raw series: the exporter has seen every sample", () => {
    const ranges = recorded.filter(({ expr }) => /leakwatch_process_\w+(?:\{[^}]*\})?\[/.test(expr));
    expect(ranges.map(({ record }) => record)).toEqual([]);
  });
});

describe("series that rules read", () => {
  test.each(rules.map((rule) => [isAlert(rule) ? rule.alert : rule.record, rule.expr] as const))(
    "%s reads series that exist",
    (_, expr) => {
      const names = seriesIn(expr);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !knownSeries.has(name))).toEqual([]);
    },
  );

  test.each(alerts.map((alert) => [alert.alert, alert.annotations] as const))(
    "the text of %s asks for series that exist",
    (_, annotations) => {
      const queries = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/with printf `([^`]+)`/g)].map(([, query]) => query ?? ""),
      );
      const names = queries.flatMap((query) => seriesIn(query.replaceAll(/%(\[\d\])?[sf]/g, "")));
      expect(names.filter((name) => !knownSeries.has(name))).toEqual([]);
    },
  );

  test("are found in an expression, whatever stands around them", () => {
    expect(
      seriesIn(
        'sum by (job) (rate(a_total{x="b"}[5m] offset 1h)) / on (job) group_left (y) c:d:e > 2 and time() < 1e3',
      ),
    ).toEqual(["a_total", "c:d:e"]);
  });
});
