// A real Alertmanager on loopback, and somebody who receives what it sends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { dump } from "js-yaml";
import { logged, stop } from "./exporter-process.ts";
import type { Labels } from "./scrape.ts";

/** An alert as Prometheus sends it. */
export interface SentAlert {
  readonly labels: Labels;
  readonly annotations?: Labels;
}

/** An alert as Alertmanager knows it. */
export interface KnownAlert {
  readonly labels: Labels;
  readonly status: { readonly state: "unprocessed" | "active" | "suppressed"; readonly inhibitedBy: readonly string[] };
}

export class Alertmanager {
  readonly url: string;
  readonly log: () => string;
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(url: string, log: () => string, child: ChildProcess, folder: string) {
    this.url = url;
    this.log = log;
    this.child = child;
    this.folder = folder;
  }

  static async start(config: object): Promise<Alertmanager> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-alertmanager-"));
    const file = path.join(folder, "alertmanager.yml");
    fs.writeFileSync(file, dump(config));
    const child = spawn(
      "prometheus-alertmanager",
      [
        `--config.file=${file}`,
        `--storage.path=${folder}`,
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=", // alone
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    try {
      const address = await logged(child, () => log, /"Listening on" address=(\S+)/);
      return new Alertmanager(`http://${address}`, () => log, child, folder);
    } catch (error) {
      await stop(child);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await stop(this.child);
    fs.rmSync(this.folder, { recursive: true });
  }

  async post(alerts: readonly SentAlert[]): Promise<void> {
    const body = JSON.stringify(alerts);
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${this.url}/api/v2/alerts`, { method: "POST", headers, body });
    if (response.status !== 200) throw new Error(`alerts were answered ${response.status}: ${await response.text()}`);
  }

  async alerts(): Promise<KnownAlert[]> {
    const response = await fetch(`${this.url}/api/v2/alerts`);
    return (await response.json()) as KnownAlert[];
  }
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: unknown;
}

/** Takes whatever JSON is posted to it. */
export class Receiver {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  private readonly server: http.Server;

  private constructor(server: http.Server, requests: readonly ReceivedRequest[]) {
    this.server = server;
    this.requests = requests;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Receiver> {
    const requests: ReceivedRequest[] = [];
    const server = http.createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      request.on("end", () => {
        requests.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(text) });
        // PagerDuty's answer to an event that it has taken; Slack and webhooks want no more than a 2xx
        response.writeHead(request.url?.startsWith("/pagerduty") ? 202 : 200).end("{}");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Receiver(server, requests);
  }

  /** Waits until the condition holds; fails with what came instead. */
  async until(what: string, condition: (requests: readonly ReceivedRequest[]) => boolean, seconds = 30): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!condition(this.requests)) {
      if (Date.now() > deadline) throw new Error(`never received: ${what}\n${JSON.stringify(this.requests, null, 1)}`);
      await wait(50);
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
