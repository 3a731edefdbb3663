// A Prometheus server of ours: on loopback, fed by remote write, evaluating the rules that it is given.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder, debianObstacle, unpackDebian } from "../support/debian.ts";
import { findProgram } from "../support/packages.ts";
import { CannotRun, folder, Program } from "./programs.ts";

/** What the rules API says of a group. */
export interface EvaluatedGroup {
  name: string;
  /** Seconds that its last evaluation took. */
  evaluationTime: number;
  lastEvaluation: string;
  rules: { name: string; evaluationTime: number; health: string; lastError?: string }[];
}

export class PrometheusServer {
  readonly url: string;
  readonly pid: number;
  private readonly program: Program;
  private readonly config: string;

  private constructor(program: Program, url: string, config: string) {
    this.program = program;
    this.pid = program.pid;
    this.url = url;
    this.config = config;
  }

  /** Starts empty and without rules. */
  static async start(path_: string): Promise<PrometheusServer> {
    const own = mkdtempSync(path.join(folder, "prometheus-"));
    const config = path.join(own, "prometheus.yml");
    writeFileSync(config, "global: {}\n");
    const program = new Program(path_, [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(own, "data")}`,
      "--storage.tsdb.retention.time=30d",
      "--web.listen-address=127.0.0.1:0",
      "--web.enable-remote-write-receiver",
      "--web.enable-lifecycle",
    ]);
    const [, address] = await program.says(/Listening on"?.* address=(127\.0\.0\.1:\d+)/);
    const server = new PrometheusServer(program, `http://${address}`, config);
    for (let tries = 0; tries < 200 && !program.ended; tries++) {
      const ready = await fetch(`${server.url}/-/ready`).catch(() => undefined);
      if (ready?.ok) return server;
      await sleep(100);
    }
    throw new CannotRun(`prometheus does not answer: ${program.output}`);
  }

  async write(request: Uint8Array<ArrayBuffer>): Promise<void> {
    const headers = {
      "content-encoding": "snappy",
      "content-type": "application/x-protobuf",
      "x-prometheus-remote-write-version": "0.1.0",
    };
    await this.post("/api/v1/write", request, headers);
  }

  /** Its rules from now on; text is YAML or JSON. */
  async loadRules(text: string): Promise<void> {
    const rules = path.join(path.dirname(this.config), "rules.yml");
    writeFileSync(rules, text);
    writeFileSync(this.config, `global: {}\nrule_files: [${JSON.stringify(rules)}]\n`);
    await this.post("/-/reload");
  }

  async groups(): Promise<EvaluatedGroup[]> {
    return ((await this.get("rules")) as { groups: EvaluatedGroup[] }).groups;
  }

  /** Value of an expression that gives one element; 0 when it gives none. */
  async value(expression: string): Promise<number> {
    const answer = (await this.get(`query?query=${encodeURIComponent(expression)}`)) as {
      result: { value: [number, string] }[];
    };
    return Number(answer.result[0]?.value[1] ?? 0);
  }

  /** One of its own metrics. */
  async own(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  private async get(what: string): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${what}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== "success") throw new Error(`prometheus, ${what}: ${answer.error}`);
    return answer.data;
  }

  private async post(where: string, body?: Uint8Array<ArrayBuffer>, headers = {}): Promise<void> {
    const response = await fetch(this.url + where, {
      method: "POST",
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (!response.ok)
      throw new Error(`prometheus, ${where}: ${response.status} ${(await response.text()).slice(0, 500)}`);
  }
}

/** The program that was named, else that of Debian's next release (unpacked, not installed), else what is installed. */
export function prometheusProgram(named: string | undefined): { path: string; version: string } {
  const found = named ?? newerPrometheus() ?? findProgram("prometheus");
  if (found === undefined) throw new CannotRun("Prometheus is needed: apt-get install prometheus");
  const said = execFileSync(found, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return { path: found, version: /version (\S+)/.exec(said)?.[1] ?? "of an unknown version" };
}

/** Debian 12 has 2.42; most people run 3.x. */
function newerPrometheus(): string | undefined {
  const unpacked = path.join(cacheFolder, "prometheus");
  const program = path.join(unpacked, "usr/bin/prometheus");
  try {
    if (!existsSync(program) && debianObstacle() === undefined) unpackDebian(["prometheus"], unpacked);
  } catch (error) {
    console.log(`A newer Prometheus could not be fetched: ${(error as Error).message.split("\n")[0]}`);
  }
  return existsSync(program) ? program : undefined;
}
