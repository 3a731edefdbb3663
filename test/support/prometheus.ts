// A real Prometheus server on loopback, with data and configuration of its own.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { logged, stop, temporaryFile, temporaryFolder } from "./exporter-process.ts";
import type { Labels } from "./scrape.ts";

/** One element of an instant query's result. */
export interface QueryResult {
  metric: Labels;
  value: number;
}

const scrapeJob = (name: string, urls: readonly string[]) =>
  `{ job_name: ${name}, static_configs: [{ targets: ${JSON.stringify(urls.map((url) => new URL(url).host))} }] }`;

/** A port that was free a moment ago: a server that scrapes itself must know its own before it starts. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export class Prometheus {
  readonly url: string;
  /** What it logged so far, failed scrapes included. */
  readonly log: () => string;

  private constructor(url: string, log: () => string) {
    this.url = url;
    this.log = log;
  }

  /** Scrapes these URLs once a second, until the test is over. */
  static start(...targets: string[]): Promise<Prometheus> {
    return Prometheus.withRules([], ...targets);
  }

  /** The same with these rule files. */
  static withRules(ruleFiles: readonly string[], ...targets: string[]): Promise<Prometheus> {
    return Prometheus.launch(
      `global: { scrape_interval: 1s, scrape_timeout: 1s }
rule_files: ${JSON.stringify(ruleFiles)}
scrape_configs:
  - ${scrapeJob("leakwatch", targets)}
`,
    );
  }

  /** As users set it up: the shipped rules, a usual scrape interval, and itself among the targets. */
  static async asInstalled(ruleFile: string, scrapeInterval: string, target: string): Promise<Prometheus> {
    const port = await freePort();
    return Prometheus.launch(
      `global: { scrape_interval: ${scrapeInterval} }
rule_files: ${JSON.stringify([ruleFile])}
scrape_configs:
  - ${scrapeJob("leakwatch", [target])}
  - ${scrapeJob("prometheus", [`http://127.0.0.1:${port}`])}
`,
      port,
    );
  }

  private static async launch(configuration: string, port = 0): Promise<Prometheus> {
    const config = temporaryFile("prometheus.yml", configuration);
    const server = spawn(
      "prometheus",
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(temporaryFolder(), "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=debug", // the level of failed scrapes
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    onTestFinished(() => stop(server));
    const address = await logged(server, () => log, /"Listening on" address=(\S+)/);
    return new Prometheus(`http://${address}`, () => log);
  }

  async query(expression: string): Promise<QueryResult[]> {
    const { result } = (await this.api("query", { query: expression })) as {
      result: { metric: Labels; value: [time: number, text: string] }[];
    };
    return result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
  }

  /** Asks until the condition holds, and returns the result; fails with the log when it never does. */
  async until(expression: string, condition: (result: QueryResult[]) => boolean, seconds = 30): Promise<QueryResult[]> {
    const deadline = Date.now() + seconds * 1000;
    let result: QueryResult[] = [];
    while (Date.now() < deadline) {
      result = await this.query(expression).catch(() => []); // not ready yet
      if (condition(result)) return result;
      await wait(200);
    }
    throw new Error(`${expression} is ${JSON.stringify(result)}\n${this.log().slice(-2000)}`);
  }

  /** The `data` of an answer of its HTTP API. */
  async api(endpoint: string, parameters: Record<string, string>): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${endpoint}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== "success") throw new Error(`${endpoint}: ${answer.error}`);
    return answer.data;
  }
}

/** What `promtool check metrics` has to say about an exposition; nothing is good. */
export function promtoolComplaints(exposition: string): string {
  const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: exposition,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  return status === 0 ? "" : stdout + stderr || `exit status ${status}`;
}
