// Servers as Debian packages them, each in a folder of its own and behind a socket in it: as a supervisor runs them, in the foreground
// and started again when they end, or as daemons that the first process of all has adopted.

import { execFile, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { onTestFinished, vi } from "vitest";
import { findProgram } from "./packages.ts";

/** `supervised`: in the foreground, under what starts it again. `daemon`: in the background, with the first process as its parent. */
export type Mode = "supervised" | "daemon";

/** How one server is run in a folder. */
interface Program {
  /** What it is called by default. */
  readonly group: string;
  /** How many it has besides the master, once it is up. */
  readonly workers: number;
  readonly foreground: readonly string[];
  readonly daemon: readonly string[];
  /** Where the master writes its process id. */
  readonly pidFile: string;
  /** Asks the master to end, with all its workers. */
  readonly stopSignal: NodeJS.Signals;
  /** Asks it to read its configuration again, as its documentation says. */
  reload(master: number): void;
  /** When it last did; undefined where its workers are others then. */
  readonly reloadedAt?: () => string;
  /** Lets workers end while the master goes on, and says how many did at least. */
  recycle(): Promise<number>;
}

const run = (file: string, args: readonly string[]) => execFileSync(file, args, { encoding: "utf8", stdio: "pipe" });

/** A server that runs until the test is over. */
export class Service {
  readonly group: string;
  private readonly program: Program;
  private readonly mode: Mode;
  private readonly folder: string;

  private constructor(program: Program, mode: Mode, folder: string) {
    this.program = program;
    this.group = program.group;
    this.mode = mode;
    this.folder = folder;
  }

  /** Resolves when its master and all its workers run. */
  static async start(name: keyof typeof programs, mode: Mode): Promise<Service> {
    const folder = fs.mkdtempSync("/tmp/leakwatch-test-"); // the names of sockets must be short
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    fs.chmodSync(folder, 0o755);
    const service = new Service(programs[name](folder), mode, folder);
    onTestFinished(async () => {
      fs.rmSync(service.wanted, { force: true });
      await service.end();
    });
    service.launch();
    await service.until(() => service.isComplete);
    return service;
  }

  /** Its master and what that has started; empty while there is no master. */
  get processes(): number[] {
    const master = this.readMaster();
    return master === undefined ? [] : [master, ...childrenOf(master)];
  }

  get isComplete(): boolean {
    return this.processes.length === 1 + this.program.workers;
  }

  /** Resolves when it has done so. */
  async reload(): Promise<void> {
    const [master, ...workers] = this.processes;
    const { reloadedAt } = this.program;
    const before = reloadedAt?.();
    this.program.reload(master as number);
    await this.until(() => {
      if (reloadedAt !== undefined) return reloadedAt() !== before;
      return this.isComplete && !this.processes.some((pid) => workers.includes(pid));
    });
  }

  /** As nginx' documentation has it: the old master starts a new one, and is asked to leave when that is ready. */
  async upgrade(): Promise<void> {
    const [old] = this.processes;
    process.kill(old as number, "SIGUSR2");
    await this.until(() => this.isComplete && this.processes[0] !== old);
    await wait(2000); // as people do, who look first whether the new one works
    process.kill(old as number, "SIGQUIT");
    await this.until(() => !isRunning(old as number));
  }

  recycle(): Promise<number> {
    return this.program.recycle();
  }

  /** Ends it with all its workers. Who supervises it starts it again, else this does. */
  async restart(): Promise<void> {
    const [before] = this.processes;
    await this.end();
    if (this.mode === "daemon") this.launch();
    await this.until(() => this.isComplete && this.processes[0] !== before);
  }

  /** While this file is there, the supervisor starts it again. */
  private get wanted(): string {
    return path.join(this.folder, "wanted");
  }

  private launch(): void {
    if (this.mode === "daemon") {
      const [file = "", ...args] = this.program.daemon;
      execFileSync(file, args, { stdio: "ignore" });
      return;
    }
    fs.writeFileSync(this.wanted, "");
    const script = path.join(this.folder, "supervise.sh");
    fs.writeFileSync(script, `while [ -e ${this.wanted} ]; do "$@"; sleep 0.1; done\n`);
    // in a session of its own and left to the first process, as what keeps services running is
    spawn("sh", ["-c", 'setsid sh "$@" &', "sh", script, ...this.program.foreground], { stdio: "ignore" });
  }

  private async end(): Promise<void> {
    const { processes } = this;
    const [master] = processes;
    if (master === undefined) return;
    process.kill(master, this.program.stopSignal);
    await this.until(() => !processes.some(isRunning));
  }

  private async until(condition: () => boolean): Promise<void> {
    await vi.waitUntil(condition, { timeout: 30_000, interval: 50 });
  }

  private readMaster(): number | undefined {
    try {
      const pid = Number.parseInt(fs.readFileSync(this.program.pidFile, "utf8"), 10);
      return pid > 0 && isRunning(pid) ? pid : undefined;
    } catch {
      return undefined; // not written yet, or removed
    }
  }
}

export const programs = { nginx, gunicorn, postgres, phpFpm } as const;

function nginx(folder: string): Program {
  const file = findProgram("nginx") as string;
  const configFile = path.join(folder, "nginx.conf");
  const pidFile = path.join(folder, "pid");
  fs.writeFileSync(
    configFile,
    `user root;
worker_processes 4;
pid ${pidFile};
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder};`).join("\n  ")}
  server { listen unix:${folder}/socket; location / { return 200; } }
}
`,
  );
  return {
    group: "nginx",
    workers: 4,
    foreground: [file, "-c", configFile, "-g", "daemon off;"],
    daemon: [file, "-c", configFile],
    pidFile,
    stopSignal: "SIGTERM",
    reload: () => run(file, ["-c", configFile, "-s", "reload"]),
    async recycle() {
      run(file, ["-c", configFile, "-s", "reload"]); // nginx renews its workers in no other way
      return 4;
    },
  };
}

function gunicorn(folder: string): Program {
  const pidFile = path.join(folder, "pid");
  const socket = path.join(folder, "socket");
  fs.writeFileSync(
    path.join(folder, "shop.py"),
    'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"ok"]\n',
  );
  const command = [
    findProgram("gunicorn") as string,
    `--chdir=${folder}`,
    `--bind=unix:${socket}`,
    `--pid=${pidFile}`,
    "--workers=3",
    "--max-requests=4",
    "--worker-tmp-dir=/dev/shm",
  ];
  return {
    group: "shop/gunicorn",
    workers: 3,
    foreground: [...command, "shop:app"],
    daemon: [...command, "--daemon", "shop:app"],
    pidFile,
    stopSignal: "SIGTERM",
    reload: (master) => process.kill(master, "SIGHUP"),
    async recycle() {
      // three workers that end with their fourth request each cannot answer ten
      for (let request = 0; request < 10; request++) await get(socket);
      return 1;
    },
  };
}

function phpFpm(folder: string): Program {
  const pidFile = path.join(folder, "pid");
  const socket = path.join(folder, "socket");
  const configFile = path.join(folder, "php-fpm.conf");
  const script = path.join(folder, "index.php");
  fs.writeFileSync(script, "ok");
  fs.writeFileSync(
    configFile,
    `[global]
pid = ${pidFile}
error_log = ${folder}/error.log
[www]
user = www-data
listen = ${socket}
pm = static
pm.max_children = 3
pm.max_requests = 4
`,
  );
  const file = findProgram("php-fpm[0-9]*") as string;
  return {
    group: "php-fpm",
    workers: 3,
    foreground: [file, "--nodaemonize", "--fpm-config", configFile],
    daemon: [file, "--daemonize", "--fpm-config", configFile],
    pidFile,
    stopSignal: "SIGTERM",
    reload: (master) => process.kill(master, "SIGUSR2"),
    async recycle() {
      // three workers that end with their fourth request each cannot answer ten
      for (let request = 0; request < 10; request++) await askFastCgi(socket, script);
      return 1;
    },
  };
}

function postgres(folder: string): Program {
  const bin = fs.globSync("/usr/lib/postgresql/*/bin").at(-1) as string;
  const data = path.join(folder, "data");
  // it refuses to run as root
  const asUser = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
  const program = (name: string, ...args: string[]) => [...asUser, path.join(bin, name), ...args];
  const runAs = (...words: string[]) => run(words[0] as string, words.slice(1));
  run("chown", ["postgres", folder]);
  runAs(...program("initdb", "--no-sync", "--auth=trust", "-D", data));
  fs.appendFileSync(
    path.join(data, "postgresql.conf"),
    `listen_addresses = ''\nunix_socket_directories = '${folder}'\n`,
  );
  const psql = (sql: string) => program("psql", "-h", folder, "-c", sql, "postgres");
  return {
    group: "postgres",
    workers: 5, // checkpointer, two writers, autovacuum and replication launchers
    foreground: program("postgres", "-D", data),
    daemon: program("pg_ctl", "start", "-w", "-D", data, "-l", path.join(folder, "log")),
    pidFile: path.join(data, "postmaster.pid"),
    stopSignal: "SIGINT",
    reload: () => runAs(...program("pg_ctl", "reload", "-D", data)),
    reloadedAt: () => runAs(...psql("select pg_conf_load_time()")),
    async recycle() {
      const [file = "", ...args] = psql("select pg_sleep(1.5)"); // longer than a sampling interval
      for (let connection = 0; connection < 3; connection++) await promisify(execFile)(file, args);
      return 3;
    },
  };
}

/** One GET over a unix socket, to its end. */
function get(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath, path: "/", agent: false }, (response) => response.resume().once("end", resolve))
      .once("error", reject);
  });
}

/** One request over FastCGI, to its end. https://fastcgi-archives.github.io/FastCGI_Specification.html */
function askFastCgi(socketPath: string, script: string): Promise<void> {
  const record = (type: number, content: Buffer) => {
    const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
    head.writeUInt16BE(content.length, 4);
    return Buffer.concat([head, content]);
  };
  const [begin, params, stdin] = [1, 4, 5];
  const responder = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]);
  const variables = Object.entries({ SCRIPT_FILENAME: script, REQUEST_METHOD: "GET" }).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
  );
  const empty = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const connection = net.connect(socketPath);
    connection.once("error", reject).once("close", () => resolve());
    connection.resume();
    connection.write(record(begin, responder));
    connection.write(record(params, Buffer.concat(variables)));
    connection.write(record(params, empty));
    connection.write(record(stdin, empty));
  });
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Of the main thread, which forks the workers in all of these. */
function childrenOf(pid: number): number[] {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
