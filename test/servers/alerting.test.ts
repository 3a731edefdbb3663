// One fault is one message: the shipped configuration in a real Alertmanager, with the alerts that the shipped rules give.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert } from "../../alerts/rule.ts";
import { severities } from "../../catalog/alerts.ts";
import { tracedGroups } from "../../exporter/backtest/builtin.ts";
import { exposedSeries } from "../../exporter/backtest/exposed.ts";
import { RuleEngine } from "../../exporter/rule-engine/engine.ts";
import { Alertmanager, type KnownAlert, Receiver, type SentAlert } from "../support/alertmanager.ts";
import { temporaryFolder } from "../support/exporter-process.ts";
import type { Labels } from "../support/scrape.ts";

const folder = fileURLToPath(new URL("../../alerts", import.meta.url));
const configFile = path.join(folder, "alertmanager.yml");
const templates = path.join(folder, "templates/*.tmpl");

/** As the rules give it; alerts/tests show that they do. */
const urgent = {
  labels: {
    alertname: "LeakwatchMemoryLeakUrgent",
    cluster: "eu",
    namespace: "shop",
    job: "leakwatch",
    instance: "10.0.0.7:9847",
    group: "api",
    slot: "0",
    severity: "critical",
    class: "leak",
  },
  annotations: {
    summary: "api (slot 0) leaks memory and has hours to live.",
    description: "It grew in every stretch of the last 40m or 2h.",
    verdict: "leaking",
    growth: "300MiB per hour",
    time_left: "55m",
    runbook_url: "https://example.org/runbooks/LeakwatchMemoryLeakUrgent.md",
    dashboard_url: "http://localhost:3000/d/leakwatch-process?from=now-24h",
  },
};

interface Route {
  receiver?: string;
  routes?: Route[];
}
interface Config {
  route: Route;
  templates: string[];
  inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal: string[] }[];
  receivers: { name: string; pagerduty_configs?: object[]; slack_configs?: object[]; webhook_configs?: object[] }[];
}
const shipped = () => load(fs.readFileSync(configFile, "utf8")) as Config;

/** Times that a test can wait for, in the same order: a first message waits for the alerts that come with it. */
const compressed = (route: Route): Route => ({
  ...route,
  ...{ group_wait: "1s", group_interval: "500ms", repeat_interval: "1h" },
  ...(route.routes === undefined ? {} : { routes: route.routes.map(compressed) }),
});
const manyIntervals = 3000;

/** The shipped configuration, with a webhook for each receiver. */
function withWebhooks(url: string): object {
  const { global: _, ...config } = shipped() as Config & { global: object };
  return {
    ...config,
    templates: [templates],
    route: compressed(config.route),
    receivers: config.receivers.map(({ name }) => ({ name, webhook_configs: [{ url: `${url}/${name}` }] })),
  };
}

const MiB = 1024 ** 2;
const hour = 60;

/** Memory that grows from its start, and is started anew after so many minutes or at its limit. */
interface Course {
  readonly hours: number;
  readonly from: number;
  readonly perMinute: number;
  readonly limit: number;
  readonly restartAfter?: number;
}

/** Everything that fires at any time during a fault, as if all of it fired at once. */
function alertsOf({ hours, from, perMinute, limit, restartAfter = Infinity }: Course): Labels[] {
  const rows: [time: number, memory: number, start: number][] = [];
  let start = 0;
  for (let minute = 0; minute < hours * hour; minute++) {
    const memory = from + perMinute * (minute - start);
    if (memory >= limit || minute - start >= restartAfter) start = minute + 1;
    else rows.push([minute * 60, memory, start * 60]);
  }
  const column = (index: number) => Float64Array.from(rows, (row) => row[index] as number);
  const times = column(0);
  const member = {
    slot: 0,
    times,
    resident: column(1),
    limit: new Float64Array(times.length).fill(limit),
    startTime: column(2),
  };
  const engine = new RuleEngine(tracedGroups(ruleGroups()));
  const { episodes } = engine.evaluate(exposedSeries({ id: "api", members: [member] }), 0, hours * 3600);
  return distinct(episodes.map(({ alert, labels }) => ({ ...labels, alertname: alert })));
}

const distinct = (all: readonly Labels[]) => [
  ...new Map(all.map((labels) => [JSON.stringify(labels), labels])).values(),
];

/** The labels of an alert, once for each of its rules. */
function rulesNamed(alertname: string): Labels[] {
  const found = ruleGroups()
    .flatMap(({ rules }) => rules.filter(isAlert))
    .filter(({ alert }) => alert === alertname)
    .map(({ labels }) => ({ ...labels, alertname }));
  if (found.length === 0) throw new Error(`no rule ${alertname}`);
  return found;
}

const target = { namespace: "shop", job: "leakwatch", instance: "10.0.0.7:9847" };

interface Message {
  receiver: string;
  groupKey: string;
  alerts: { labels: Labels; status: string }[];
}

describe("one message for", () => {
  const gigabyte = 1024 * MiB;
  const fast = { from: 300 * MiB, perMinute: 5 * MiB, limit: 1.2 * gigabyte };

  /** What fires, and the one message that must come of it. */
  const faults: Record<string, { alerts: Labels[]; includes: string[]; receiver: string; cause: string }> = {
    "a fast leak, until it is killed": {
      alerts: alertsOf({ ...fast, hours: 3 }),
      includes: ["LeakwatchMemoryLeakUrgent", "LeakwatchOomPredicted"],
      receiver: "page",
      cause: "LeakwatchMemoryLeakUrgent",
    },
    "a fast leak that was killed once": {
      alerts: alertsOf({ ...fast, hours: 5 }),
      includes: ["LeakwatchMemoryLeakUrgent", "LeakwatchOomPredicted", "LeakwatchOomKilled"],
      receiver: "page",
      cause: "LeakwatchMemoryLeakUrgent",
    },
    "a fast leak that ends in an OOM loop": {
      alerts: alertsOf({ ...fast, hours: 16 }),
      includes: [
        "LeakwatchMemoryLeakUrgent",
        "LeakwatchMemoryLeakMasked",
        "LeakwatchOomPredicted",
        "LeakwatchOomKilled",
        "LeakwatchOomLoop",
      ],
      receiver: "page",
      cause: "LeakwatchOomLoop",
    },
    "a service that is killed every few minutes, and restarts in a loop": {
      alerts: [
        ...rulesNamed("LeakwatchOomLoop"),
        ...rulesNamed("LeakwatchRestartLoop"),
        ...rulesNamed("LeakwatchOomKilled"),
        ...rulesNamed("LeakwatchRestartsRecur"),
      ].map((labels) => ({ ...labels, group: "api" })),
      includes: [],
      receiver: "page",
      cause: "LeakwatchOomLoop",
    },
    "a leak that a cron job hides": {
      alerts: alertsOf({ hours: 30, from: 300 * MiB, perMinute: 2 * MiB, limit: 4 * gigabyte, restartAfter: 2 * hour }),
      includes: ["LeakwatchMemoryLeakMasked"],
      receiver: "ticket",
      cause: "LeakwatchMemoryLeakMasked",
    },
    "a leak that restarts hide, which recur and now and then are OOM kills": {
      alerts: [
        ...rulesNamed("LeakwatchMemoryLeakMasked"),
        ...rulesNamed("LeakwatchRestartsRecur"),
        ...rulesNamed("LeakwatchRestartLoop"),
        ...rulesNamed("LeakwatchOomKilled"),
      ].map((labels) => ({ ...labels, group: "api" })),
      includes: [],
      receiver: "ticket",
      cause: "LeakwatchMemoryLeakMasked",
    },
    "a slow leak of 1.4 MiB an hour": {
      alerts: alertsOf({ hours: 100, from: 500 * MiB, perMinute: (1.4 * MiB) / 60, limit: 2 * gigabyte }),
      includes: ["LeakwatchMemoryLeakSteady"],
      receiver: "ticket",
      cause: "LeakwatchMemoryLeakSteady",
    },
    "a slower leak of 0.3 MiB an hour": {
      alerts: alertsOf({ hours: 100, from: 700 * MiB, perMinute: (0.3 * MiB) / 60, limit: 2 * gigabyte }),
      includes: ["LeakwatchMemoryLeakSlow"],
      receiver: "digest",
      cause: "LeakwatchMemoryLeakSlow",
    },
    "an exporter that is down": {
      alerts: [
        ...rulesNamed("LeakwatchExporterDown"),
        ...rulesNamed("LeakwatchExporterLeaks"),
        ...rulesNamed("LeakwatchSamplesStale"),
        ...rulesNamed("LeakwatchPodsStale"),
        ...rulesNamed("LeakwatchTargetsUnreadable").map((labels) => ({ ...labels, file: "fd", reason: "permission" })),
        ...rulesNamed("LeakwatchTargetGone").map((labels) => ({ ...labels, group: "api" })),
      ],
      includes: [],
      receiver: "page",
      cause: "LeakwatchExporterDown",
    },
  };

  let alertmanager: Alertmanager;
  let receiver: Receiver;
  const messages = () => receiver.requests.map(({ body }) => body as Message);

  // all faults at once, each in a cluster of its own
  beforeAll(async () => {
    receiver = await Receiver.start();
    alertmanager = await Alertmanager.start(withWebhooks(receiver.url));
    const alerts = Object.entries(faults).flatMap(([cluster, { alerts }]) =>
      alerts.map((labels) => ({ labels: { ...target, ...labels, cluster } })),
    );
    // that none is there is not said of any instance
    const absent = { ...rulesNamed("LeakwatchExporterAbsent")[0], cluster: "an exporter that is down" };
    await alertmanager.post([...alerts, { labels: absent }]);
    await receiver.until("something about each fault", () =>
      Object.keys(faults).every((cluster) => messages().some(({ alerts }) => alerts[0]?.labels["cluster"] === cluster)),
    );
    await wait(manyIntervals); // for what else might come
  });

  afterAll(async () => {
    await alertmanager?.stop();
    await receiver?.stop();
  });

  test.each(Object.entries(faults))("%s", (cluster, { alerts, includes, receiver, cause }) => {
    expect(alerts.map(({ alertname }) => alertname)).toEqual(expect.arrayContaining(includes)); // else it proves little
    const about = messages().filter((message) => message.alerts.some(({ labels }) => labels["cluster"] === cluster));
    expect(about.map(({ receiver }) => receiver)).toEqual([receiver]);
    expect(about[0]?.alerts.map(({ labels }) => labels["alertname"])).toEqual([cause]);
  });
});

describe("an alert mutes", () => {
  const warning = { severity: "warning" };
  const critical = { severity: "critical" };
  const info = { severity: "info" };

  /** By one alert, these of the same group or slot; `but` those that are no consequence of it. */
  const tree: {
    by: [string, Labels?];
    mutes: [string, Labels?][];
    but: [string, Labels?][];
    scope: "slot" | "group";
  }[] = [
    {
      by: ["LeakwatchOomLoop"],
      mutes: [
        ["LeakwatchMemoryLeakUrgent", critical],
        ["LeakwatchMemoryLeakSteady"],
        ["LeakwatchMemoryLeakSlow"],
        ["LeakwatchMemoryLeakMasked"],
        ["LeakwatchOomPredicted", critical],
        ["LeakwatchOomKilled"],
        ["LeakwatchRestartLoop"],
        ["LeakwatchRestartsRecur"],
      ],
      but: [["LeakwatchDescriptorLeak"], ["LeakwatchThreadLeak"], ["LeakwatchMemoryNearLimit"]],
      scope: "group",
    },
    {
      by: ["LeakwatchMemoryLeakMasked"],
      mutes: [["LeakwatchRestartLoop"], ["LeakwatchRestartsRecur"], ["LeakwatchOomKilled"]],
      but: [["LeakwatchOomLoop"], ["LeakwatchMemoryLeakUrgent", critical], ["LeakwatchOomPredicted", critical]],
      scope: "group",
    },
    {
      by: ["LeakwatchMemoryLeakUrgent", critical],
      mutes: [
        ["LeakwatchMemoryLeakUrgent", warning],
        ["LeakwatchMemoryLeakSteady"],
        ["LeakwatchMemoryLeakSlow"],
        ["LeakwatchOomPredicted", critical],
        ["LeakwatchOomPredicted", warning],
      ],
      but: [["LeakwatchOomLoop"], ["LeakwatchMemoryLeakMasked"], ["LeakwatchRestartLoop"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchMemoryLeakUrgent", critical],
      mutes: [["LeakwatchOomKilled"]],
      but: [],
      scope: "group",
    },
    {
      by: ["LeakwatchMemoryLeakUrgent", warning],
      mutes: [["LeakwatchMemoryLeakSteady"], ["LeakwatchMemoryLeakSlow"], ["LeakwatchOomPredicted", info]],
      but: [["LeakwatchOomPredicted", critical], ["LeakwatchOomPredicted", warning], ["LeakwatchOomKilled"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchMemoryLeakSteady"],
      mutes: [["LeakwatchMemoryLeakSlow"], ["LeakwatchOomPredicted", info]],
      but: [["LeakwatchOomPredicted", critical], ["LeakwatchNoMemoryLimit"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchOomPredicted", critical],
      mutes: [
        ["LeakwatchOomPredicted", warning],
        ["LeakwatchOomPredicted", info],
      ],
      but: [["LeakwatchMemoryLeakSteady"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchOomPredicted", warning],
      mutes: [["LeakwatchOomPredicted", info]],
      but: [],
      scope: "slot",
    },
  ];

  const one = ([name, more = {}]: [string, Labels?]): Labels => {
    const found = rulesNamed(name).find((labels) =>
      Object.entries(more).every(([key, value]) => labels[key] === value),
    );
    if (found === undefined) throw new Error(`no rule ${name} with ${JSON.stringify(more)}`);
    return found;
  };
  const ofSlot = (name: string) => /MemoryLeak(?!Masked)|OomPredicted|Descriptor|Thread|Limit/.test(name);
  const nameOf = ([name, { severity } = {}]: [string, Labels?]) =>
    severity === undefined ? name : `${name} (${severity})`;

  /** Each case in a cluster of its own: who mutes, who is muted or not, and where that one is. */
  const cases = tree.flatMap(({ by, mutes, but, scope }) => {
    const inCluster = (other: [string, Labels?], where: string, elsewhere: Labels, muted: boolean) => {
      const cluster = `${nameOf(by)} and ${nameOf(other)} ${where}`;
      const labelsOf = ([name, more]: [string, Labels?]) => ({
        ...target,
        ...one([name, more ?? {}]),
        cluster,
        group: "api",
        ...(ofSlot(name) ? { slot: "0" } : {}),
      });
      return { cluster, source: labelsOf(by), other: { ...labelsOf(other), ...elsewhere }, muted };
    };
    return [
      ...mutes.flatMap((other) => [
        inCluster(other, "of the same process or group", {}, true),
        inCluster(other, "of another host", { instance: "10.0.0.8:9847" }, false),
        inCluster(other, "of another group", { group: "web" }, false),
        ...(scope === "slot" && ofSlot(other[0]) ? [inCluster(other, "of another slot", { slot: "1" }, false)] : []),
      ]),
      ...but.map((other) => inCluster(other, "which is another matter", {}, false)),
    ];
  });

  /** The only exporter is down in one cluster, in another cluster there never was one. */
  const exporters = [
    ...[
      "LeakwatchTargetGone",
      "LeakwatchSamplesStale",
      "LeakwatchPodsStale",
      "LeakwatchTargetsUnreadable",
      "LeakwatchExporterLeaks",
    ].flatMap((name) => [
      { name, other: target, muted: true },
      { name, other: { ...target, instance: "10.0.0.8:9847" }, muted: false },
    ]),
    { name: "LeakwatchExporterAbsent", other: {}, muted: true },
    { name: "LeakwatchRulesNotEvaluated", other: { job: "prometheus" }, muted: false },
    { name: "LeakwatchOomLoop", other: { ...target, group: "api" }, muted: false },
  ].map(({ name, other, muted }, i) => {
    const cluster = `exporter ${i}`;
    return {
      cluster,
      source: { ...target, ...one(["LeakwatchExporterDown"]), cluster },
      other: { ...other, ...one([name]), cluster } as Labels,
      muted,
    };
  });

  const all: { cluster: string; source: Labels; other: Labels; muted: boolean }[] = [...cases, ...exporters];
  let alertmanager: Alertmanager;
  let known: KnownAlert[];
  const stateOf = (labels: Labels) =>
    known.find((alert) => Object.entries(labels).every(([name, value]) => alert.labels[name] === value))?.status.state;

  beforeAll(async () => {
    alertmanager = await Alertmanager.start(withWebhooks("http://127.0.0.1:9"));
    await alertmanager.post(all.flatMap(({ source, other }): SentAlert[] => [{ labels: source }, { labels: other }]));
    const deadline = Date.now() + 20_000;
    do {
      await wait(100);
      known = await alertmanager.alerts();
    } while (
      !all.every(({ other, muted }) => stateOf(other) === (muted ? "suppressed" : "active")) &&
      Date.now() < deadline
    );
    await wait(500); // what should not be muted has had the time to be
    known = await alertmanager.alerts();
  });

  afterAll(() => alertmanager?.stop());

  test.each(all.filter(({ muted }) => muted))("$source.alertname: $other.alertname ($cluster)", ({ source, other }) => {
    expect(stateOf(source)).toBe("active");
    expect(stateOf(other)).toBe("suppressed");
  });

  test.each(all.filter(({ muted }) => !muted))("but not $other.alertname: $cluster", ({ other }) => {
    expect(stateOf(other)).toBe("active");
  });

  test.each(shipped().inhibit_rules)(
    "by no rule that nothing here needs: $source_matchers, $target_matchers",
    (rule) => {
      const needing = all.filter(
        ({ source, other, muted }) =>
          muted &&
          rule.source_matchers.every((matcher) => matches(matcher, source)) &&
          rule.target_matchers.every((matcher) => matches(matcher, other)) &&
          rule.equal.every((name) => source[name] === other[name]),
      );
      expect(needing).not.toEqual([]);
    },
  );
});

/** `name = value` or `name =~ "pattern"`, as Alertmanager writes them. */
function matches(matcher: string, labels: Labels): boolean {
  const [, name = "", operator, value = ""] = /^(\w+) (=~?) "?(.*?)"?$/.exec(matcher) ?? [];
  const own = labels[name] ?? "";
  return operator === "=" ? own === value : new RegExp(`^(${value})$`).test(own);
}

describe("messages", () => {
  test.each(severities)("of severity %s have one receiver", (severity) => {
    const receiver = { critical: "page", warning: "ticket", info: "digest" }[severity];
    const words = ["config", "routes", "test", `--config.file=${configFile}`, `--verify.receivers=${receiver}`];
    execFileSync("amtool", [...words, `severity=${severity}`, "group=api"], { stdio: "pipe" });
  });

  test("are configured without a mistake", () => {
    expect(execFileSync("amtool", ["check-config", configFile], { encoding: "utf8" })).toContain("SUCCESS");
  });

  test("reach PagerDuty, Slack and a webhook as configured, with secrets from files", async () => {
    const folder = temporaryFolder();
    const secret = (name: string, text: string) => {
      fs.writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const receiver = await Receiver.start();
    onTestFinished(() => receiver.stop());
    const { global: _, ...config } = shipped() as Config & { global: object };
    const [page, ticket] = config.receivers;
    const slackUrl = secret("slack-webhook-url", `${receiver.url}/slack`);
    const toUs = (slack: object) => ({ ...slack, api_url_file: slackUrl });
    const alertmanager = await Alertmanager.start({
      ...config,
      templates: [templates],
      route: compressed(config.route),
      receivers: [
        {
          ...page,
          pagerduty_configs: page?.pagerduty_configs?.map((pagerduty) => ({
            ...pagerduty,
            url: `${receiver.url}/pagerduty`,
            routing_key_file: secret("pagerduty-routing-key", "a-key"),
          })),
          slack_configs: page?.slack_configs?.map(toUs),
        },
        {
          ...ticket,
          webhook_configs: ticket?.webhook_configs?.map((webhook) => ({
            ...webhook,
            url: `${receiver.url}/tickets`,
            http_config: { authorization: { credentials_file: secret("tickets-token", "a-token") } },
          })),
          slack_configs: ticket?.slack_configs?.map(toUs),
        },
        { name: "digest" },
      ],
    });
    onTestFinished(() => alertmanager.stop());
    await alertmanager.post([urgent, { ...urgent, labels: { ...urgent.labels, group: "web", severity: "warning" } }]);
    await receiver.until("a page and a ticket, both with a note in Slack", (requests) => requests.length === 4);
    const bodies = (path: string) =>
      receiver.requests.filter((request) => request.path === path).map(({ body }) => body);

    expect(bodies("/pagerduty")).toMatchObject([
      {
        routing_key: "a-key",
        event_action: "trigger",
        payload: { summary: urgent.annotations.summary, severity: "critical" },
        links: [
          { text: "Runbook", href: urgent.annotations.runbook_url },
          { text: "Dashboard", href: urgent.annotations.dashboard_url },
        ],
      },
    ]);
    expect(bodies("/slack")).toHaveLength(2);
    expect(bodies("/slack")).toContainEqual(
      expect.objectContaining({
        channel: "#oncall",
        attachments: [
          expect.objectContaining({
            title: urgent.annotations.summary,
            text: expect.stringMatching(/^\*LEAKING · 300MiB per hour · time left: 55m\*\napi \(slot 0\) leaks/),
          }),
        ],
      }),
    );
    const [webhook] = receiver.requests.filter(({ path }) => path === "/tickets");
    expect(webhook?.headers.authorization).toBe("Bearer a-token");
    expect(webhook?.body).toMatchObject({ receiver: "ticket", alerts: [{ annotations: urgent.annotations }] });

    // the fault goes on: the kernel kills it, over and over
    const loop = { labels: { ...target, ...rulesNamed("LeakwatchOomLoop")[0], cluster: "eu", group: "api" } };
    await alertmanager.post([urgent, { ...loop, annotations: { ...urgent.annotations, summary: "api is killed." } }]);
    await receiver.until("that news", () => bodies("/pagerduty").length === 2);
    const events = bodies("/pagerduty") as { dedup_key: string; payload: { summary: string } }[];
    expect(events[1]?.payload.summary).toBe("api is killed.");
    expect(events[1]?.dedup_key).toBe(events[0]?.dedup_key); // the same incident: nobody is woken twice
  });

  const render = (template: string, type: "text" | "html", ...alerts: object[]) => {
    const firing = alerts.some((alert) => "status" in alert && alert.status === "firing");
    const data = path.join(temporaryFolder(), "data.json");
    fs.writeFileSync(data, JSON.stringify({ receiver: "page", status: firing ? "firing" : "resolved", alerts }));
    return execFileSync(
      "amtool",
      [
        "template",
        "render",
        `--template.glob=${templates}`,
        `--template.text={{ template "${template}" . }}`,
        `--template.type=${type}`,
        `--template.data=${data}`,
      ],
      { encoding: "utf8" },
    );
  };
  const at = { startsAt: "2026-02-03T03:12:00Z", endsAt: "2026-02-03T04:12:00Z" };

  test("put the verdict, the rate, the time left and the links first", () => {
    expect(
      render("leakwatch.text", "text", { ...urgent, ...at, status: "firing" })
        .split("\n")
        .slice(0, 6),
    ).toEqual([
      "LEAKING · 300MiB per hour · time left: 55m",
      "api (slot 0) leaks memory and has hours to live.",
      `Runbook: ${urgent.annotations.runbook_url}`,
      `Dashboard: ${urgent.annotations.dashboard_url}`,
      "It grew in every stretch of the last 40m or 2h.",
      "LeakwatchMemoryLeakUrgent (critical), since 2026-02-03 03:12 UTC, cluster eu, namespace shop, 10.0.0.7:9847",
    ]);
  });

  test("say so when it is over, and leave out what an alert does not have", () => {
    const resolved = {
      ...at,
      status: "resolved",
      labels: { alertname: "LeakwatchExporterAbsent", severity: "warning" },
      annotations: { summary: "No leakwatch exporter is scraped.", description: "There is nothing to judge." },
    };
    expect(render("leakwatch.title", "text", resolved).trim()).toBe("Over: No leakwatch exporter is scraped.");
    expect(render("leakwatch.text", "text", resolved).trim().split("\n")).toEqual([
      "OVER",
      "No leakwatch exporter is scraped.",
      "There is nothing to judge.",
      "LeakwatchExporterAbsent (warning), since 2026-02-03 03:12 UTC",
    ]);
  });

  test("count the alerts that still fire in their title", () => {
    const firing = { ...urgent, ...at, status: "firing" };
    expect(render("leakwatch.title", "text", { ...firing, status: "resolved" }, firing, firing).trim()).toBe(
      "api (slot 0) leaks memory and has hours to live. 2 alerts.",
    );
  });

  test("have links in mails, and names of processes are no markup there", () => {
    const labels = { ...urgent.labels, instance: "<script>" };
    const html = render("leakwatch.html", "html", { ...urgent, labels, ...at, status: "firing" });
    expect(html).toContain("<b>LEAKING · 300MiB per hour · time left: 55m</b>");
    expect(html).toContain(`<a href="${urgent.annotations.runbook_url}">Runbook</a>`);
    expect(html).not.toContain("<script>");
  });
});
