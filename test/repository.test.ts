// The repository keeps its own rules.

import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Metric } from "../catalog/metric.ts";
import { metricFamilies } from "../catalog/metrics.ts";
import packageJson from "../package.json" with { type: "json" };
import lock from "../package-lock.json" with { type: "json" };

const metrics: Metric[] = metricFamilies.flatMap(({ metrics }) => [...metrics]);

// https://prometheus.io/docs/practices/naming/
describe("the catalogue", () => {
  test("has every name once", () => {
    const names = metrics.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test("has no name that OpenMetrics would take for part of another family", () => {
    // there, a counter's family has no _total and an info's no _info
    const families = metrics.map(({ name, type }) =>
      type === "counter" ? name.replace(/_total$/, "") : type === "info" ? name.replace(/_info$/, "") : name,
    );
    expect(families.filter((name, i) => families.indexOf(name) !== i)).toEqual([]);
  });

  describe.each(metrics.map((metric) => [metric.name, metric] as const))("%s", (name, { type, unit, help, labels }) => {
    test("is written in small letters, below our prefix", () => {
      expect(name).toMatch(/^leakwatch(_[a-z]+)+$/);
    });

    test("ends in what it is", () => {
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(name.endsWith("_info")).toBe(type === "info");
      const unitIsLast = /_(bytes|seconds|ratio|bytes_per_second)(_total)?$/.exec(name)?.[1];
      expect(unitIsLast).toBe(unit);
      expect(name).not.toMatch(/_(count|sum|bucket|created)$/); // these mean parts of a histogram
    });

    test("has base units only", () => {
      expect(name).not.toMatch(/_(kb|kib|mb|mib|kilobytes|megabytes|ms|milliseconds|minutes|hours|percent)(_|$)/);
    });

    test("has help of one sentence or more, on one line", () => {
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
      expect(help).not.toMatch(/[\n"\\]/);
    });

    test("has labels that Prometheus leaves to exporters", () => {
      for (const label of labels) {
        expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
        expect(["job", "instance", "le", "quantile"]).not.toContain(label);
      }
      expect(new Set(labels).size).toBe(labels.length);
    });
  });

  test("has a pid as a label of info series only: it would make a new series at every restart", () => {
    const withPid = metrics.filter(({ labels }) => labels.includes("pid"));
    expect(withPid.map(({ type }) => type)).toEqual(["info"]);
  });
});

describe("package.json", () => {
  const dependencies: Record<string, string> = { ...packageJson.dependencies, ...packageJson.devDependencies };

  // prom-client: docs/decisions say why; biome: another version formats differently
  test.each(["prom-client", "@biomejs/biome"])("pins %s to one version", (name) => {
    expect(dependencies[name]).toMatch(/^\d+\.\d+\.\d+$/);
    const locked: Record<string, { version?: string; link?: boolean }> = lock.packages;
    expect(locked[`node_modules/${name}`]?.version).toBe(dependencies[name]);
  });

  test("has prom-client as 15.1.3, and not its successor beside it", () => {
    expect(dependencies["prom-client"]).toBe("15.1.3");
    expect(Object.keys(dependencies)).not.toContain("@prometheus-io/client");
  });

  test("has the commands that README and continuous integration name", () => {
    expect(Object.keys(packageJson.scripts)).toEqual(
      expect.arrayContaining(["build", "start", "test", "check", "generate", "bench"]),
    );
    expect(packageJson.bin.leakwatch).toBe("dist/exporter/main.js");
  });
});

test("the folders of exporter/ import each other in no circle", () => {
  const root = path.join(import.meta.dirname, "../exporter");
  const nodeOf = (file: string) => (file.includes("/") ? path.dirname(file) : file); // a file directly in exporter/ is itself
  const imports = new Map<string, Map<string, string>>(); // from whom, whom, and in which file
  for (const file of fs.readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const own = imports.get(nodeOf(file)) ?? new Map<string, string>();
    imports.set(nodeOf(file), own);
    // `import type` and `import("…")` too: what counts is who knows whom, not when it is loaded
    for (const [, place = ""] of fs
      .readFileSync(path.join(root, file), "utf8")
      .matchAll(/\b(?:from|import)[ (]*"(\.[^"]+)"/g)) {
      const target = path.join(path.dirname(file), place);
      if (!target.startsWith("..") && nodeOf(target) !== nodeOf(file)) own.set(nodeOf(target), file);
    }
  }
  const withoutCircle = new Set<string>();
  const circleFrom = (way: readonly string[]): readonly string[] | undefined => {
    const last = way.at(-1) as string;
    if (way.indexOf(last) < way.length - 1) return way.slice(way.indexOf(last));
    if (withoutCircle.has(last)) return undefined;
    const next = [...(imports.get(last)?.keys() ?? [])];
    const circle = next.map((node) => circleFrom([...way, node])).find((found) => found !== undefined);
    if (circle === undefined) withoutCircle.add(last);
    return circle;
  };
  const circle = [...imports.keys()].map((node) => circleFrom([node])).find((found) => found !== undefined) ?? [];
  const steps = circle.slice(1).map((to, i) => `${imports.get(circle[i] ?? "")?.get(to)} imports ${to}`);
  expect(steps).toEqual([]);
  // that the imports were found at all
  expect(imports.get("main.ts")?.get("cli")).toBe("main.ts");
  expect(imports.get("cli")?.get("serve.ts")).toBe("cli/serve.ts");
  expect(imports.get("discovery/containers")?.has("discovery")).toBe(true);
});
