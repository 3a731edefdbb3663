// The other ways to run it: a pair on real time, the whole machine, and a service of one's own in three lines.

import { describe, expect, inject, onTestFinished, test } from "vitest";
import { rules } from "../../detection/rules.ts";
import { imageName } from "../../exporter/discovery/containers/container.ts";
import { ComposeProject } from "../support/compose.ts";
import { Container } from "../support/container.ts";
import { docker } from "../support/docker.ts";
import { temporaryFile } from "../support/exporter-process.ts";
import { PrometheusQueries, until } from "../support/prometheus-queries.ts";
import { parseScrape } from "../support/scrape.ts";

/** The shipped files ask for the exporter's health every 15 s, the first time after that; nobody here waits so long. */
const impatient = "services: { exporter: { healthcheck: { interval: 1s } } }\n";

/** Taken down when the test is over, to the last volume. */
function project(files: readonly string[], env: Record<string, string> = {}): ComposeProject {
  const started = new ComposeProject([...files, temporaryFile("impatient.yml", impatient)], { env });
  onTestFinished(() => {
    started.down();
    expect(started.remains()).toEqual([]);
  });
  return started;
}

const scrapeOf = async (compose: ComposeProject) =>
  parseScrape(await (await fetch(`${compose.url("exporter", 9847)}/metrics`)).text());

const groupsOf = async (compose: ComposeProject) =>
  (await scrapeOf(compose)).all("leakwatch_process_info").map(({ labels }) => labels["group"]);

describe("compose/sidecar.yml", () => {
  test("watches one app, on real time, with the app's own user", async () => {
    const pair = project(["compose/sidecar.yml"], { APP_IMAGE: inject("builtImages").DEMO_IMAGE });
    pair.up();
    const prometheus = new PrometheusQueries(pair.url("prometheus", 9090));
    const { groups } = (await prometheus.api("rules")) as { groups: { name: string; interval: number }[] };
    expect(groups.find(({ name }) => name === "leakwatch-leaks")?.interval).toBe(rules.evaluation.fast);
    const flags = (await prometheus.api("status/flags")) as Record<string, string>;
    expect(flags["storage.tsdb.retention.time"]).toBe("15d");
    expect(flags["web.page-title"]).not.toContain("demo");

    const slot = { group: "unbounded-cache.js", slot: "0" };
    const found = await until("the app", 60, async () => {
      const scrape = await scrapeOf(pair);
      return scrape.value("leakwatch_process_open_fds", slot) === undefined ? undefined : scrape;
    });
    expect(found.all("leakwatch_unreadable_processes")).toEqual([]);
    expect(found.all("leakwatch_process_info", slot)[0]?.labels["exe"]).toBe("/usr/local/bin/node");

    // the app's end is not that of the exporter, nor of what it remembers
    const before = pair.inspect("exporter", "{{.State.Pid}} {{.RestartCount}}");
    pair.run("restart", "--timeout=5", "app");
    await until(
      "the restart",
      60,
      async () =>
        (await scrapeOf(pair)).sum("leakwatch_group_restarts_total", { group: slot.group }) === 1 || undefined,
    );
    expect(pair.inspect("exporter", "{{.State.Pid}} {{.RestartCount}}")).toBe(before);
  });
});

describe("compose/host.yml", () => {
  test("watches this whole machine, and with the engine's socket calls containers by their names", async () => {
    const image = inject("builtImages").DEMO_IMAGE;
    new Container([], ["node", "bounded-cache.js"], image); // under a name that the engine makes up
    const socketGroup = docker(
      "run",
      "--rm",
      "--volume=/var/run/docker.sock:/s:ro",
      inject("images").BUSYBOX_IMAGE.name,
      "stat",
      "-c",
      "%g",
      "/s",
    );
    const host = project(["compose/host.yml", "compose/host-names.yml"], { DOCKER_GID: socketGroup });
    host.up("exporter");
    await until("the neighbour by its image", 60, async () => {
      const groups = await groupsOf(host);
      return groups.includes(`${imageName(image)}/bounded-cache.js`) || undefined;
    });
    const found = await scrapeOf(host);
    // this very program, which is in no container
    expect(found.labelsOf(process.pid)?.["container_id"]).toBe("");
    expect(found.value("leakwatch_read_errors_total", { file: "engine", reason: "permission" })).toBeUndefined();
  });

  test("goes without names where the socket may not be opened, and says so", async () => {
    const host = project(["compose/host.yml", "compose/host-names.yml"], { DOCKER_GID: "65532" });
    host.up("exporter");
    const denied = (await scrapeOf(host)).value("leakwatch_read_errors_total", {
      file: "engine",
      reason: "permission",
    });
    expect(denied).toBeGreaterThanOrEqual(1);
    expect((await groupsOf(host)).length).toBeGreaterThan(3);
  });
});

describe("a service of one's own", () => {
  test("takes three lines", async () => {
    const lines = `services:
  shop:
    image: ${inject("builtImages").DEMO_IMAGE}
    pid: "service:pidns"
`;
    const own = project(["docker-compose.yml", temporaryFile("shop.yml", lines)]);
    own.up("exporter", "shop");
    await until("the service", 60, async () => (await groupsOf(own)).includes("unbounded-cache.js") || undefined);
  });
});
