// What processes, servers and files chose, in the report: nothing of it acts on a terminal, is long, or shows a password.

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { examine, type Finding } from "../../exporter/doctor/finding.ts";
import { observeGrafana } from "../../exporter/doctor/grafana.ts";
import { grafanaSections } from "../../exporter/doctor/grafana-checks.ts";
import { machineSections, ruleSections } from "../../exporter/doctor/machine-checks.ts";
import { observePrometheus } from "../../exporter/doctor/prometheus.ts";
import { prometheusSections } from "../../exporter/doctor/prometheus-checks.ts";
import { asJson, renderText } from "../../exporter/doctor/report.ts";
import { observeSetup } from "../../exporter/doctor/setup.ts";
import { configurationSections, exporterSections } from "../../exporter/doctor/setup-checks.ts";
import { PrometheusApi } from "../../exporter/prometheus/api.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";
import { fakeMachine } from "../support/machine.ts";
import { type Answers, answering } from "./answers.ts";
import { machineFacts, seenProcess, watchedProcess } from "./facts.ts";

const shipped = ruleGroups();
const success = (data: unknown) => [200, { status: "success", data }] as const;
const long = `${evil}${"x".repeat(200_000)}`;

/** The report in both forms, as one text without line breaks. */
function report(findings: readonly Finding[]): string {
  const text = renderText(findings, { colour: false, verbose: true });
  const json = JSON.stringify(asJson(findings, "0.1.0"), undefined, 2);
  for (const form of [text, json]) {
    expect(form).not.toMatch(active);
    expect(form.length).toBeLessThan(60_000);
    for (const { sentence } of asJson(findings, "0.1.0").findings) expect(sentence.length).toBeLessThanOrEqual(4096);
  }
  return `${text}${json}`.replace(/\s+/g, " ");
}

/** Its URL, until the test is over. */
async function listening(server: http.Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Blanks: JSON may begin with them. */
function endlessly(response: http.ServerResponse): void {
  const piece = " \n".repeat(100_000);
  const more = () => {
    while (response.write(piece));
  };
  response.on("drain", more);
  more();
}

test("processes, containers, cgroups, mounts, rules", () => {
  const watched = (changes: object) => watchedProcess({ group: evil, ...changes });
  const cgroup = { path: `/docker/${evil}`, reachedBy: undefined, hasEvents: false, hasPressure: false };
  const facts = machineFacts({
    procfs: `/${evil}`,
    hidepid: evil,
    processes: [
      seenProcess({ pid: 1, name: evil, showsProgram: false, watched: watched({ cgroup, limitSource: "node" }) }),
      seenProcess({ pid: 7, name: long, watched: watched({ unreadable: new Map([["fd", "permission"]]) }) }),
    ],
    cgroups: { version: 2, hybrid: false, mounts: [{ version: 2, root: "/", mountPoint: `/${evil}` }] },
    kernel: { release: evil, fdCount: "list", countsOomKills: true },
    rules: [{ name: evil, fits: 0, takes: 0 }],
    rulesNeedRights: true,
  });
  const text = report(examine([...machineSections, ...ruleSections], facts));
  expect(text).toContain(`PID 1 is ${shownEvil}: when it ends`);
  expect(text).toContain(`Mounted at /${shownEvil}.`);
  expect(text).toContain(`/docker/${shownEvil}`);
});

describe("a Prometheus", () => {
  const alive = { "/api/v1/query time()": success({ resultType: "scalar", result: [1000, "1000"] }) };
  const target = (changes: object = {}) => ({
    labels: { job: evil, instance: evil },
    scrapePool: "leakwatch",
    scrapeUrl: `http://me:hunter2@shop:9847/metrics?token=hunter2&${evil}`,
    health: "up",
    lastError: "",
    lastScrape: new Date(990_000).toISOString(),
    lastScrapeDuration: 0.01,
    scrapeInterval: "15s",
    ...changes,
  });
  const observe = async (answers: Answers, credentials = "") => {
    const { url } = await answering({ ...alive, ...answers });
    const api = new PrometheusApi(url.replace("http://", `http://${credentials}`), { timeoutSeconds: 2 });
    return observePrometheus(api, { port: 9847, now: () => 1000 });
  };
  const reported = async (answers: Answers, credentials = "") =>
    report(examine(prometheusSections, { server: await observe(answers, credentials), shipped }));

  test("its version, targets, jobs, rules and their errors", async () => {
    const rule = { name: long, query: evil, labels: { a: evil }, health: "err", lastError: long };
    const down = { health: "down", lastError: `Get "http://me:hunter2@shop/?token=hunter2": ${long}` };
    const text = await reported({
      "/api/v1/status/buildinfo": success({ version: `2.50.0${evil}` }),
      "/api/v1/targets": success({ activeTargets: [target(down), target(), target({ labels: { job: long } })] }),
      "/api/v1/rules": success({ groups: [{ name: shipped[0]?.name, interval: 60, rules: [rule] }] }),
    });
    expect(text).toContain(`This is Prometheus 2.50.0${shownEvil};`);
    expect(text).toContain("http://***@shop:9847/metrics?token=***");
    expect(text).toContain("1 of 3 leakwatch exporters cannot be scraped;");
    expect(text).toContain(`1 rule fails; ${shownEvil}`);
    expect(text).not.toContain("hunter2");
    const one = await reported({ "/api/v1/targets": success({ activeTargets: [target()] }) });
    expect(one).toContain(`(job ${shownEvil}); the last scrape was`);
  });

  test("what it says when it refuses", async () => {
    const refusal = [503, { status: "error", error: `${evil} for http://me:hunter2@db ${long}` }] as const;
    const text = await reported({ "/api/v1/query time()": refusal });
    expect(text).toContain(`Prometheus cannot be asked: http://127.0.0.1:`);
    expect(text).toContain(shownEvil);
    expect(text).not.toContain("hunter2");
  });

  test("the password in its address is in no report", async () => {
    for (const answers of [
      {},
      { "/api/v1/query time()": [401, "no"] },
      { "/api/v1/query time()": [404, "no"] },
    ] as Answers[])
      expect(await reported(answers, "me:hunter2@")).not.toContain("hunter2");
  });

  const odd: unknown[][] = [
    null,
    7,
    "text",
    [],
    {},
    [null],
    [[]],
    { result: {} },
    { result: [null] },
    { activeTargets: [null, 7] },
  ].map((data) => [data]);
  test.each([
    ...odd,
    [{ activeTargets: [{ labels: 7, scrapePool: "leakwatch", scrapeInterval: {}, lastScrape: [] }] }],
    [{ groups: [null, { name: shipped[0]?.name, rules: [null, { name: 7, health: "err", lastError: {} }] }] }],
    [{ version: { a: 1 }, activeAlertmanagers: 7, result: [{ metric: null, value: "x" }] }],
  ])("answers of another form are no crash: %j", async (data) => {
    const server = await observe(
      Object.fromEntries(
        ["status/buildinfo", "targets", "rules", "alertmanagers", "query"].map((at) => [
          `/api/v1/${at}`,
          success(data),
        ]),
      ),
    );
    expect(server.error).toBeUndefined();
    report(examine(prometheusSections, { server, shipped }));
  });

  test.each<[string, string, string]>([
    ["targets", "prometheus.target", "The server does not list its targets"],
    ["rules", "prometheus.rules", "The server does not list its rules"],
  ])("a list of %s without an end is not read to its end, and the report says so", async (endpoint, id, says) => {
    const endless = http.createServer((request, response) => {
      if (request.url?.includes(endpoint)) return endlessly(response);
      response.end(JSON.stringify({ status: "success", data: { result: [1000, "1000"] } }));
    });
    const server = await observePrometheus(new PrometheusApi(await listening(endless)), { port: 9847 });
    const found = examine(prometheusSections, { server, shipped }).find((one) => one.id === id);
    expect(found).toMatchObject({
      status: "unknown",
      sentence: `${says}: its answer is larger than 64.0 MiB, and the rest was not read.`,
    });
  });

  test.each(odd)("nor is a time of another form: %j", async (data) => {
    const { error } = await observe({ "/api/v1/query time()": success(data) });
    expect(error).toContain("is not a Prometheus server: it has no value for time()");
  });
});

describe("a Grafana", () => {
  const observe = (answers: Answers, credentials = "") =>
    answering(answers).then(({ url }) => observeGrafana(url.replace("http://", `http://${credentials}`)));
  const health = { "/api/health": [200, { database: "ok", version: `11.2.0${long}` }] } satisfies Answers;

  test("its version and data sources", async () => {
    const sources = [long, evil, evil].map((name) => ({ name, type: "prometheus", jsonData: { timeInterval: "60s" } }));
    const server = await observe({ ...health, "/api/datasources": [200, sources] });
    const text = report(examine(grafanaSections, { server, scrapeInterval: 15 }));
    expect(text).toContain(`answers: Grafana 11.2.0${shownEvil}`);
    expect(text).toContain(`${shownEvil} 1 min. Panels`);
  });

  test("the password in its address is in no report", async () => {
    for (const answers of [health, {}])
      expect(
        report(examine(grafanaSections, { server: await observe(answers, "me:hunter2@"), scrapeInterval: 15 })),
      ).not.toContain("hunter2");
  });

  test.each([null, 7, [null], [7], [{ type: "prometheus", jsonData: 7 }], { a: 1 }])(
    "data sources of another form are no crash: %j",
    async (sources) => {
      const server = await observe({ ...health, "/api/datasources": [200, sources] });
      report(examine(grafanaSections, { server, scrapeInterval: 15 }));
    },
  );

  test("an answer without an end is not read to its end", async () => {
    const server = http.createServer((_, response) => endlessly(response));
    const { error } = await observeGrafana(await listening(server));
    expect(error).toMatch(/^http:\/\/127.*: its answer is larger than 4.00 MiB, and the rest was not read$/);
  });

  test("a scrape interval that is long is no duration, and costs no time", async () => {
    const interval = "9".repeat(100_000);
    const sources = [{ name: "a", type: "prometheus", jsonData: { timeInterval: interval } }];
    const { datasources } = await observe({ ...health, "/api/datasources": [200, sources] });
    expect(datasources).toEqual([{ name: "a", interval: undefined }]);
  });

  test.each(["token with blanks", "two\nlines", "", "\u009b"])(
    "a token that cannot be sent is not shown: %j",
    async (token) => {
      const { url } = await answering(health);
      await expect(observeGrafana(url, { token })).rejects.toThrow(
        `the token for ${url} must be a single word; it is not shown here`,
      );
    },
  );
});

describe("the own port", () => {
  const observed = async (server: http.Server) => {
    const address = new URL(await listening(server)).host;
    const setup = await observeSetup({ configFile: undefined, address, telemetryPath: "/metrics" });
    return report(examine(exporterSections, setup));
  };

  test("what somebody says who serves there", async () => {
    const inOneLine = evil.replace("\n", "");
    const text = await observed(
      http.createServer((request, response) => {
        if (request.url === "/-/ready") response.writeHead(503).end(long);
        else response.end(`leakwatch_build_info{version="${inOneLine}${"x".repeat(100_000)}"} 1\n`);
      }),
    );
    expect(text).toContain(`leakwatch ${shownEvil.replace("\\x0a", "")}`);
    expect(text).toContain(`but is not ready: ${shownEvil}`);
  });

  test("an answer that never ends is read for five seconds", async () => {
    const text = await observed(
      http.createServer((_, response) => {
        const drip = setInterval(() => response.write("a 1\n"), 100);
        response.on("close", () => clearInterval(drip));
      }),
    );
    expect(text).toContain("no complete answer in 5 s");
  });

  test("an answer without an end is read up to a size", async () => {
    const text = await observed(http.createServer((_, response) => endlessly(response)));
    expect(text).toContain("a server that answers 200, without leakwatch's series");
  });
});

test("a configuration file and its name", async () => {
  const machine = fakeMachine();
  const name = evil.replaceAll("/", "");
  machine.write(name, `${JSON.stringify(evil)}: 1\n`);
  const setup = await observeSetup({
    configFile: machine.path(name),
    address: "127.0.0.1:0",
    telemetryPath: "/metrics",
  });
  expect(report(examine(configurationSections, setup))).toContain(
    `The configuration is refused: ${machine.path(shownEvil)}`,
  );
});
