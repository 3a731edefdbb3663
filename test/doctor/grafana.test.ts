// Against a server on loopback that answers as Grafana's API is documented to; no Grafana server was tried.

import { describe, expect, test } from "vitest";
import { dashboardUids } from "../../catalog/links.ts";
import { GrafanaError, type GrafanaFacts, observeGrafana } from "../../exporter/doctor/grafana.ts";
import { grafanaSections } from "../../exporter/doctor/grafana-checks.ts";
import { deadAddress } from "../backtest/fake-prometheus.ts";
import { type Answers, answering } from "./answers.ts";
import { finding, grafanaFacts } from "./facts.ts";

const health = { "/api/health": [200, { database: "ok", version: "11.2.0" }] } satisfies Answers;
const uids = Object.values(dashboardUids);
const dashboards: Answers = Object.fromEntries(
  uids.map((uid) => [`/api/dashboards/uid/${uid}`, [200, { dashboard: {} }]]),
);
const datasource = (name: string, jsonData?: object, type = "prometheus") => ({ name, type, jsonData });

const find = (id: string, facts: Partial<GrafanaFacts> = {}, scrapeInterval = 15) =>
  finding(grafanaSections, id, { server: grafanaFacts(facts), scrapeInterval });

test("a server where all is well", async () => {
  const datasources = [datasource("Prometheus", { timeInterval: "15s" }), datasource("Loki", {}, "loki")];
  const { url } = await answering({ ...health, ...dashboards, "/api/datasources": [200, datasources] });
  const server = await observeGrafana(url);
  expect(server).toEqual({
    url,
    error: undefined,
    version: "11.2.0",
    dashboards: new Map(uids.map((uid) => [uid, "there"])),
    datasources: [{ name: "Prometheus", interval: 15 }],
  });
  expect(uids).toHaveLength(5);
  for (const { id } of grafanaSections.flatMap(({ checks }) => checks)) {
    expect(finding(grafanaSections, id, { server, scrapeInterval: 15 }), id).toMatchObject({ status: "ok" });
  }
});

describe("what is sent", () => {
  test("user and password from the URL, which messages do not show", async () => {
    const { url, authorizations } = await answering({});
    const { error } = await observeGrafana(url.replace("http://", "http://admin:p%40ss@"));
    expect(authorizations).toEqual([`Basic ${Buffer.from("admin:p@ss").toString("base64")}`]);
    expect(error).not.toContain("p@ss");
    expect(error).not.toContain("admin");
  });

  test("a token", async () => {
    const { url, authorizations } = await answering(health);
    await observeGrafana(url, { token: "glsa_1" });
    expect(new Set(authorizations)).toEqual(new Set(["Bearer glsa_1"]));
  });
});

describe("dashboards", () => {
  test.each<[string, Answers, string, string]>([
    ["none", {}, "warning", "None of the 5 dashboards is there."],
    [
      "one is missing",
      { ...dashboards, "/api/dashboards/uid/leakwatch-trend": [404, {}] },
      "warning",
      "1 dashboard is missing: leakwatch-trend.",
    ],
    [
      "a login is wanted",
      { ...dashboards, "/api/dashboards/uid/leakwatch-trend": [401, {}] },
      "unknown",
      "does not show its dashboards to this user",
    ],
    [
      "an error",
      { ...dashboards, "/api/dashboards/uid/leakwatch-trend": [500, {}] },
      "unknown",
      "answers with errors when asked for leakwatch-trend",
    ],
  ])("%s", async (_, answers, status, says) => {
    const server = await observeGrafana((await answering({ ...health, ...answers })).url);
    expect(finding(grafanaSections, "grafana.dashboards", { server, scrapeInterval: 15 })).toMatchObject({
      status,
      sentence: expect.stringContaining(says),
    });
  });
});

describe("scrape interval of the data source", () => {
  test("Grafana takes 15 s when the field is empty", async () => {
    const datasources = [
      datasource("a"),
      datasource("b", { timeInterval: "" }),
      datasource("c", { timeInterval: "1m" }),
    ];
    const { url } = await answering({ ...health, "/api/datasources": [200, datasources] });
    expect((await observeGrafana(url)).datasources?.map(({ interval }) => interval)).toEqual([15, 15, 60]);
  });

  test("a text that is no duration", async () => {
    const datasources = [datasource("a", { timeInterval: "soon" })];
    const { url } = await answering({ ...health, "/api/datasources": [200, datasources] });
    expect((await observeGrafana(url)).datasources).toEqual([{ name: "a", interval: undefined }]);
  });

  test.each<[string, Partial<GrafanaFacts>, number, string]>([
    ["is that of the scrapes", {}, 15, "ok"],
    ["is another", {}, 30, "warning"],
    ["cannot be read", { datasources: [{ name: "a", interval: undefined }] }, 15, "warning"],
    ["is not shown to this user", { datasources: undefined }, 15, "unknown"],
    ["is nowhere: there is no Prometheus", { datasources: [] }, 15, "warning"],
  ])("%s", (_, facts, scrapeInterval, status) => {
    expect(find("grafana.interval", facts, scrapeInterval)?.status).toBe(status);
  });
});

describe("no Grafana", () => {
  test.each<[string, Answers, string]>([
    ["another kind of server", { "/api/health": [200, "<html>"] }, "is not a Grafana server: /api/health answers 200"],
    ["a server without that path", {}, "is not a Grafana server: /api/health answers 404"],
  ])("%s", async (_, answers, says) => {
    const { error } = await observeGrafana((await answering(answers)).url);
    expect(error).toContain(says);
    expect(find("grafana.reachable", { error })).toMatchObject({ status: "failure" });
    expect(find("grafana.dashboards", { error })).toBeUndefined();
  });

  test("nobody there", async () => {
    expect((await observeGrafana(await deadAddress())).error).toMatch(/^cannot reach .*: nothing listens there$/);
  });

  test.each(["grafana:3000", "ftp://grafana", ""])("%j is no URL", async (address) => {
    await expect(observeGrafana(address)).rejects.toThrow(GrafanaError);
  });
});
