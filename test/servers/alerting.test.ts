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
import { Alertmanager, type KnownAlert, Receiver, type SentAlert } from "../support/alertmanager.ts";
import { temporaryFolder } from "../support/exporter-process.ts";
import type { Labels } from "../support/scrape.ts";

const folder = fileURLToPath(new URL("../../alerts", import.meta.url));
const configFile = path.join(folder, "alertmanager.yml");
const templates = path.join(folder, "templates/*.tmpl");

/** As the rules give it; alerts/tests show that they do. */
const leak = {
  labels: {
    alertname: "LeakwatchMemoryLeak",
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
    summary: "api on 10.0.0.7:9847 (eu/shop): leaking memory, OOM in about 55m",
    description: "It grows as leaks do: steadily, without slowing down, and to new highs.",
    verdict: "leaking",
    growth: "300MiB per hour",
    time_left: "55m",
    runbook_url: "https://example.org/runbooks/LeakwatchMemoryLeak.md",
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

/** The labels of an alert, once for each of its rules. */
function rulesNamed(alertname: string): Labels[] {
  const found = ruleGroups()
    .flatMap(({ rules }) => rules.filter(isAlert))
    .filter(({ alert }) => alert === alertname)
    .map(({ labels }) => ({ ...labels, alertname }));
  if (found.length === 0) throw new Error(`no rule ${alertname}`);
  return found;
}

const ofSlot = (name: string) => /MemoryLeak$|MemoryGrowth|OomPredicted|Descriptor|Thread|Limit/.test(name);

const target = { namespace: "shop", job: "leakwatch", instance: "10.0.0.7:9847" };

interface Message {
  receiver: string;
  groupKey: string;
  alerts: { labels: Labels; status: string }[];
}

describe("one message for", () => {
  /** All alerts of these names about one service, of all or of some severities. */
  const about = (severity: RegExp, ...names: string[]): Labels[] =>
    names
      .flatMap(rulesNamed)
      .filter((labels) => severity.test(labels["severity"] ?? ""))
      .map((labels) => ({ ...labels, group: "api", ...(ofSlot(labels["alertname"] ?? "") ? { slot: "0" } : {}) }));
  const any = /./;
  const fast = about(
    any,
    "LeakwatchMemoryLeak",
    "LeakwatchOomPredicted",
    "LeakwatchMemoryGrowth",
    "LeakwatchNoMemoryLimit",
  );

  /** What fires at any time during the fault, and the one message that must come of it. */
  const faults: Record<string, { alerts: Labels[]; receiver: string; cause: string }> = {
    "a fast leak, until it is killed": { alerts: fast, receiver: "page", cause: "LeakwatchMemoryLeak" },
    "a fast leak that was killed once": {
      alerts: [...fast, ...about(any, "LeakwatchOomKilled")],
      receiver: "page",
      cause: "LeakwatchMemoryLeak",
    },
    "a fast leak that ends in an OOM loop": {
      alerts: [...fast, ...about(any, "LeakwatchMemoryLeakMasked", "LeakwatchOomKilled", "LeakwatchOomLoop")],
      receiver: "page",
      cause: "LeakwatchOomLoop",
    },
    "a service that is killed every few minutes, and restarts in a loop": {
      alerts: about(any, "LeakwatchOomLoop", "LeakwatchRestartLoop", "LeakwatchOomKilled", "LeakwatchRestartsRecur"),
      receiver: "page",
      cause: "LeakwatchOomLoop",
    },
    "a leak that restarts hide, which recur and now and then are OOM kills": {
      alerts: about(
        any,
        "LeakwatchMemoryLeakMasked",
        "LeakwatchRestartsRecur",
        "LeakwatchRestartLoop",
        "LeakwatchOomKilled",
      ),
      receiver: "ticket",
      cause: "LeakwatchMemoryLeakMasked",
    },
    "a leak that has days left": {
      alerts: [
        ...about(/warning|info/, "LeakwatchMemoryLeak"),
        ...about(/info/, "LeakwatchOomPredicted", "LeakwatchMemoryGrowth"),
      ],
      receiver: "ticket",
      cause: "LeakwatchMemoryLeak",
    },
    "a leak that has weeks left": {
      alerts: about(/info/, "LeakwatchMemoryLeak", "LeakwatchMemoryGrowth"),
      receiver: "digest",
      cause: "LeakwatchMemoryLeak",
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

  test.each(Object.entries(faults))("%s", (cluster, { receiver, cause }) => {
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
        ["LeakwatchMemoryLeak", critical],
        ["LeakwatchMemoryLeak", info],
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
      but: [["LeakwatchOomLoop"], ["LeakwatchMemoryLeak", critical], ["LeakwatchOomPredicted", critical]],
      scope: "group",
    },
    {
      by: ["LeakwatchMemoryLeak", critical],
      mutes: [
        ["LeakwatchMemoryLeak", warning],
        ["LeakwatchMemoryLeak", info],
        ["LeakwatchOomPredicted", critical],
        ["LeakwatchOomPredicted", warning],
        ["LeakwatchMemoryGrowth"],
        ["LeakwatchNoMemoryLimit"],
      ],
      but: [["LeakwatchOomLoop"], ["LeakwatchMemoryLeakMasked"], ["LeakwatchRestartLoop"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchMemoryLeak", critical],
      mutes: [["LeakwatchOomKilled"]],
      but: [],
      scope: "group",
    },
    {
      by: ["LeakwatchMemoryLeak", warning],
      mutes: [["LeakwatchMemoryLeak", info], ["LeakwatchOomPredicted", info], ["LeakwatchMemoryGrowth"]],
      but: [["LeakwatchOomPredicted", critical], ["LeakwatchOomPredicted", warning], ["LeakwatchOomKilled"]],
      scope: "slot",
    },
    {
      by: ["LeakwatchOomPredicted", critical],
      mutes: [
        ["LeakwatchOomPredicted", warning],
        ["LeakwatchOomPredicted", info],
      ],
      but: [["LeakwatchMemoryLeak", warning]],
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
    await alertmanager.post([leak, { ...leak, labels: { ...leak.labels, group: "web", severity: "warning" } }]);
    await receiver.until("a page and a ticket, both with a note in Slack", (requests) => requests.length === 4);
    const bodies = (path: string) =>
      receiver.requests.filter((request) => request.path === path).map(({ body }) => body);

    expect(bodies("/pagerduty")).toMatchObject([
      {
        routing_key: "a-key",
        event_action: "trigger",
        payload: { summary: leak.annotations.summary, severity: "critical" },
        links: [
          { text: "Runbook", href: leak.annotations.runbook_url },
          { text: "Dashboard", href: leak.annotations.dashboard_url },
        ],
      },
    ]);
    expect(bodies("/slack")).toHaveLength(2);
    expect(bodies("/slack")).toContainEqual(
      expect.objectContaining({
        channel: "#oncall",
        attachments: [
          expect.objectContaining({
            title: leak.annotations.summary,
            text: expect.stringMatching(/^\*LEAKING · 300MiB per hour · time left: 55m\*\napi on 10/),
          }),
        ],
      }),
    );
    const [webhook] = receiver.requests.filter(({ path }) => path === "/tickets");
    expect(webhook?.headers.authorization).toBe("Bearer a-token");
    expect(webhook?.body).toMatchObject({ receiver: "ticket", alerts: [{ annotations: leak.annotations }] });

    // the fault goes on: the kernel kills it, over and over
    const loop = { labels: { ...target, ...rulesNamed("LeakwatchOomLoop")[0], cluster: "eu", group: "api" } };
    await alertmanager.post([leak, { ...loop, annotations: { ...leak.annotations, summary: "api is killed." } }]);
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
      render("leakwatch.text", "text", { ...leak, ...at, status: "firing" })
        .split("\n")
        .slice(0, 6),
    ).toEqual([
      "LEAKING · 300MiB per hour · time left: 55m",
      leak.annotations.summary,
      `Runbook: ${leak.annotations.runbook_url}`,
      `Dashboard: ${leak.annotations.dashboard_url}`,
      leak.annotations.description,
      "LeakwatchMemoryLeak (critical), since 2026-02-03 03:12 UTC, cluster eu, namespace shop, 10.0.0.7:9847",
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
    const firing = { ...leak, ...at, status: "firing" };
    expect(render("leakwatch.title", "text", { ...firing, status: "resolved" }, firing, firing).trim()).toBe(
      `${leak.annotations.summary} 2 alerts.`,
    );
  });

  test("have links in mails, and names of processes are no markup there", () => {
    const labels = { ...leak.labels, instance: "<script>" };
    const html = render("leakwatch.html", "html", { ...leak, labels, ...at, status: "firing" });
    expect(html).toContain("<b>LEAKING · 300MiB per hour · time left: 55m</b>");
    expect(html).toContain(`<a href="${leak.annotations.runbook_url}">Runbook</a>`);
    expect(html).not.toContain("<script>");
  });
});
