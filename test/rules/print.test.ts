import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { load } from "js-yaml";
import { describe, expect, onTestFinished, test } from "vitest";

import { type RulesOptions, rulesText } from "../../exporter/rules/print.ts";
import { promtool } from "../alerts/promtool.ts";

interface Alert {
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
type Groups = { name: string; rules: Alert[] }[];

const print = (options: Partial<RulesOptions> = {}) =>
  rulesText({ format: "prometheus", name: "leakwatch", label: {}, metadataLabel: {}, check: false, ...options });

const alertsOf = (groups: Groups) => groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));

function file(text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-rules-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, "file.yml"), text);
  return path.join(folder, "file.yml");
}

describe("leakwatch rules", () => {
  test("without options prints what is shipped", async () => {
    const shipped = fs.readFileSync(
      path.join(import.meta.dirname, "../../alerts/generated/leakwatch.rules.yml"),
      "utf8",
    );
    expect(load(await print())).toEqual(load(shipped));
  });

  test("with thresholds, labels and links of ours pleases promtool", async () => {
    const thresholds = file("growth_rate: { limit_per_day: 0.8 }\noom_loop: { kills: 3, within: 12h }\n");
    const options = { thresholds, label: { team: "payments" }, grafanaUrl: "https://grafana.example.org" };
    const { ok, said } = await promtool("check", "rules", file(await print(options)));
    expect(said).toContain("SUCCESS");
    expect(ok).toBe(true);
  });

  test("gives every alert the labels, beside its own, and no recorded series", async () => {
    const { groups } = load(await print({ label: { team: "payments", tier: "1" } })) as { groups: Groups };
    for (const { labels } of alertsOf(groups)) {
      expect(labels).toMatchObject({
        team: "payments",
        tier: "1",
        severity: expect.any(String),
        class: expect.any(String),
      });
    }
    const recorded = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert === undefined);
    expect(recorded.length).toBeGreaterThan(5);
    for (const { labels } of recorded) expect(labels ?? {}).not.toHaveProperty("team");
  });

  test("leads to the user's own runbooks and Grafana", async () => {
    const bases = { runbookUrl: "https://wiki.example.org/runbooks", grafanaUrl: "https://grafana.example.org/g" };
    const { groups } = load(await print(bases)) as { groups: Groups };
    for (const { alert, annotations } of alertsOf(groups)) {
      expect(annotations?.["runbook_url"]).toBe(`https://wiki.example.org/runbooks/${alert}.md`);
      expect(annotations?.["dashboard_url"]).toMatch(/^https:\/\/grafana\.example\.org\/g\/d\/leakwatch-\w+\?from=/);
    }
  });

  test("prints the same rules as an object of the operator", async () => {
    const object = await print({
      format: "prometheusrule",
      name: "leaks",
      namespace: "monitoring",
      metadataLabel: { release: "kube-prometheus-stack" },
    });
    expect(load(object)).toEqual({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: {
        name: "leaks",
        namespace: "monitoring",
        labels: { "app.kubernetes.io/name": "leakwatch", release: "kube-prometheus-stack" },
      },
      spec: load(await print()),
    });
  });

  test("has no namespace where none was given", async () => {
    expect(load(await print({ format: "prometheusrule" }))).toMatchObject({ metadata: { name: "leakwatch" } });
    expect(await print({ format: "prometheusrule" })).not.toContain("namespace: ");
  });

  test.each([
    ["an unknown key", "oom_loop:\n  kill: 3\n", ":2: oom_loop.kill: expected one of kills, within, got"],
    ["a contradiction", "oom_predicted:\n  warning:\n    within: 2d\n", ":3: oom_predicted.warning.within: expected"],
    ["no YAML", "oom_loop: [\n", ": not valid YAML: "],
  ])("names file, line and place of %s", async (_, text, expected) => {
    const thresholds = file(text);
    await expect(print({ thresholds })).rejects.toThrow(thresholds);
    await expect(print({ thresholds })).rejects.toThrow(expected);
  });
});
