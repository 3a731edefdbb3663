// A real Prometheus server on a database of ours: on loopback, on a free port, scraping nothing.

import fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { MiB } from "../../catalog/defaults.ts";
import { CommandError } from "../terminal/command-error.ts";
import { PrometheusApi } from "./api.ts";
import { lastLines, type Program, type Workspace } from "./workspace.ts";

/** Seconds. */
const startsWithin = 60;
const queryWithin = 600;
/** What is asked for is bounded by its points; a text cannot be longer. Bytes. */
const largestRange = 511 * MiB;

export class PrometheusServer {
  readonly api: PrometheusApi;
  private readonly program: Program;

  private constructor(program: Program, url: string) {
    this.program = program;
    this.api = new PrometheusApi(url, { timeoutSeconds: queryWithin, largestRange });
  }

  /** Resolves when it answers. It sees the blocks that are in the folder now. */
  static async start(workspace: Workspace, data: string): Promise<PrometheusServer> {
    const config = workspace.path("prometheus.yml");
    fs.writeFileSync(config, "global: {}\n");
    const program = workspace.start("prometheus", [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      "--storage.tsdb.retention.time=100y", // the traces may be from any time
      "--web.listen-address=127.0.0.1:0",
      "--query.max-samples=1000000000",
      `--query.timeout=${queryWithin}s`,
    ]);
    const deadline = Date.now() + startsWithin * 1000;
    const failed = () =>
      new CommandError(`prometheus did not start: ${lastLines(program.output()) || "it says nothing"}`, 1);
    const until = async <T>(condition: () => T | undefined | Promise<T | undefined>): Promise<T> => {
      for (;;) {
        const found = await condition();
        if (found !== undefined) return found;
        if (program.child.exitCode !== null || program.child.signalCode !== null || Date.now() > deadline)
          throw failed();
        await wait(20);
      }
    };
    // the port is chosen by the kernel, and told in the log
    const url = await until(() => /Listening on"?.* address=(127\.0\.0\.1:\d+)/.exec(program.output())?.[1]);
    const server = new PrometheusServer(program, `http://${url}`);
    await until(() =>
      fetch(`${server.api.url}/-/ready`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    );
    return server;
  }

  /** It has written nothing that is needed again. */
  async stop(): Promise<void> {
    const { child } = this.program;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}
