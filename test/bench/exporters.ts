// The exporters that are compared: ours, as it is built and shipped, and Debian's prometheus-process-exporter.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Scraper } from "./measure.ts";
import { CannotRun, folder, Program } from "./programs.ts";

export class RunningExporter {
  readonly pid: number;
  readonly scraper: Scraper;
  private readonly program: Program;

  constructor(program: Program, url: string) {
    this.program = program;
    this.pid = program.pid;
    this.scraper = new Scraper(url);
  }

  async stop(): Promise<void> {
    this.scraper.close();
    await this.program.stop();
  }
}

/** Every scrape takes a new sample. The farm's processes are grouped by their short name, as the peer groups them. */
const ourConfig = `
sampling:
  max_age: 0s
groups:
  - name: "\${name}"
    match: { name: "(?<name>farm-.*)" }
`;

/** Run by the Node.js that runs the bench, which npm finds in node_modules/.bin. */
export async function startOurs({ alone = false, procfs = "/proc", configured = true } = {}): Promise<RunningExporter> {
  const main = fileURLToPath(new URL("../../dist/exporter/main.js", import.meta.url));
  if (!existsSync(main)) throw new CannotRun(`${main} is missing: npm run build`);
  const config = path.join(folder, "leakwatch.yml");
  writeFileSync(config, ourConfig);
  const configuration = configured ? [`--config.file=${config}`] : [];
  const options = [...configuration, "--web.listen-address=127.0.0.1:0", `--path.procfs=${procfs}`];
  const program = new Program(process.execPath, [main, "serve", ...options], { alone });
  const [, url] = await program.says(/msg=listening url=(\S+)/);
  return new RunningExporter(program, `${url}/metrics`);
}

const peerConfig = `
process_names:
  - name: "{{.Comm}}"
    cmdline: ['.+']
`;

/** With what costs it most, smaps and threads, switched off. */
export async function startPeer({ alone = false } = {}): Promise<RunningExporter> {
  const config = path.join(folder, "process-exporter.yml");
  writeFileSync(config, peerConfig);
  const address = `127.0.0.1:${await freePort()}`;
  const options = ["-config.path", config, "-web.listen-address", address, "-gather-smaps=false", "-threads=false"];
  const program = new Program(peerProgram(), options, { alone });
  const exporter = new RunningExporter(program, `http://${address}/metrics`);
  for (let tries = 0; tries < 100 && !program.ended; tries++) {
    const answered = await exporter.scraper.scrape("plain").catch(() => sleep(100));
    if (answered !== undefined) return exporter;
  }
  throw new CannotRun(`process-exporter does not answer: ${program.output}`);
}

const peerName = "prometheus-process-exporter";

/** Installed, or unpacked from its Debian package: an installation would start it as a service on every interface. */
function peerProgram(): string {
  const cache = fileURLToPath(new URL(`../.cache/${peerName}`, import.meta.url));
  const places = [...(process.env["PATH"] ?? "").split(":"), "/usr/bin", path.join(cache, "usr/bin")];
  const find = () => places.map((place) => path.join(place, peerName)).find((file) => existsSync(file));
  const found = find();
  if (found !== undefined) return found;
  unpackPeer(cache);
  return find() ?? cannotRunWithoutPeer("its package does not contain it");
}

function unpackPeer(cache: string): void {
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: cache, stdio: ["ignore", "ignore", "pipe"], timeout: 120_000 });
  try {
    mkdirSync(cache, { recursive: true });
    try {
      run("apt-get", "download", peerName);
    } catch {
      run("apt-get", "update"); // a fresh image has no lists of packages
      run("apt-get", "download", peerName);
    }
    run("sh", "-c", `dpkg-deb --extract ${peerName}_*.deb .`);
  } catch (error) {
    cannotRunWithoutPeer((error as Error).message);
  }
}

function cannotRunWithoutPeer(reason: string): never {
  throw new CannotRun(`Debian's ${peerName} is needed to compare with: apt-get install ${peerName}\n${reason}`);
}

/** A port that was free a moment ago; the peer does not say which one it got. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
