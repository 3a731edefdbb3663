// A real server on a loopback port in front of a machine made of files, and requests as a client sends them.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { onTestFinished, vi } from "vitest";
import { defaultConfig } from "../../exporter/config/config.ts";
import { Exporter } from "../../exporter/exporter.ts";
import { createLogger } from "../../exporter/log.ts";
import { type ListenOptions, listen } from "../../exporter/web/server.ts";
import { WebConfigFile } from "../../exporter/web/web-config.ts";
import { type FakeMachine, fakeMachine } from "../support/machine.ts";

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

/** One request on a connection of its own. Nothing is decompressed, followed or trusted by itself. */
export function request(url: string, options: https.RequestOptions = {}): Promise<Answer> {
  const { request: send } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const sent = send(url, { agent: false, timeout: 10_000, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
      });
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.end();
  });
}

/** A connection on which a test decides what is sent and when it is read. Nothing is read before `socket.resume()`. */
export class RawClient {
  readonly socket: net.Socket;
  /** What was read. */
  text = "";
  closed = false;

  constructor(port: number, { allowHalfOpen = false } = {}) {
    this.socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen });
    this.socket.on("data", (data) => {
      this.text += data.toString("latin1");
    });
    this.socket.pause();
    this.socket.on("error", () => undefined); // a reset is a way to be closed
    this.socket.on("close", () => {
      this.closed = true;
    });
    onTestFinished(() => void this.socket.destroy());
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Reads on until the server closes the connection. */
  async untilClosed(): Promise<string> {
    this.socket.resume();
    await vi.waitUntil(() => this.closed, { timeout: 30_000 });
    return this.text;
  }

  /** Reads on until the text is there. Throws when the server closes the connection before. */
  async until(text: string): Promise<string> {
    this.socket.resume();
    await vi.waitUntil(() => this.text.includes(text) || this.closed, { timeout: 30_000 });
    if (!this.text.includes(text)) throw new Error(`closed before "${text}" came`);
    return this.text;
  }
}

/** Serves the machine until the test has finished. */
export async function serve(
  options: {
    machine?: FakeMachine;
    configFile?: string;
    webConfigFile?: string;
    telemetryPath?: string;
    enableLifecycle?: boolean;
    limits?: Partial<ListenOptions>;
  } = {},
) {
  const { machine = fakeMachine(), configFile, webConfigFile, telemetryPath = "/metrics" } = options;
  const { enableLifecycle = false, limits = {} } = options;
  const logged: string[] = [];
  const log = createLogger("info", "logfmt", (line) => logged.push(line));
  const exporter = new Exporter({
    roots: { root: machine.root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" },
    config: defaultConfig,
    configFile,
    log,
    clock: machine.clock,
  });
  const webConfig = await WebConfigFile.open(webConfigFile);
  const { server, port } = await listen(
    { exporter, webConfig, telemetryPath, enableLifecycle, log },
    { host: "127.0.0.1", port: 0 },
    limits,
  );
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await exporter.stop();
  });
  const origin = `${webConfig.current.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return {
    machine,
    exporter,
    server,
    logged,
    port,
    origin,
    get: (place: string, headers: Record<string, string> = {}, more: https.RequestOptions = {}) =>
      request(origin + place, { headers, ...more }),
  };
}

/** A web configuration file. */
export function webFile(text: string, folder = temporaryFolder()): string {
  const file = path.join(folder, "web.yml");
  fs.writeFileSync(file, text);
  return file;
}

/** A folder that is removed when the test has finished. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-web-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes `<name>.pem` and `<name>.key` for 127.0.0.1, signed by itself. */
export function makeCertificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -batch";
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...words.split(" "), ...subject, "-out", cert, "-keyout", key], { stdio: "pipe" });
  return { cert, key };
}
