// The generated dashboards against the rules, and each rule against a board that breaks it.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert } from "../../alerts/rule.ts";
import { colours, farAway, timeToOomSteps, usedSteps, verdictColours } from "../../catalog/appearance.ts";
import { demo } from "../../catalog/defaults.ts";
import { defaultBases } from "../../catalog/links.ts";
import { verdicts } from "../../catalog/verdicts.ts";
import { advice } from "../../dashboards/advice.ts";
import { dashboards, demoDashboards } from "../../dashboards/index.ts";
import { words } from "../../detection/judge.ts";
import { rules as thresholds } from "../../detection/rules.ts";
import { type Dashboard, panelsOf } from "../support/grafana.ts";
import { rules, uids } from "./rules.ts";

const files = dashboards();
const parsed = (texts: object) => Object.values(texts).map((text) => JSON.parse(text) as Dashboard);
const boards = parsed(files);
const board = (name: string) => boards.find(({ uid }) => uid === `leakwatch-${name}`) as Dashboard;

test("there are the five dashboards that links and alerts know", () => {
  expect(boards.map(({ uid }) => uid)).toEqual(uids);
});

test("a chart over days does not read the containers of all groups", () => {
  const container = (matcher: string) => `max by (cgroup) (leakwatch_cgroup_container_info{${scope}${matcher}})`;
  const rule = rules["reads raw series over days only of a bounded number of groups"];
  expect(rule?.(broken("trend", asking(container(""))), boards).join()).toContain(
    "leakwatch_cgroup_container_info over 7 days",
  );
  expect(rule?.(broken("trend", asking(container(`,cgroup=~\`\${cgroups:regex}\``))), boards)).toEqual([]);
});

test("two runs give the same bytes", () => {
  expect(dashboards()).toEqual(files);
});

describe.each(boards.map((one) => [one.uid, one] as const))("%s", (_, one) => {
  test.each(Object.entries(rules))("%s", (_name, rule) => {
    expect(rule(one, boards)).toEqual([]);
  });
});

describe.each(demo.speeds)("the boards of a demo %i times faster than life", (speed) => {
  const fast = parsed(demoDashboards(speed));
  const outline = (one: Dashboard) => [one.uid, one.title, panelsOf(one).map(({ id, title }) => [id, title])];

  test("are the same boards and panels, and say that they are of a demo", () => {
    expect(fast.map(outline)).toEqual(boards.map(outline));
    for (const { description } of fast) expect(description).toContain(`A demo, ${speed} times faster`);
  });

  test.each(Object.entries(rules))("%s", (_name, rule) => {
    expect(fast.flatMap((one) => rule(one, fast))).toEqual([]);
  });
});

/** A copy with one mistake. */
function broken(name: string, mistake: (copy: Dashboard) => void): Dashboard {
  const copy = structuredClone(board(name));
  mistake(copy);
  return copy;
}

const first = (dashboard: Dashboard, type: string) => {
  const panel = dashboard.panels.find((one) => one.type === type);
  if (panel === undefined) throw new Error(`no ${type}`);
  return panel;
};
const asking = (expr: string) => (copy: Dashboard) => {
  const [target] = first(copy, "timeseries").targets ?? [];
  if (target !== undefined) target.expr = expr;
};
const variable = (dashboard: Dashboard, name: string) =>
  dashboard.templating.list.find((one) => one.name === name) ?? { label: "" };

const scope = 'cluster=~"$cluster",namespace=~"$namespace",job=~"$job",instance=~"$instance"';
const group = `group=~\`\${group:regex}\``;
const resident = `leakwatch_process_resident_memory_bytes{${scope},${group}}`;

const mistakes: Record<string, readonly [board: string, mistake: (copy: Dashboard) => void, complaint: string]> = {
  "is read-only, tagged, with a shared crosshair": [
    "fleet",
    (copy) => Object.assign(copy, { editable: true }),
    "editable",
  ],
  "asks its data source variable, everywhere": [
    "fleet",
    (copy) => Object.assign(first(copy, "stat"), { datasource: { type: "prometheus", uid: "abc" } }),
    "Leaking now asks another",
  ],
  "has the variables that all boards have": [
    "fleet",
    (copy) => Object.assign(variable(copy, "job"), { label: "job" }),
    "job",
  ],
  "uses only variables that exist": ["fleet", asking('max(up{job=~"$nobody"})'), "nobody"],
  "has a title and a description on each panel": [
    "fleet",
    (copy) => Object.assign(first(copy, "stat"), { description: "" }),
    "Leaking now",
  ],
  "has a unit for each number": [
    "fleet",
    (copy) => {
      delete first(copy, "timeseries").fieldConfig?.defaults.unit;
    },
    "Used of the limit has no unit",
  ],
  "says in words that there is nothing": [
    "fleet",
    (copy) => {
      delete first(copy, "timeseries").fieldConfig?.defaults.noValue;
    },
    "Used of the limit",
  ],
  "has a query in each panel": ["fleet", (copy) => Object.assign(first(copy, "stat"), { targets: [] }), "Leaking now"],
  "numbers its panels": ["fleet", (copy) => Object.assign(first(copy, "table"), { id: 1 }), "1"],
  "fills every line of the grid, without overlap": [
    "fleet",
    (copy) => Object.assign(first(copy, "stat").gridPos, { w: 3 }),
    "line 0",
  ],
  "shows its links and annotations": [
    "trend",
    (copy) => Object.assign(copy.links[0] ?? {}, { placement: "inControlsMenu" }),
    "hidden",
  ],
  "links to boards and variables that exist": [
    "fleet",
    (copy) => Object.assign(copy.links[1] ?? {}, { url: "/d/leakwatch-nowhere" }),
    "nowhere",
  ],
  "has a drop-down to the others that keeps time and variables": [
    "fleet",
    (copy) => Object.assign(copy.links[0] ?? {}, { keepTime: false }),
    "drop-down",
  ],
  "asks only for series that exist": ["fleet", asking("max(leakwatch_nothing)"), "leakwatch_nothing"],
  "asks in PromQL whose types are right": ["fleet", asking(`rate(${resident})`), "expected type"],
  "takes rates over $__rate_interval": ["fleet", asking("rate(up[5m])"), "rate"],
  "asks for whole seconds, in times that Grafana reads": [
    "fleet",
    (copy) => {
      asking("max_over_time(up[1s500ms])")(copy);
      Object.assign(first(copy, "table"), { timeFrom: "2h48m" });
    },
    "1s500ms in the query\nGrafana does not read 2h48m",
  ],
  "uses counters only inside rate and increase": [
    "fleet",
    asking("max(leakwatch_samples_total)"),
    "leakwatch_samples_total",
  ],
  "narrows every selector by its variables": ["fleet", asking("max(leakwatch_process_threads)"), "not narrowed by job"],
  "takes group names as they are": ["fleet", asking('max(leakwatch_process_threads{group=~"$group"})'), "regex"],
  "ends all queries of a table in the same labels": [
    "fleet",
    (copy) => Object.assign(first(copy, "table").targets?.[2] ?? {}, { expr: `max by (group) (${resident})` }),
    "Suspects",
  ],
  "counts nothing twice that two Prometheus servers scrape": [
    "fleet",
    asking(`sum by (group) (${resident})`),
    "identity",
  ],
  "has no instant query on a board that looks ahead, but with a time of its own": [
    "process",
    (copy) => Object.assign(first(copy, "stat").targets?.[0] ?? {}, { instant: true, range: false }),
    "Verdict would be empty",
  ],
  "opens with at most 25 queries": [
    "process",
    (copy) => first(copy, "timeseries").targets?.push(...(first(copy, "timeseries").targets ?? [])),
    "queries",
  ],
  "reads raw series over days only of a bounded number of groups": [
    "trend",
    asking(`max by (group) (${resident})`),
    "over 7 days",
  ],
  "shows growth per hour": [
    "fleet",
    asking(`max(leakwatch_process_memory_growth_bytes_per_second{${scope},${group}})`),
    "per second",
  ],
  "knows no name twice": ["fleet", (copy) => copy.templating.list.push(...copy.templating.list), "twice"],
};

describe("a rule can fail:", () => {
  test.each(Object.keys(rules))("%s", (name) => {
    const [from, mistake, complaint] = mistakes[name] ?? ["fleet", () => undefined, "no sample breaks this rule"];
    expect(rules[name]?.(broken(from, mistake), boards).join("\n")).toContain(complaint);
  });
});

describe("colours and numbers", () => {
  test("of the time to OOM change where the alert's severity changes", () => {
    expect(timeToOomSteps.map(({ value }) => value)).toEqual([
      null,
      ...thresholds.oomPredicted.filter(({ severity }) => severity !== "critical").map(({ within }) => within),
      farAway,
    ]);
    const [suspects] = panelsOf(board("fleet")).filter(({ title }) => title === "Suspects");
    const column = suspects?.fieldConfig?.overrides.find(({ matcher }) => matcher.options === "Time to OOM");
    expect(column?.properties).toContainEqual({ id: "thresholds", value: { mode: "absolute", steps: timeToOomSteps } });
  });

  test("of the share of the limit are red where the alert about it fires", () => {
    expect(usedSteps.find(({ color }) => color === colours.now)?.value).toBe(words.high);
  });

  test("of a verdict stand beside its word, and its next step has a runbook", () => {
    for (const { word } of verdicts) {
      expect(verdictColours[word]).toBeDefined();
      const file = new URL(`../../alerts/runbooks/${advice[word].runbook}.md`, import.meta.url);
      expect(fs.existsSync(fileURLToPath(file)), path.basename(file.pathname)).toBe(true);
    }
  });

  test("never is a word, not red: a group that does not grow has no time to OOM", () => {
    const [suspects] = panelsOf(board("fleet")).filter(({ title }) => title === "Suspects");
    const column = suspects?.fieldConfig?.overrides.find(({ matcher }) => matcher.options === "Time to OOM");
    expect(JSON.stringify(column)).toContain('"match":"null+nan","result":{"text":"not growing","color":"green"');
  });
});

test.each(["process", "trend"])("starts, OOM kills and new releases are marked at their second on %s", (name) => {
  expect(board(name).annotations.list.map((one) => [one.name, one.useValueForTime])).toEqual([
    ["Starts", true],
    ["OOM kills", true],
    ["Deploys", true],
  ]);
});

describe("the dashboard of an alert", () => {
  const urls = ruleGroups()
    .flatMap(({ rules: these }) => [...these])
    .filter(isAlert)
    .map(({ annotations }) => annotations["dashboard_url"] ?? "");

  test.each([...new Set(urls)])("%s has the variables that the link fills in", (url) => {
    const [, uid] = new RegExp(`^${defaultBases.grafana}/d/([\\w-]+)`).exec(url) ?? [];
    const names = boards.find((one) => one.uid === uid)?.templating.list.map(({ name }) => name);
    for (const [, name] of url.matchAll(/var-(\w+)=/g)) expect(names).toContain(name);
  });
});
