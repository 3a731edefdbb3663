// `docker compose up` as a newcomer types it: the shipped file, real containers, and what comes of it. What takes hours also of the
// demo's time runs in a stack of its own, four times faster still.

import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demo as demoNumbers, MiB } from "../../catalog/defaults.ts";
import { dashboardUids } from "../../catalog/links.ts";
import { demoDashboards } from "../../dashboards/index.ts";
import type { GroupStatus } from "../../exporter/web/status.ts";
import { answerTo, askAt, choicesOf, questionsOf, stretchOf } from "../support/board-queries.ts";
import { ComposeProject } from "../support/compose.ts";
import { docker } from "../support/docker.ts";
import { type Dashboard, panelsOf } from "../support/grafana.ts";
import { PrometheusQueries, until } from "../support/prometheus-queries.ts";
import type { Labels } from "../support/scrape.ts";

/** What may pass until the leak is named, in seconds. */
const mostSeconds = 60;

const leaking = 'leakwatch_group_verdict{group="unbounded-cache.js",verdict="leaking"}';
const firing = (alert: string, group: string) => `ALERTS{alertname="${alert}",alertstate="firing",group="${group}"}`;
/** Of lack of memory, certain or suspected. */
const killed = (group: string) => `leakwatch_group_restarts_total{group="${group}",reason=~"oom|suspected_oom"}`;
const urgent = firing("LeakwatchMemoryLeak", "unbounded-cache.js").replace("}", ',severity="critical"}');

interface Message {
  status: string;
  receiver: string;
  groupLabels: Labels;
  alerts: { labels: Labels; annotations: Labels }[];
}

const demo = new ComposeProject(["docker-compose.yml"]);

/** An hour takes 15 seconds: these go by while the leak above is found. */
const fastSpeed = 240;
const fast = new ComposeProject(["docker-compose.yml"], { env: { DEMO_SPEED: String(fastSpeed) }, profiles: ["demo"] });
const lasting = "bounded-cache"; // for the panels that want one life of many hours
const healthy = ["bounded-cache", "warm-up", "batch-spikes"];

let startedAt: number;
let upAfter: number;
let prometheus: PrometheusQueries;
let fastPrometheus: PrometheusQueries;

/** What Alertmanager told about a group. */
const messagesAbout = async (group: string): Promise<Message[]> => {
  const answer = await fetch(`${demo.url("notifications", 8080)}/api/notifications`);
  const { notifications } = (await answer.json()) as { notifications: Message[] };
  return notifications.filter(({ groupLabels }) => groupLabels["group"] === group);
};

beforeAll(() => {
  startedAt = Date.now();
  demo.up();
  upAfter = secondsSince(startedAt);
  prometheus = new PrometheusQueries(demo.url("prometheus", 9090));
  demo.up(...healthy);
  fast.up("prometheus", "alertmanager", "timed-restart", "oom-loop", lasting);
  fastPrometheus = new PrometheusQueries(fast.url("prometheus", 9090));
});

afterAll(() => {
  demo.down();
  fast.down();
  expect([...demo.remains(), ...fast.remains()]).toEqual([]);
});

describe("docker compose up --wait", () => {
  test("returns when everything works", async () => {
    console.log(`up --wait returned after ${upAfter} s`);
    const states = demo.states();
    expect(Object.keys(states)).toEqual(
      expect.arrayContaining(["exporter", "prometheus", "alertmanager", "notifications", "pidns", "unbounded-cache"]),
    );
    expect(Object.values(states).filter((state) => state !== "running" && state !== "healthy")).toEqual([]);
    if (states["grafana"] === undefined) console.log("Grafana is not part of this run: its image cannot be had here.");
    expect(await prometheus.value('up{job="leakwatch"}')).toBe(1);
    expect((await fetch(`${demo.url("exporter", 9847)}/-/ready`)).status).toBe(200);
    expect((await fetch(`${demo.url("alertmanager", 9093)}/-/ready`)).status).toBe(200);
  });

  test("opens its ports on loopback only", () => {
    const addresses = demo.publishedAddresses();
    expect(addresses.length).toBeGreaterThanOrEqual(4);
    expect(new Set(addresses)).toEqual(new Set(["127.0.0.1"]));
  });

  test("says that this is a demo, and has loaded the rules of the demo", async () => {
    const flags = (await prometheus.api("status/flags")) as Record<string, string>;
    expect(flags["web.page-title"]).toContain("demo, 60 times faster");
    expect(await (await fetch(demo.url("notifications", 8080))).text()).toMatch(/60 times/);
    const { groups } = (await prometheus.api("rules")) as { groups: { name: string; interval: number }[] };
    expect(groups.find(({ name }) => name === "leakwatch-leaks")?.interval).toBe(60 / demoNumbers.speeds[0]);
  });
});

describe("the leak of the demo", () => {
  test(`is named within ${mostSeconds} s`, async () => {
    await prometheus.until(leaking, { seconds: mostSeconds });
    const namedAfter = secondsSince(startedAt);
    console.log(`from up to the first correct verdict: ${namedAfter} s`);
    expect(namedAfter).toBeLessThanOrEqual(mostSeconds);
  });

  test("has its rate and its time left", async () => {
    const slot = '{group="unbounded-cache.js",slot="0"}';
    const rate = await prometheus.value(`leakwatch_process_leak_bytes_per_second${slot}`);
    expect(rate).toBeGreaterThan(0.6 * MiB); // it keeps 1 MiB a second
    expect(rate).toBeLessThan(1.6 * MiB);
    const left = await prometheus.value(`leakwatch_process_time_to_oom_seconds${slot}`);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(200); // from nothing to its limit of 200 MiB
  });

  test("is named by the exporter itself, to programs and on its page", async () => {
    const page = demo.url("exporter", 9847);
    const { verdict, processes } = await until("the same verdict", 30, async () => {
      const { data } = (await (await fetch(`${page}/api/v1/groups`)).json()) as { data: GroupStatus[] };
      return data.find(({ group, verdict }) => group === "unbounded-cache.js" && verdict === "leaking");
    });
    expect([verdict, processes[0]?.verdict]).toEqual(["leaking", "leaking"]);
    expect(processes[0]?.growth_bytes_per_second).toBeGreaterThan(0.6 * MiB);
    expect(await (await fetch(page)).text()).toMatch(/unbounded-cache\.js<\/th><td class="leaking[^"]*"[^>]*>leaking/);
  });

  test("is a ticket while it has time left, and then one page, with what somebody on call wants to know", async () => {
    await prometheus.until(urgent, { seconds: 120 });
    const firing = async () => (await messagesAbout("unbounded-cache.js")).filter(({ status }) => status === "firing");
    await until("a page", 30, async () => (await firing()).some(({ receiver }) => receiver === "page") || undefined);
    await wait(3000); // for what else might come
    const messages = await firing();
    const of = (receiver: string) => messages.filter((message) => message.receiver === receiver);
    const tickets = of("ticket").map(({ alerts }) => alerts.map(({ labels }) => labels["alertname"]));
    expect(tickets).toContainEqual(["LeakwatchMemoryLeak"]);
    // one more says that less than six hours are left
    expect(tickets.length).toBeLessThanOrEqual(2);
    expect(of("page")).toHaveLength(1);
    const [page] = of("page");
    expect(page?.alerts).toHaveLength(1);
    const [alert] = page?.alerts ?? [];
    expect(alert?.labels).toMatchObject({
      alertname: "LeakwatchMemoryLeak",
      severity: "critical",
      demo_speed: "60",
    });
    expect(alert?.annotations["time_left"]).toMatch(/^(\d+m|\d+s)$/);
    expect(alert?.annotations["summary"]).toContain("unbounded-cache.js on ");
  });

  test("has the limit of its container, seen without any right", async () => {
    expect(await prometheus.value('leakwatch_process_memory_limit_bytes{group="unbounded-cache.js"}')).toBe(200 * MiB);
    expect(demo.inspect("exporter", "{{.HostConfig.CapDrop}} {{.HostConfig.ReadonlyRootfs}} {{.Config.User}}")).toBe(
      "[ALL] true 65532:65532",
    );
  });
});

describe("while it leaks", () => {
  test("the exporter may be restarted: the alert stays, and no restart of the leak is counted", async () => {
    demo.run("restart", "--timeout=5", "exporter");
    await prometheus.until('process_start_time_seconds{job="leakwatch"}', {
      enough: ([found]) => (found?.value ?? 0) > Date.now() / 1000 - 15,
    });
    expect(await prometheus.query(urgent)).toHaveLength(1);
    expect(await prometheus.value('sum(leakwatch_group_restarts_total{group="unbounded-cache.js"})')).toBe(0);
  });

  test("Prometheus may be away for ten minutes of the demo's time", async () => {
    demo.run("stop", "--timeout=5", "prometheus");
    await wait((10 * 60_000) / demoNumbers.speeds[0]);
    expect((await fetch(`${demo.url("exporter", 9847)}/metrics`)).status).toBe(200);
    demo.run("start", "prometheus");
    prometheus = new PrometheusQueries(demo.url("prometheus", 9090)); // the engine gave it another port
    await prometheus.until('leakwatch_group_processes{group="unbounded-cache.js"}');
  });
});

describe("at its limit", () => {
  test("the kernel ends it; the exporter lives on, and knows why", async () => {
    const [restart] = await prometheus.until(`${killed("unbounded-cache.js")} > 0`, { seconds: 150 });
    expect(restart?.value).toBe(1);
    expect(demo.inspect("exporter", "{{.State.Running}} {{.RestartCount}} {{.State.OOMKilled}}")).toBe("true 0 false");
    expect(demo.inspect("unbounded-cache", "{{.RestartCount}}")).toBe("1");
  });

  test("the exporter keeps within 96 MiB", () => {
    const usage = docker("stats", "--no-stream", "--format={{.MemUsage}}", demo.container("exporter"));
    console.log(`memory of the exporter's container: ${usage}`);
    expect(usage).toMatch(/ \/ 96MiB$/);
    expect(demo.inspect("exporter", "{{.State.OOMKilled}}")).toBe("false");
  });
});

describe("an OOM loop", () => {
  test("is called one by its alert, and a masked leak by its verdict: each process grew until it was killed", async () => {
    await fastPrometheus.until(`count_over_time(${firing("LeakwatchOomLoop", "oom-loop.js")}[1h])`);
    await fastPrometheus.until(
      'count_over_time(leakwatch_group_verdict{group="oom-loop.js",verdict="masked_leak"}[1h])',
    );
  });
});

describe("a leak that a timed restart hides", () => {
  test("shows in its lives: most of them end while they still grow", async () => {
    const of = (counter: string) => `${counter}{group="timed-restart.js"}`;
    const [growing, ended] = [of("leakwatch_group_lives_ended_growing_total"), of("leakwatch_group_lives_ended_total")];
    await fastPrometheus.until(`${growing} >= 3`, { seconds: 240 });
    expect(await fastPrometheus.value(`${growing} / ${ended}`)).toBeGreaterThanOrEqual(0.6);
  });

  test("is not taken for an OOM kill, though the kernel kills its neighbour all the time", async () => {
    expect(await fastPrometheus.value(`sum(${killed("oom-loop.js")})`)).toBeGreaterThan(0);
    expect(await fastPrometheus.value(`sum(${killed("timed-restart.js")})`)).toBe(0);
  });
});

describe("every panel", () => {
  /** What cannot be there after some minutes, or without a fault: each says so in words. */
  const mayBeEmpty = [
    "process: Resident memory, floor, limit and projection D", // is drawn while it grows
    "process: Time in garbage collection A", // the demo's programs do not tell
    "process: Heap by space A",
    "trend: Growth per hour B", // over a day
    "trend: This week against last week B", // there was no last week
    "restarts: Recycled workers A", // the demo has none
    "restarts: Recycled workers B",
    "restarts: Recycled workers C",
    "exporter: Processes not fully readable A", // all are
    "exporter: Not readable now, by file and reason A",
    "exporter: Read errors per second, by file and reason A",
    "trend: Growth by hour of the day (UTC) A", // a column for each full day, which takes six minutes
  ];

  const boards = Object.values(demoDashboards(fastSpeed)).map((text) => JSON.parse(text) as Dashboard);

  test.each(Object.entries(dashboardUids))("of %s has an answer", async (name, uid) => {
    const board = boards.find((one) => one.uid === uid) as Dashboard;
    const ask = askAt(fastPrometheus.url);
    const scrapeInterval = demoNumbers.scrapeIntervalSeconds;
    const shown: Record<string, string> = name === "process" ? { group: `${lasting}.js` } : {};
    const answered = new Set<string>(); // some come and go
    const withoutAnswer = async () => {
      const now = Date.now() / 1000;
      const choices = await choicesOf(board, ask, stretchOf(board, now), shown);
      const empty: string[] = [];
      for (const panel of panelsOf(board)) {
        for (const question of questionsOf(panel, { board, choices, now, scrapeInterval })) {
          const title = `${name}: ${panel.title} ${question.refId}`;
          if (mayBeEmpty.includes(title) || answered.has(title)) continue;
          if ((await answerTo(question, ask)).length === 0) empty.push(title);
          else answered.add(title);
        }
      }
      return empty;
    };
    // some want hours of a life, of the demo's time
    await expect.poll(withoutAnswer, { timeout: 200_000, interval: 5000 }).toEqual([]);
  });
});

describe("what looks like a leak and is none", () => {
  test.each(healthy)("%s was never called one, all the time", async (service) => {
    const group = `${service}.js`;
    expect(await prometheus.value(`leakwatch_group_processes{group="${group}"}`)).toBe(1); // else it proves little
    const alerts = `count_over_time(ALERTS{class="leak",alertstate="firing",group="${group}"}[1h])`;
    expect(await prometheus.query(alerts)).toEqual([]);
    const words = await prometheus.query(`count_over_time(leakwatch_group_verdict{group="${group}"}[1h])`);
    const verdicts = words.map(({ metric }) => metric["verdict"]);
    expect(verdicts.length).toBeGreaterThan(0);
    for (const word of ["leaking", "masked_leak", "restart_loop"]) expect(verdicts).not.toContain(word);
  });
});

describe("docker compose down -v", () => {
  test("leaves nothing of what `up` began", () => {
    demo.run("rm", "--stop", "--force", ...healthy); // which a profile began: without it they would be left
    expect(demo.remains().length).toBeGreaterThan(5);
    demo.run("down", "-v", "--timeout=2");
    expect(demo.remains()).toEqual([]);
  });
});

const secondsSince = (time: number) => Math.round((Date.now() - time) / 1000);
