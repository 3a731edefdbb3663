// The configuration file, and who has the port: with real listeners on loopback.

import { once } from "node:events";
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { observeSetup, type SetupFacts } from "../../exporter/doctor/setup.ts";
import { configurationSections, exporterSections } from "../../exporter/doctor/setup-checks.ts";
import { fakeMachine } from "../support/machine.ts";
import { makeCertificate, temporaryFolder } from "../web/support.ts";
import { answering } from "./answers.ts";
import { finding, setupFacts } from "./facts.ts";

const observe = (address: string, configFile?: string) =>
  observeSetup({ configFile, address, telemetryPath: "/metrics" });
const port = (facts: SetupFacts) => finding(exporterSections, "exporter.port", facts);
const config = (facts: SetupFacts) => finding(configurationSections, "config.file", facts);

function configFile(text: string): string {
  const machine = fakeMachine(); // any folder that is removed afterwards
  machine.write("leakwatch.yml", text);
  return machine.path("leakwatch.yml");
}

describe("the configuration file", () => {
  test("there is none", () => {
    expect(config(setupFacts())).toMatchObject({
      status: "ok",
      sentence: expect.stringContaining("no configuration file"),
    });
  });

  test("a valid one", async () => {
    const file = configFile("groups: [{ name: api, match: { uid: 7 } }]\nunmatched: ignore\n");
    expect(config(await observe("127.0.0.1:0", file))).toMatchObject({
      status: "ok",
      sentence: `${file} is valid: 1 rule in groups, 0 in ignore, unmatched processes are ignored.`,
    });
  });

  test("a wrong one: the line, and the rest is about the default", async () => {
    const file = configFile("groups: 7\n");
    const facts = await observe("127.0.0.1:0", file);
    expect(facts.config.groups).toEqual([]);
    expect(config(facts)).toMatchObject({
      status: "failure",
      sentence: `The configuration is refused: ${file}:1: groups: expected a list, got 7.`,
    });
  });
});

describe("the port", () => {
  const exporter = (ready: readonly [number, string]) =>
    answering({
      "/metrics": [200, 'leakwatch_build_info{version="0.1.0",revision="abc",node_version="v24.1.0"} 1\n'],
      "/-/ready": ready,
    });
  const addressOf = ({ url }: { url: string }) => new URL(url).host;

  test("is free", async () => {
    expect(port(await observe("127.0.0.1:0"))).toMatchObject({
      status: "ok",
      sentence: expect.stringContaining("is free"),
    });
  });

  test("has leakwatch on it", async () => {
    const address = addressOf(await exporter([200, "ready\n"]));
    expect(port(await observe(address))).toMatchObject({
      status: "ok",
      sentence: `leakwatch 0.1.0 serves on ${address} and is ready.`,
    });
  });

  test("has leakwatch on it, which is not ready", async () => {
    const address = addressOf(await exporter([503, "the last pass was 60 s ago\n"]));
    expect(port(await observe(address))).toMatchObject({
      status: "warning",
      sentence: `leakwatch 0.1.0 serves on ${address} but is not ready: the last pass was 60 s ago.`,
    });
  });

  test("has leakwatch on it, with a certificate of its own making", async () => {
    const { cert, key } = makeCertificate(temporaryFolder(), "server");
    const pair = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
    const server = https.createServer(pair, (request, response) => {
      response.end(request.url === "/metrics" ? 'leakwatch_build_info{version="0.1.0"} 1\n' : "ready\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port: number } = server.address() as net.AddressInfo;
    expect(port(await observe(`127.0.0.1:${number}`))).toMatchObject({
      status: "ok",
      sentence: `leakwatch 0.1.0 serves on 127.0.0.1:${number} and is ready.`,
    });
  });

  test("has somebody on it who wants a password", async () => {
    const address = addressOf(await answering({ "/metrics": [401, "Unauthorized"] }));
    expect(port(await observe(address))).toMatchObject({
      status: "unknown",
      sentence: expect.stringContaining("(401)"),
    });
  });

  test("has another exporter on it", async () => {
    const address = addressOf(await answering({ "/metrics": [200, "node_boot_time_seconds 1\n"] }));
    expect(port(await observe(address))).toMatchObject({
      status: "failure",
      sentence: expect.stringContaining("without leakwatch's series"),
    });
  });

  test("has something on it that hangs up", async () => {
    const server = net.createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port: number } = server.address() as net.AddressInfo;
    expect(port(await observe(`127.0.0.1:${number}`))).toMatchObject({
      status: "failure",
      sentence: expect.stringContaining("a program that speaks neither HTTP nor HTTPS (socket hang up)"),
    });
  });

  test("is that of another machine", async () => {
    expect(port(await observe("192.0.2.1:9847"))).toMatchObject({ status: "failure" }); // TEST-NET-1, RFC 5737
  });
});
