// What is asked of a Prometheus server and concluded from its answers. A real one: test/servers/doctor.test.ts.

import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { type LoadedGroup, observePrometheus, type PrometheusFacts } from "../../exporter/doctor/prometheus.ts";
import { prometheusSections } from "../../exporter/doctor/prometheus-checks.ts";
import { ruleDifferences } from "../../exporter/doctor/rule-differences.ts";
import { PrometheusApi } from "../../exporter/prometheus/api.ts";
import { deadAddress } from "../backtest/fake-prometheus.ts";
import { answering } from "./answers.ts";
import { finding, loaded, prometheusFacts, scrapeTarget } from "./facts.ts";

const shipped = ruleGroups();
const find = (id: string, facts: Partial<PrometheusFacts> = {}) =>
  finding(prometheusSections, id, { server: prometheusFacts({ ruleGroups: loaded(shipped), ...facts }), shipped });

/** The rules as loaded, one of them changed. */
/** Its name is that of no other. */
const changedRule = "LeakwatchMemoryNearLimit";
const theRule = `leakwatch-capacity: ${changedRule}`;

function withRule(change: (rule: LoadedGroup["rules"][number]) => object): LoadedGroup[] {
  return loaded(shipped).map((group) => ({
    ...group,
    rules: group.rules.map((rule) => (rule.name === changedRule ? { ...rule, ...change(rule) } : rule)),
  }));
}

test("a server where all is well", () => {
  const ids = prometheusSections.flatMap(({ checks }) => checks.map(({ id }) => id));
  expect(ids.map((id) => find(id)?.status)).toEqual(ids.map(() => "ok"));
});

test("a server that cannot be asked: one failure, and nothing made up", () => {
  const ids = prometheusSections.flatMap(({ checks }) => checks.map(({ id }) => id));
  const error = "cannot reach http://prometheus:9090: nothing listens there";
  expect(ids.flatMap((id) => find(id, { error }) ?? [])).toMatchObject([
    { id: "prometheus.reachable", status: "failure", sentence: `Prometheus cannot be asked: ${error}.` },
  ]);
});

describe("version", () => {
  test.each([
    ["2.42.0+ds", "ok"],
    ["2.9.2", "failure"], // by number, not by letter
    ["2.41.0", "failure"],
    ["3.0.1", "ok"],
    [undefined, "unknown"],
  ] as const)("%s", (version, status) => {
    expect(find("prometheus.version", { version })?.status).toBe(status);
  });
});

describe("targets", () => {
  test.each<[string, Partial<PrometheusFacts>, string, string]>([
    ["none is ours", { targets: [] }, "failure", "None of its 3 targets is a leakwatch exporter."],
    [
      "the only one is down",
      { targets: [scrapeTarget({ health: "down", lastError: "connection refused" })] },
      "failure",
      "http://shop:9847/metrics cannot be scraped: connection refused.",
    ],
    [
      "one of two is down",
      { targets: [scrapeTarget(), scrapeTarget({ health: "down", lastError: "EOF" })] },
      "warning",
      "1 of 2 leakwatch exporters cannot be scraped; http://shop:9847/metrics: EOF.",
    ],
    [
      "not scraped yet",
      { targets: [scrapeTarget({ age: undefined, health: "unknown" })] },
      "unknown",
      "was not scraped yet",
    ],
    [
      "one",
      {},
      "ok",
      "It scrapes http://shop:9847/metrics (job leakwatch); the last scrape was 4 s ago and took 12 ms.",
    ],
    [
      "two",
      { targets: [scrapeTarget(), scrapeTarget({ instance: "b" })] },
      "ok",
      "It scrapes 2 leakwatch exporters (job leakwatch (2)).",
    ],
    ["not listed, as by some that only speak the API", { targets: undefined }, "unknown", "does not list its targets"],
  ])("%s", (_, facts, status, sentence) => {
    expect(find("prometheus.target", facts)).toMatchObject({ status, sentence: expect.stringContaining(sentence) });
  });

  test.each([
    [15, "ok"],
    [60, "ok"],
    [90, "warning"],
  ] as const)("a scrape every %d s", (interval, status) => {
    expect(find("prometheus.interval", { targets: [scrapeTarget({ interval })] })?.status).toBe(status);
  });
});

describe("series, clock and Alertmanager", () => {
  test.each<[string, string, Partial<PrometheusFacts>, string]>([
    ["no series", "prometheus.series", { series: 0 }, "failure"],
    ["series of no process", "prometheus.series", { watchedProcesses: 0 }, "warning"],
    ["series that it cannot count", "prometheus.series", { series: undefined }, "unknown"],
    ["a clock two minutes ahead", "prometheus.clock", { clockAhead: 120 }, "warning"],
    ["a clock two minutes behind", "prometheus.clock", { clockAhead: -120 }, "warning"],
    ["no Alertmanager", "prometheus.alertmanager", { alertmanagers: 0 }, "warning"],
    ["no list of Alertmanagers", "prometheus.alertmanager", { alertmanagers: undefined }, "unknown"],
  ])("%s", (_, id, facts, status) => {
    expect(find(id, facts)?.status).toBe(status);
  });
});

describe("rules", () => {
  test("none", () => {
    expect(find("prometheus.rules", { ruleGroups: [] })).toMatchObject({ status: "failure" });
    expect(find("prometheus.rules_current", { ruleGroups: [] })).toBeUndefined();
    expect(find("prometheus.rules_health", { ruleGroups: [] })).toBeUndefined();
  });

  test("a group that is missing", () => {
    const [first, ...rest] = loaded(shipped);
    expect(find("prometheus.rules", { ruleGroups: rest })).toMatchObject({
      status: "warning",
      sentence: `Of leakwatch's rules 1 group (${first?.name}) is missing.`,
    });
  });

  test("a rule that is missing", () => {
    const ruleGroups = withRule(() => ({ name: "something:else" }));
    expect(find("prometheus.rules", { ruleGroups })).toMatchObject({ status: "warning", details: [theRule] });
  });

  test.each([
    ["another expression", { query: "vector(1)" }],
    ["an expression that we cannot even read", { query: "histogram_quantile(0.9, x) @ end()" }],
    ["other labels", { labels: { severity: "critical" } }],
  ])("a rule with %s", (_, change) => {
    expect(find("prometheus.rules_current", { ruleGroups: withRule(() => change) })).toMatchObject({
      status: "warning",
      details: [theRule],
    });
  });

  test.each([
    ["for", { for: 1 }],
    ["keepFiringFor", { keepFiringFor: 1 }],
  ])("an alert with another %s", (_, change) => {
    const ruleGroups = loaded(shipped).map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.name === "LeakwatchOomPredicted" ? { ...rule, ...change } : rule)),
    }));
    expect(ruleDifferences(shipped, ruleGroups).changed).toEqual([expect.stringContaining(": LeakwatchOomPredicted")]);
  });

  test("the same in the server's own spelling", () => {
    const group = (expr: string) => [{ name: "g", interval: 60, rules: [{ record: "a:b:c", expr }] }];
    const theirs = loaded(group('x{a="1",b="2"}[10m]').map((one) => one));
    expect(ruleDifferences(group("x{b='2', a='1'}[600s]"), theirs).changed).toEqual([]);
  });

  test("rules of others do not matter", () => {
    const others = {
      name: "theirs",
      interval: 60,
      rules: [{ ...loaded(shipped)[0]?.rules[0], health: "err" }],
    } as LoadedGroup;
    const ruleGroups = [...loaded(shipped), others];
    expect(find("prometheus.rules_current", { ruleGroups })?.status).toBe("ok");
    expect(find("prometheus.rules_health", { ruleGroups })?.status).toBe("ok");
  });

  test("one that fails: which, and why", () => {
    const ruleGroups = withRule(() => ({ health: "err", lastError: "many-to-many matching not allowed" }));
    expect(find("prometheus.rules_health", { ruleGroups })).toMatchObject({
      status: "failure",
      sentence: expect.stringMatching(/^1 rule fails; \S+: many-to-many matching not allowed\.$/),
    });
  });

  test("freshly loaded", () => {
    const ruleGroups = loaded(shipped).map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, health: "unknown" })),
    }));
    expect(find("prometheus.rules_health", { ruleGroups })?.status).toBe("unknown");
  });
});

describe("what is read from the API", () => {
  const success = (data: unknown) => [200, { status: "success", data }] as const;
  const target = (port: number, changes: object = {}) => ({
    labels: { job: "apps", instance: `shop:${port}` },
    scrapePool: "apps",
    scrapeUrl: `http://shop:${port}/metrics`,
    health: "up",
    lastError: "",
    lastScrape: new Date(990_000).toISOString(),
    lastScrapeDuration: 0.01,
    scrapeInterval: "1m30s",
    ...changes,
  });
  const observe = async (answers: Parameters<typeof answering>[0], address?: string) =>
    observePrometheus(new PrometheusApi(address ?? (await answering(answers)).url), { port: 9847, now: () => 1000 });
  const alive = { "/api/v1/query time()": success({ resultType: "scalar", result: [1000, "1000"] }) };

  test("a target is ours by what it served, by its port, or by its name", async () => {
    const facts = await observe({
      ...alive,
      "/api/v1/query last_over_time(leakwatch_build_info[1h])": success({
        result: [{ metric: { job: "apps", instance: "shop:8000" }, value: [1000, "1"] }],
      }),
      "/api/v1/targets": success({
        activeTargets: [target(8000), target(9847), target(8001, { scrapePool: "leakwatch" }), target(8002)],
      }),
    });
    expect(facts.targets?.map(({ instance }) => instance)).toEqual(["shop:8000", "shop:9847", "shop:8001"]);
    expect(facts).toMatchObject({ targetCount: 4, clockAhead: 0 });
    expect(facts.targets?.[0]).toMatchObject({ age: 10, interval: 90 });
  });

  test("a target that was never scraped has no age, and an old server tells no interval", async () => {
    const { targets } = await observe({
      ...alive,
      "/api/v1/targets": success({
        activeTargets: [target(9847, { lastScrape: "0001-01-01T00:00:00Z", scrapeInterval: undefined })],
      }),
    });
    expect(targets).toMatchObject([{ age: undefined, interval: undefined }]);
  });

  test("what it does not answer is unknown", async () => {
    expect(await observe(alive)).toMatchObject({
      error: undefined,
      version: undefined,
      targets: undefined,
      ruleGroups: undefined,
      alertmanagers: undefined,
      series: undefined,
    });
  });

  test.each<[string, Parameters<typeof answering>[0], string]>([
    ["a password is wanted", { "/api/v1/query": [401, "Unauthorized"] }, "refuses access (401"],
    ["another kind of server", { "/api/v1/query": [200, "<html>Grafana</html>"] }, "is not a Prometheus server"],
    ["a server without that API", {}, "is not a Prometheus server: it answers 404"],
  ])("%s", async (_, answers, says) => {
    expect((await observe(answers)).error).toContain(says);
  });

  test("nobody there", async () => {
    expect((await observe({}, await deadAddress())).error).toMatch(/^cannot reach .*: nothing listens there$/);
  });
});
