// What can be said of the compose files without an engine: who may reach what, and that all numbers come from one place.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { load, YAML11_SCHEMA } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ruleGroups } from "../../alerts/index.ts";
import { isAlert } from "../../alerts/rule.ts";
import { demo, scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { dashboardUids } from "../../catalog/links.ts";
import { rules, rulesAtSpeed } from "../../detection/rules.ts";
import packageJson from "../../package.json" with { type: "json" };

const repository = fileURLToPath(new URL("../..", import.meta.url));
const text = (file: string) => fs.readFileSync(path.join(repository, file), "utf8");

interface Service {
  image?: string;
  build?: unknown;
  ports?: string[];
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  mem_limit?: string;
  pid?: string;
  healthcheck?: object;
  depends_on?: Record<string, { condition: string }>;
  profiles?: string[];
  command?: string | string[];
  volumes?: unknown[];
}

/** As written: `${…}` stays. Compose knows `<<`, which is YAML 1.1, and tags of its own, which are looked through. */
function services(file: string): Record<string, Service> {
  const plain = text(file).replaceAll(/!(?:reset|override) ?/g, "");
  return (load(plain, { schema: YAML11_SCHEMA }) as { services: Record<string, Service> }).services;
}

const files = [
  "docker-compose.yml",
  "compose/stack.yml",
  "compose/sidecar.yml",
  "compose/host.yml",
  "compose/host-names.yml",
];
const all = files.flatMap((file) =>
  Object.entries(services(file)).map(([name, service]) => ({ at: `${file} ${name}`, service })),
);

describe("every service", () => {
  test("publishes ports on loopback only", () => {
    const published = all.flatMap(({ at, service }) => (service.ports ?? []).map((port) => [at, port]));
    expect(published.length).toBeGreaterThan(4);
    expect(published.filter(([, port]) => !port?.startsWith("127.0.0.1:"))).toEqual([]);
  });

  test("has an image that can be replaced, with an exact tag", () => {
    const images = all.flatMap(({ at, service }) => (service.image === undefined ? [] : [[at, service.image]]));
    const replaceable = /^\$\{[A-Z_]+_IMAGE(:-[\w./-]+:v?\d+\.\d+[\w.-]*|:\?.+)\}$/;
    expect(images.filter(([, image]) => !replaceable.test(image ?? ""))).toEqual([]);
  });

  test("has no privileges, and no capability", () => {
    for (const { at, service } of all) {
      expect(service.privileged, at).toBeUndefined();
      expect(service.cap_add, at).toBeUndefined();
    }
  });

  test("of docker-compose.yml gives up all capabilities, and writes to nothing but its volumes", () => {
    for (const [name, service] of Object.entries(services("docker-compose.yml"))) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
    }
  });
});

test("images of ours have this version as their tag", () => {
  const own = [...text("docker-compose.yml").matchAll(/:-(leakwatch[\w-]*):([\w.]+)/g)];
  expect(own.length).toBeGreaterThan(2);
  expect(own.map(([, , tag]) => tag)).toEqual(own.map(() => packageJson.version));
});

test("the PID namespace belongs to a service of its own: what joins it may come and go", () => {
  const { pidns, exporter, "unbounded-cache": target } = services("docker-compose.yml");
  expect(exporter?.pid).toBe("service:pidns");
  expect(target?.pid).toBe("service:pidns");
  expect(pidns?.pid).toBeUndefined();
});

test("the exporter has 96 MiB", () => {
  expect(services("docker-compose.yml")["exporter"]?.mem_limit).toBe("96m");
  expect(services("compose/host.yml")["exporter"]?.mem_limit).toBe("96m");
});

test("nothing else depends on Grafana, for there are machines that cannot have it", () => {
  for (const { at, service } of all) expect(Object.keys(service.depends_on ?? {}), at).not.toContain("grafana");
});

test("Prometheus keeps 15 days, for slow leaks need a week", () => {
  for (const file of ["docker-compose.yml", "compose/stack.yml"]) {
    expect(services(file)["prometheus"]?.command).toContain("--storage.tsdb.retention.time=15d");
  }
});

test("Grafana has the boards of its clock", () => {
  const mounts = (file: string) => services(file)["grafana"]?.volumes ?? [];
  expect(mounts("docker-compose.yml")).toContain("./compose/generated/demo/dashboards:/etc/grafana/dashboards:ro");
  expect(mounts("compose/stack.yml")).toContain("../dashboards/generated:/etc/grafana/dashboards:ro");
  const boards = Object.values(dashboardUids).map((uid) => `${uid}.json`);
  for (const folder of ["compose/generated/demo/dashboards", "dashboards/generated"])
    expect(fs.globSync("*.json", { cwd: path.join(repository, folder) }).toSorted()).toEqual(boards.toSorted());
});

describe("the scrape interval is one number", () => {
  test.each([
    ["on real time", "compose/generated", `${scrapeIntervalSeconds}s`],
    ["in the demo", "compose/generated/demo", `${demo.scrapeIntervalSeconds}s`],
  ])("%s", (_, folder, interval) => {
    const prometheus = load(text(`${folder}/prometheus.yml`)) as { global: { scrape_interval: string } };
    const grafana = load(text(`${folder}/grafana-datasource.yml`)) as {
      datasources: { jsonData: { timeInterval: string } }[];
    };
    expect(prometheus.global.scrape_interval).toBe(interval);
    expect(grafana.datasources.map(({ jsonData }) => jsonData.timeInterval)).toEqual([interval]);
  });
});

describe.each(demo.speeds)("a demo %i times faster than life", (speed) => {
  const named = (groups: ReturnType<typeof ruleGroups>) =>
    groups.map((group) => [group.name, group.rules.map((rule) => (isAlert(rule) ? rule.alert : rule.record))]);

  test("has the same rules under the same names, and waits so much shorter", () => {
    const fast = ruleGroups(rulesAtSpeed(rules, speed));
    const real = ruleGroups();
    expect(named(fast)).toEqual(named(real));
    expect(fast.map(({ interval }) => interval * speed)).toEqual(real.map(({ interval }) => interval));
    expect(text(`alerts/generated/demo/leakwatch-${speed}.rules.yml`)).toContain("# For the demo only");
  });

  test("has rules and routes that Prometheus and Alertmanager take", () => {
    check("promtool", "check", "rules", `alerts/generated/demo/leakwatch-${speed}.rules.yml`);
    check("amtool", "check-config", `compose/generated/demo/alertmanager-${speed}.yml`);
  });
});

test("the routes of real time are those that are shipped, with a page in place of the receivers", () => {
  interface Config {
    route: object;
    inhibit_rules: object[];
    receivers: { name: string; webhook_configs: { url: string }[] }[];
  }
  const ours = load(text("compose/generated/alertmanager.yml")) as Config;
  const shipped = load(text("alerts/alertmanager.yml")) as Config;
  expect(ours.inhibit_rules).toEqual(shipped.inhibit_rules);
  expect(ours.receivers.map(({ name }) => name)).toEqual(shipped.receivers.map(({ name }) => name));
  expect(ours.receivers.flatMap(({ webhook_configs }) => webhook_configs.map(({ url }) => url))).toEqual(
    ours.receivers.map(() => "http://notifications:8080/webhook"),
  );
  check("amtool", "check-config", "compose/generated/alertmanager.yml");
});

/** Throws with what the program has to say. */
function check(program: string, ...words: string[]): void {
  execFileSync(program, words, { cwd: repository, stdio: "pipe" });
}
