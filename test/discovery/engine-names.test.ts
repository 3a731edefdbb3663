import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { engineRefreshSeconds } from "../../catalog/defaults.ts";
import { EngineNames, parseContainerNames } from "../../exporter/discovery/engine-names.ts";
import { Failures } from "../../exporter/failures.ts";
import { createLogger } from "../../exporter/log.ts";

const api = "4f1e".repeat(16);
const web = "77aa".repeat(16);

describe("parseContainerNames", () => {
  test("takes a container's own name, not those of links to it", () => {
    const json = JSON.stringify([{ Id: api, Names: ["/web/backend", "/shop-api-1"] }]);
    expect(parseContainerNames(json)).toEqual(new Map([[api, "shop-api-1"]]));
  });

  test.each([
    ["without a name", [{ Id: api, Names: [] }]],
    ["without names", [{ Id: api }]],
    ["without an id", [{ Names: ["/api"] }]],
  ])("leaves out a container %s", (_, list) => {
    expect(parseContainerNames(JSON.stringify(list)).size).toBe(0);
  });

  test.each([
    ["a web page", "<html>", "is not JSON"],
    ["an error of the engine", '{"message":"page not found"}', "is no list"],
  ])("rejects %s", (_, text, message) => {
    expect(() => parseContainerNames(text)).toThrow(message);
  });
});

describe("EngineNames", () => {
  test("knows containers by what the engine says, and asks for nothing else", async () => {
    const engine = await fakeEngine();
    engine.answer = [{ Id: api, Names: ["/api"] }];
    const { names } = namesFrom(engine.socket);
    await names.refreshIfDue();
    expect(names.of(api)?.container).toBe("api");
    expect(names.of(undefined)).toBeUndefined();
    expect(engine.requests).toEqual(["GET /containers/json"]);
  });

  test("asks again when the time has come, sooner when it has met a container that it does not know", async () => {
    const engine = await fakeEngine();
    const { names, clock, changes } = namesFrom(engine.socket);
    await names.refreshIfDue();
    engine.answer = [{ Id: web, Names: ["/web"] }];
    clock.now += 5;
    await names.refreshIfDue();
    expect(engine.requests).toHaveLength(1);
    expect(names.of(web)).toBeUndefined();
    await names.refreshIfDue();
    expect(names.of(web)?.container).toBe("web");
    expect(changes()).toBe(1);
    clock.now += engineRefreshSeconds;
    await names.refreshIfDue();
    expect([engine.requests.length, changes()]).toEqual([3, 1]);
  });

  test("keeps what it knew, and counts the failure, when the engine answers no more", async () => {
    const engine = await fakeEngine();
    engine.answer = [{ Id: api, Names: ["/api"] }];
    const { names, clock, failures } = namesFrom(engine.socket);
    await names.refreshIfDue();
    engine.status = 500;
    clock.now += engineRefreshSeconds;
    await names.refreshIfDue();
    expect(names.of(api)?.container).toBe("api");
    expect([...failures]).toEqual([{ file: "engine", reason: "io", count: 1 }]);
  });

  test.each([
    ["is not there", "absent", () => "/nowhere/docker.sock"],
    ["is no socket", "io", () => fileIn(temporaryFolder())],
  ])("goes without names when the socket %s", async (_, reason, socket) => {
    const { names, failures } = namesFrom(socket());
    await names.refreshIfDue();
    expect([...failures]).toEqual([{ file: "engine", reason, count: 1 }]);
  });
});

function namesFrom(socket: string) {
  const clock = { now: 1000, monotonic: () => clock.now };
  const failures = new Failures(createLogger("error", "logfmt"));
  let changes = 0;
  const names = new EngineNames({ socket, failures, clock, onChange: () => changes++ });
  return { names, clock, failures, changes: () => changes };
}

/** Says what it is told to say, and remembers what it was asked. */
async function fakeEngine() {
  const socket = path.join(temporaryFolder(), "docker.sock");
  const engine = { socket, status: 200, answer: [] as object[], requests: [] as string[] };
  const server = http.createServer((request, response) => {
    engine.requests.push(`${request.method} ${request.url}`);
    response.writeHead(engine.status).end(JSON.stringify(engine.answer));
  });
  server.listen(socket);
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return engine;
}

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-test-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fileIn(folder: string): string {
  const file = path.join(folder, "docker.sock");
  fs.writeFileSync(file, "");
  return file;
}
