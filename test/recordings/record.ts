// Records the memory of real services, side by side, for as long as it is told.
//   node test/recordings/record.ts [--minutes 55] [--only ID,ID] [OUTDIR]
//   node test/recordings/record.ts --relabel [OUTDIR]

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import zlib from "node:zlib";
import { MiB } from "../support/fixtures.ts";
import type { End, Known, Label } from "./labels.ts";
import { type RunningLoad, startLoad } from "./load.ts";
import { childrenOf, sampleOf, uptime } from "./sampler.ts";
import { type Place, type Service, services } from "./services.ts";
import { makeTools } from "./tools.ts";

/** Seconds. */
const interval = 5;
const pauseBeforeRestart = 3;

/** One service while it is recorded. */
class Recording {
  readonly service: Service;
  private readonly place: Place;
  private readonly zero: number;
  /** By slot. */
  private readonly rows: string[][];
  private readonly slots: (number | undefined)[];
  private readonly ends: End[] = [];
  private command: string[] = [];
  private child: ChildProcess | undefined;
  private load: RunningLoad | undefined;
  private stopped = false;

  constructor(service: Service, place: Place, zero: number) {
    this.service = service;
    this.place = place;
    this.zero = zero;
    const count = service.workers?.count ?? 1;
    this.rows = Array.from({ length: count }, () => []);
    this.slots = new Array(count).fill(undefined);
  }

  start(): void {
    const { service, place } = this;
    fs.mkdirSync(place.folder, { recursive: true });
    service.setUp?.(place);
    this.launch();
  }

  startLoad(): void {
    const load = this.service.load?.(this.place);
    if (load !== undefined) this.load = startLoad(load);
  }

  sample(): void {
    const root = this.child?.pid;
    if (root === undefined) return;
    const { workers } = this.service;
    this.assignSlots(workers === undefined ? [root] : childrenOf(root, workers.title));
    const now = uptime();
    this.slots.forEach((pid, slot) => {
      const sample = pid === undefined ? undefined : sampleOf(pid);
      if (sample === undefined) return;
      const { startTime, resident, anon, shmem, swap } = sample;
      const times = [now, startTime].map((time) => (time - this.zero).toFixed(1));
      this.rows[slot]?.push([...times, resident, anon, shmem, swap].join(","));
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.load?.stop();
    await Promise.all([endGroup(this.child), endGroup(this.load?.child)]);
  }

  /** Its label, after its rows are written. */
  write(folder: string): Label {
    const { id } = this.service;
    const files = this.rows.map((rows, slot) => {
      const file = this.rows.length > 1 ? `${id}.w${slot}.csv.gz` : `${id}.csv.gz`;
      const text = `${["t_seconds,start_seconds,resident_kib,anon_kib,shmem_kib,swap_kib", ...rows].join("\n")}\n`;
      fs.writeFileSync(path.join(folder, "traces", file), zlib.gzipSync(text, { level: 9 }));
      return file;
    });
    return { ...known(this.service), files, command: this.command, ends: this.ends };
  }

  /** A worker keeps its slot as long as it lives; a new one takes the first that is free. */
  private assignSlots(pids: readonly number[]): void {
    this.slots.forEach((pid, slot) => {
      if (pid !== undefined && !pids.includes(pid)) this.slots[slot] = undefined;
    });
    for (const pid of pids) {
      if (this.slots.includes(pid)) continue;
      const free = this.slots.indexOf(undefined);
      if (free >= 0) this.slots[free] = pid;
    }
  }

  private launch(): void {
    const { service, place } = this;
    fs.rmSync(place.socket, { force: true }); // of the life before
    const command = service.command(place);
    this.command = command.map((word) => word.replaceAll(`${place.folder}/`, "").replace(/^(--\S+=)?\/\S*\//, "$1"));
    const [file = "", ...words] = service.memoryLimit === undefined ? command : inCgroup(service, command);
    const errors = fs.openSync(path.join(place.folder, "stderr"), "a");
    const child = spawn(file, words, {
      cwd: place.folder,
      detached: true, // in a process group of its own: its workers end with it
      env: { ...process.env, ...service.environment },
      stdio: ["ignore", "ignore", errors],
    });
    fs.closeSync(errors);
    child.once("exit", (code, signal) => {
      if (this.stopped) return;
      this.ends.push({ t: Math.round((uptime() - this.zero) * 10) / 10, code, signal });
      this.child = undefined;
      setTimeout(() => this.stopped || this.launch(), pauseBeforeRestart * 1000);
    });
    this.child = child;
  }
}

function known({ id, runtime, does, leak, heapLimit, memoryLimit }: Service): Known {
  return {
    id,
    label: leak === undefined ? "healthy" : "leak",
    runtime,
    does,
    ...(leak !== undefined && { onset_seconds: leak.onset ?? 0, leak_mib_per_hour: inMiB(leak.bytesPerHour) }),
    heap_limit_bytes: heapLimit ?? null,
    cgroup_limit_bytes: memoryLimit ?? null,
  };
}

function inMiB(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round((bytes / MiB) * 10) / 10;
}

function cgroupOf({ id }: Service): string {
  return `/sys/fs/cgroup/memory/leakwatch-recording-${id}`;
}

/** The words that run a command in a cgroup (v1) of its own, with a limit. */
function inCgroup(service: Service, command: string[]): string[] {
  const cgroup = cgroupOf(service);
  fs.mkdirSync(cgroup, { recursive: true });
  fs.writeFileSync(path.join(cgroup, "memory.limit_in_bytes"), String(service.memoryLimit));
  return ["sh", "-c", `echo $$ > ${cgroup}/cgroup.procs; exec "$@"`, "sh", ...command];
}

/** Asks a process group to end, and makes it end after some seconds. */
async function endGroup(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  signal(child.pid, "SIGTERM");
  const timer = setTimeout(() => signal(child.pid as number, "SIGKILL"), 5000);
  await ended;
  clearTimeout(timer);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name); // the group
  } catch {
    try {
      process.kill(pid, name); // a client has no group of its own
    } catch {
      // it has ended
    }
  }
}

/** The recordings in a folder that are made again take the place of the old ones; all others stay. */
function writeAll(recordings: readonly Recording[], folder: string): void {
  fs.mkdirSync(path.join(folder, "traces"), { recursive: true });
  const made = recordings.map((recording) => recording.write(folder));
  writeLabels(folder, [...readLabels(folder).filter(({ id }) => !made.some((label) => label.id === id)), ...made]);
}

/** What was measured stays, what is known about the services is said as it is now. */
function relabel(folder: string): void {
  const labels = readLabels(folder).flatMap((label) => {
    const service = services.find(({ id }) => id === label.id);
    return service === undefined ? [] : [{ ...label, ...known(service) }];
  });
  writeLabels(folder, labels);
}

function readLabels(folder: string): Label[] {
  const file = path.join(folder, "labels.json");
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).recordings : [];
}

/** In the order of the services; whole or not at all. */
function writeLabels(folder: string, labels: readonly Label[]): void {
  const place = (label: Label) => services.findIndex(({ id }) => id === label.id);
  const recordings = [...labels].sort((a, b) => place(a) - place(b));
  const file = path.join(folder, "labels.json");
  fs.writeFileSync(`${file}.new`, `${JSON.stringify({ interval_seconds: interval, recordings }, null, 1)}\n`);
  fs.renameSync(`${file}.new`, file);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "55" },
      only: { type: "string" },
      relabel: { type: "boolean", default: false },
    },
  });
  const out = positionals[0] ?? import.meta.dirname;
  if (values.relabel) return relabel(out);
  const only = values.only?.split(",");
  const chosen = services.filter(({ id }) => only?.includes(id) ?? true);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "recording-"));
  fs.chmodSync(root, 0o755); // PostgreSQL and PHP run as other users
  const tools = makeTools(path.join(root, "built"));
  const socketOf = (id: string) => path.join(root, id, "socket");
  const zero = uptime();
  const recordings = chosen.map((service) => {
    const place = { tools, folder: path.join(root, service.id), socket: socketOf(service.id), socketOf };
    return new Recording(service, place, zero);
  });
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupt.abort());
  const pause = (seconds: number) =>
    wait(seconds * 1000, undefined, { signal: interrupt.signal }).catch(() => undefined); // interrupted
  try {
    for (const recording of recordings) recording.start();
    const sampling = setInterval(() => {
      for (const recording of recordings) recording.sample();
    }, interval * 1000);
    await pause(5); // until they listen
    for (const recording of recordings) recording.startLoad();
    const writing = setInterval(() => writeAll(recordings, out), 5 * 60_000);
    await pause(Number(values.minutes) * 60);
    clearInterval(sampling);
    clearInterval(writing);
    writeAll(recordings, out);
  } finally {
    await Promise.all(recordings.map((recording) => recording.stop()));
    for (const { service } of recordings) {
      if (service.memoryLimit !== undefined) execFileSync("rmdir", [cgroupOf(service)]);
    }
    fs.rmSync(root, { recursive: true });
  }
}

await main();
