// The exporter as users run it: the built program in a process or a container of its own, asked over HTTP.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { builtMain } from "./built.ts";
import { Container, exporterCommand } from "./container.ts";
import { type Labels, parseScrape, type Scrape } from "./scrape.ts";

/**
 * Passes as often as the configuration allows, and one more for each scrape, so that a scrape shows this moment. Only the
 * tests' own targets are watched: each is started with `--group=NAME`, and NAME is its group.
 */
export const onlyTargets = `
sampling: { interval: 500ms, max_age: 0s }
unmatched: ignore
groups:
  - name: "\${name}"
    match: { cmdline: ".* --group=(?<name>\\\\S+)( .*)?" }
`;

/** What can be asked of a running exporter, wherever it runs. */
export class RunningExporter {
  readonly url: string;
  readonly log: () => string;

  constructor(url: string, log: () => string) {
    this.url = url;
    this.log = log;
  }

  async scrape(headers: Record<string, string> = {}): Promise<Scrape> {
    const response = await fetch(`${this.url}/metrics`, { headers });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`scrape answered ${response.status}: ${body}`);
    return parseScrape(body);
  }

  /** Scrapes until the condition holds, and returns what it found; fails with the exporter's log when it never does. */
  async until<T>(what: string, condition: (scrape: Scrape) => T | undefined | false, seconds = 45): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    let scrape: Scrape | undefined;
    let error: unknown;
    while (Date.now() < deadline) {
      try {
        scrape = await this.scrape();
        const found = condition(scrape);
        if (found !== undefined && found !== false) return found;
      } catch (thrown) {
        error = thrown; // not listening yet
      }
      await wait(100);
    }
    const seen = scrape?.text.split("\n").filter((line) => /^leakwatch_(process|group)_/.test(line));
    throw new Error([`never seen: ${what}`, this.log(), ...(seen ?? [String(error)])].join("\n"));
  }

  /** The labels and values of the process with this id, as soon as it is watched. */
  untilWatched(pid: number): Promise<Labels> {
    return this.until(`process ${pid}`, (scrape) => scrape.labelsOf(pid));
  }
}

/** On this machine, as a child of the tests. */
export class ExporterProcess extends RunningExporter {
  readonly configFile: string;
  private readonly child: ChildProcess;

  private constructor(url: string, log: () => string, child: ChildProcess, configFile: string) {
    super(url, log);
    this.child = child;
    this.configFile = configFile;
  }

  /** Resolves when it listens. It is stopped when the test is over. */
  static async start({
    config = onlyTargets,
    args = [],
    launcher = [],
  }: {
    config?: string;
    args?: string[];
    launcher?: string[];
  } = {}) {
    const configFile = temporaryFile("leakwatch.yml", config);
    const command = [process.execPath, builtMain, "serve", "--web.listen-address=127.0.0.1:0"];
    const [first = "", ...rest] = [...launcher, ...command, `--config.file=${configFile}`, ...args];
    const child = spawn(first, rest, { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    onTestFinished(() => stop(child));
    const url = await logged(child, () => log, /listening url="?(http:[^\s"]+)/);
    return new ExporterProcess(url, () => log, child, configFile);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Exit status, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode ?? this.child.signalCode;
  }
}

/** In a container of the test image, listening on a loopback port of the engine's choice. */
export class ExporterContainer extends RunningExporter {
  readonly container: Container;

  /** `launcher` is a command that runs the one in its last argument. */
  constructor(
    options: readonly string[],
    args: readonly string[],
    config: string = onlyTargets,
    launcher?: readonly string[],
  ) {
    const configFile = "/etc/leakwatch.yml";
    const command = exporterCommand("serve", "--web.listen-address=:9847", `--config.file=${configFile}`, ...args);
    const container = new Container(
      ["--publish=127.0.0.1::9847", `--volume=${temporaryFile("leakwatch.yml", config)}:${configFile}:ro`, ...options],
      launcher === undefined ? command : [...launcher, command.join(" ")],
    );
    super(`http://${container.address(9847)}`, () => container.log());
    this.container = container;
  }
}

/** Ends a child process, in case of need by force, and waits for it. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  child.kill("SIGCONT"); // in case it was stopped
  const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(force);
}

/** What the pattern's first group matched in the log; fails with the log when the child ends without it. */
export async function logged(child: ChildProcess, log: () => string, pattern: RegExp, seconds = 30): Promise<string> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = pattern.exec(log())?.[1];
    if (found !== undefined) return found;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`did not start:\n${log()}`);
    await wait(20);
  }
}

/** A file of its own, removed when the test is over. */
export function temporaryFile(name: string, text: string): string {
  const file = path.join(temporaryFolder(), name);
  fs.writeFileSync(file, text);
  return file;
}

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-test-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
