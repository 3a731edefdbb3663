// A machine made of files: /proc and /sys/fs/cgroup in a temporary folder, whose processes start, grow and end when a
// test says so. Captured machines (fixtures.ts) show what kernels write; this one shows what happens over time.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onTestFinished, vi } from "vitest";
import { GiB, KiB, MiB } from "../../catalog/defaults.ts";
import type { Metric } from "../../catalog/metric.ts";
import type { JudgeSettings } from "../../detection/judge.ts";
import { type Config, defaultConfig } from "../../exporter/config/config.ts";
import { Renderer } from "../../exporter/exposition/render.ts";
import { TextBuffer } from "../../exporter/exposition/text-buffer.ts";
import { Failures } from "../../exporter/failures.ts";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import type { Ledger } from "../../exporter/ledger/ledger.ts";
import { createLogger } from "../../exporter/log.ts";
import { columns } from "../../exporter/memory/process-table.ts";
import { type FdCountMethod, ProcessReader } from "../../exporter/samplers/process-reader.ts";
import type { Remembered } from "../../exporter/storage/saved.ts";
import type { Clock } from "../../exporter/watch/boot-clock.ts";
import { Watcher } from "../../exporter/watch/watcher.ts";

/** The exporter's own pid on every such machine. */
export const ownPid = 50;
/** Unix time at which it was booted. */
export const bootTime = 1_795_213_000;

/** In memory, where there is such a folder: thousands of small files on a busy disk take long. */
const folderForMachines = isWritable("/dev/shm") ? "/dev/shm" : os.tmpdir();

/** Both clocks stand still until a test moves them. */
export class FakeClock implements Clock {
  /** Since boot. */
  seconds = 1000;
  /** What somebody added to the time of day since then. */
  jumped = 0;

  monotonic = () => this.seconds;
  unix = () => bootTime + this.seconds + this.jumped;

  advance(seconds: number): void {
    this.seconds += seconds;
  }
}

export interface ProcessFacts {
  pid: number;
  comm: string;
  argv: readonly string[];
  exe: string;
  /** `NAME=value`; undefined where it may not be read. */
  environment: readonly string[] | undefined;
  state: string;
  kernelThread: boolean;
  /** Clock ticks after boot. */
  startTicks: number;
  /** Who started it; by default pid 1, which is not on this machine. */
  ppid: number;
  /** Number of its terminal; 0 for none. */
  terminal: number;
  /** How it ended, as a zombie shows it to those who may trace it: the status of wait(2). */
  exitStatus: number;
  uid: number;
  threads: number;
  fds: number;
  /** What its last descriptors are, by the kernel's names: `socket:[71]`. */
  sockets: readonly string[];
  maxFds: number;
  /** Soft limit of the user's processes; as text for `unlimited`. */
  maxProcesses: number | string;
  /** Bits of the effective capabilities. */
  capabilities: bigint;
  /** Bytes of VmRSS, anonymous but for those below. */
  resident: number;
  /** Bytes of it that map files, and that are shared. */
  file: number;
  shared: number;
  /** Bytes that were swapped out, beside VmRSS. */
  swap: number;
  cgroup: string;
  /** Bytes in smaps_rollup; no such file without them. */
  smaps: { pss: number; uss: number } | undefined;
}

interface CgroupFacts {
  limit: number | undefined;
  usage: number;
  /** In it and below it, as are the next (version 2); in it alone (version 1). */
  oomKills: number;
  /** Kills that took all of a cgroup at once. */
  oomGroupKills: number;
}

export interface MachineOptions {
  /** Version of the memory controller; a number of bytes is all that a test must give. */
  cgroups?: 1 | 2 | "not mounted";
  memory?: number;
  /** Does this kernel split VmRSS into RssAnon, RssFile and RssShmem (4.5 and later)? */
  rssParts?: boolean;
  /** Does it count OOM kills in vmstat (4.13 and later)? */
  countsOomKills?: boolean;
}

/** A machine that is removed when the test has finished. */
export function fakeMachine(options: MachineOptions = {}): FakeMachine {
  const machine = new FakeMachine(options);
  onTestFinished(() => machine.remove());
  return machine;
}

export class FakeMachine {
  readonly root = fs.mkdtempSync(path.join(folderForMachines, "leakwatch-machine-"));
  readonly clock = new FakeClock();
  readonly files: MachineFiles;
  private readonly options: Required<MachineOptions>;
  private readonly processes = new Map<number, ProcessFacts>();
  private readonly cgroups = new Map<string, CgroupFacts>();
  private nextPid = 100;
  private oomKills = 0;

  constructor(options: MachineOptions = {}) {
    this.options = { cgroups: 2, memory: 8 * GiB, rssParts: true, countsOomKills: true, ...options };
    this.files = new MachineFiles(this.root);
    this.write("proc/meminfo", `MemTotal:       ${this.options.memory / KiB} kB\nMemFree:        1024 kB\n`);
    this.writeNodeCounters();
    this.start({ pid: ownPid, argv: ["/usr/bin/node", "/opt/leakwatch/main.js"], exe: "/usr/bin/node" });
    fs.symlinkSync(String(ownPid), path.join(this.root, "proc/self"));
    const { cgroups } = this.options;
    if (cgroups === 2) fs.mkdirSync(path.join(this.root, "sys/fs/cgroup"), { recursive: true });
    this.write(
      `proc/${ownPid}/mountinfo`,
      {
        1: "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n",
        2: "24 22 0:21 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n",
        "not mounted": "21 1 0:20 / /proc rw,relatime - proc proc rw\n",
      }[cgroups],
    );
  }

  /** Starts a process now, unless `startTicks` says otherwise, and returns its pid. */
  start(facts: Partial<ProcessFacts> = {}): number {
    const argv = facts.argv ?? ["/usr/bin/api"];
    const program = argv[0] ?? facts.exe ?? "";
    const process: ProcessFacts = {
      pid: facts.pid ?? this.nextPid++,
      comm: path.basename(program).slice(0, 15),
      argv,
      exe: program,
      environment: undefined,
      state: "S (sleeping)",
      kernelThread: false,
      startTicks: Math.round(this.clock.monotonic() * 100),
      ppid: 1,
      terminal: 0,
      exitStatus: 0,
      uid: 1000,
      threads: 1,
      fds: 3,
      sockets: [],
      maxFds: 1024,
      maxProcesses: 63_000,
      capabilities: 0n,
      resident: 10 * MiB,
      file: 0,
      shared: 0,
      swap: 0,
      cgroup: "/",
      smaps: undefined,
      ...facts,
    };
    this.processes.set(process.pid, process);
    this.writeProcess(process);
    return process.pid;
  }

  /** Changes what a running process shows: memory, threads, state. */
  change(pid: number, changes: Partial<ProcessFacts>): void {
    const process = { ...this.process(pid), ...changes };
    this.processes.set(pid, process);
    this.writeProcess(process);
  }

  /** Becomes another program under the same pid and start time. */
  exec(pid: number, argv: readonly string[]): void {
    const program = argv[0] as string;
    this.change(pid, { argv, exe: program, comm: path.basename(program).slice(0, 15) });
  }

  /** Ends a process; its pid is free again. */
  stop(pid: number): void {
    this.processes.delete(pid);
    fs.rmSync(this.path(`proc/${pid}`), { recursive: true });
  }

  /** Ended, but its parent has not asked how: no memory, no descriptors, no arguments. */
  becomeZombie(pid: number): void {
    this.change(pid, { state: "Z (zombie)", argv: [], fds: 0, threads: 1 });
    fs.rmSync(this.path(`proc/${pid}/task`), { recursive: true, force: true });
  }

  /** The main thread ends, and shows what a zombie shows; another goes on, and its folder has the rest. */
  leaderEnds(pid: number, changes: Partial<ProcessFacts> = {}): void {
    const thread = { ...this.process(pid), ...changes };
    this.change(pid, { ...changes, state: "Z (zombie)", argv: [], fds: 0 });
    const [leader, other] = [pid, pid + 5000].map((id) => `proc/${pid}/task/${id}`);
    for (const name of ["status", "stat"]) {
      this.write(`${leader}/${name}`, fs.readFileSync(this.path(`proc/${pid}/${name}`), "utf8"));
    }
    this.write(`${other}/status`, statusText(thread, { memory: true, rssParts: this.options.rssParts }));
    this.write(`${other}/stat`, statText({ ...thread, pid: pid + 5000 }));
    this.write(`${other}/cmdline`, thread.argv.map((argument) => `${argument}\0`).join(""));
    this.write(`${other}/cgroup`, this.cgroupText(thread.cgroup));
    if (this.options.cgroups === 1) this.write(`proc/${pid}/cgroup`, this.cgroupText("/")); // as of all zombies
    fs.rmSync(this.path(`proc/${pid}/smaps_rollup`), { force: true });
    if (thread.smaps !== undefined) this.write(`${other}/smaps_rollup`, smapsText(thread.smaps));
    fs.rmSync(this.path(`${other}/exe`), { force: true });
    fs.symlinkSync(thread.exe, this.path(`${other}/exe`));
    for (let fd = 0; fd < thread.fds; fd++) this.write(`${other}/fd/${fd}`, "");
  }

  /** Makes a cgroup, or changes its limit. */
  cgroup(name: string, facts: Partial<CgroupFacts> = {}): void {
    const known = this.cgroups.get(name) ?? { limit: undefined, usage: 0, oomKills: 0, oomGroupKills: 0 };
    this.cgroups.set(name, { ...known, ...facts });
    this.writeCgroup(name);
  }

  removeCgroup(name: string): void {
    this.cgroups.delete(name);
    fs.rmSync(this.path(this.cgroupFolder(name)), { recursive: true });
  }

  /** The kernel kills a process for lack of memory, and counts it where its version of cgroups does. */
  oomKill(pid: number): void {
    this.countOomKill(pid);
    this.stop(pid);
  }

  /** The kill is counted at once; the process is gone only when its memory has been taken apart. */
  countOomKill(pid: number): void {
    const { cgroup } = this.process(pid);
    const counting = this.options.cgroups === 2 ? withAncestors(cgroup) : [cgroup];
    for (const name of counting) {
      const facts = this.cgroups.get(name);
      if (facts !== undefined) this.cgroup(name, { oomKills: facts.oomKills + 1 });
    }
    this.countOomKillElsewhere();
  }

  /** The kernel kills all of a cgroup at once, as memory.oom.group has it (version 2): each is a kill, and together they are one. */
  oomGroupKill(pids: readonly number[]): void {
    this.countOomGroupKill(pids);
    for (const pid of pids) this.stop(pid);
  }

  /** All of them are counted at once; each is gone when its memory has been taken apart. */
  countOomGroupKill(pids: readonly number[]): void {
    for (const pid of pids) this.countOomKill(pid);
    for (const name of withAncestors(this.process(pids[0] as number).cgroup)) {
      const facts = this.cgroups.get(name);
      if (facts !== undefined) this.cgroup(name, { oomGroupKills: facts.oomGroupKills + 1 });
    }
  }

  /** The kernel kills a container's main process: its cgroup goes with it, and is made anew for the next one. */
  oomKillMain(pid: number): void {
    const { cgroup } = this.process(pid);
    this.oomKill(pid);
    const { limit } = this.cgroups.get(cgroup) as CgroupFacts;
    this.removeCgroup(cgroup);
    this.cgroup(cgroup, { limit });
  }

  /** An OOM kill that only the machine's counter shows. */
  countOomKillElsewhere(): void {
    this.oomKills++;
    this.writeNodeCounters();
  }

  /** Somebody sets the time of day; the kernel moves its boot time with it. */
  jump(seconds: number): void {
    this.clock.jumped += seconds;
    this.writeNodeCounters();
  }

  /** Writes any file of the machine. */
  write(file: string, text: string): void {
    try {
      fs.writeFileSync(this.path(file), text);
    } catch {
      fs.mkdirSync(path.dirname(this.path(file)), { recursive: true });
      fs.writeFileSync(this.path(file), text);
    }
  }

  path(file: string): string {
    return path.join(this.root, file);
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  private process(pid: number): ProcessFacts {
    const process = this.processes.get(pid);
    if (process === undefined) throw new Error(`no process ${pid} runs on this machine`);
    return process;
  }

  private writeNodeCounters(): void {
    this.write("proc/stat", `cpu  1 2 3 4\nbtime ${bootTime + this.clock.jumped}\nprocesses 999\n`);
    this.write("proc/vmstat", `nr_free_pages 1\n${this.options.countsOomKills ? `oom_kill ${this.oomKills}\n` : ""}`);
  }

  private writeProcess(process: ProcessFacts): void {
    const { pid, argv, kernelThread, state, maxFds, maxProcesses, cgroup, exe, fds, sockets, smaps } = process;
    const ownsMemory = !kernelThread && !state.startsWith("Z");
    fs.mkdirSync(this.path(`proc/${pid}/fd`), { recursive: true });
    this.write(`proc/${pid}/status`, statusText(process, { memory: ownsMemory, rssParts: this.options.rssParts }));
    this.write(`proc/${pid}/stat`, statText(process));
    this.write(`proc/${pid}/cmdline`, kernelThread ? "" : argv.map((argument) => `${argument}\0`).join(""));
    if (process.environment !== undefined) {
      this.write(`proc/${pid}/environ`, process.environment.map((variable) => `${variable}\0`).join(""));
    }
    this.write(
      `proc/${pid}/limits`,
      `Limit                     Soft Limit           Hard Limit           Units     
Max processes             ${String(maxProcesses).padEnd(20)} 63000                processes 
Max open files            ${String(maxFds).padEnd(20)} 1048576              files     
`,
    );
    this.write(`proc/${pid}/cgroup`, this.cgroupText(cgroup));
    if (smaps !== undefined) this.write(`proc/${pid}/smaps_rollup`, smapsText(smaps));
    fs.rmSync(this.path(`proc/${pid}/exe`), { force: true });
    if (ownsMemory) fs.symlinkSync(exe, this.path(`proc/${pid}/exe`));
    this.writeFds(pid, fds);
    for (const [i, socket] of sockets.entries()) this.linkFd(pid, fds - sockets.length + i, socket);
  }

  private cgroupText(cgroup: string): string {
    return this.options.cgroups === 1 ? `4:memory:${cgroup}\n0::/\n` : `0::${cgroup}\n`;
  }

  private writeFds(pid: number, count: number): void {
    const folder = this.path(`proc/${pid}/fd`);
    const before = fs.readdirSync(folder).length;
    for (let fd = before; fd < count; fd++) fs.symlinkSync("/dev/null", path.join(folder, String(fd)));
    for (let fd = count; fd < before; fd++) fs.rmSync(path.join(folder, String(fd)));
  }

  private linkFd(pid: number, fd: number, target: string): void {
    const file = this.path(`proc/${pid}/fd/${fd}`);
    fs.rmSync(file, { force: true });
    fs.symlinkSync(target, file);
  }

  private cgroupFolder(name: string): string {
    return this.options.cgroups === 1 ? `sys/fs/cgroup/memory${name}` : `sys/fs/cgroup${name}`;
  }

  private writeCgroup(name: string): void {
    const folder = this.cgroupFolder(name);
    const { limit, usage, oomKills, oomGroupKills } = this.cgroups.get(name) as CgroupFacts;
    if (this.options.cgroups === 1) {
      this.write(`${folder}/memory.limit_in_bytes`, `${limit ?? "9223372036854771712"}\n`);
      this.write(`${folder}/memory.usage_in_bytes`, `${usage}\n`);
      this.write(`${folder}/memory.stat`, `total_cache 0\ntotal_rss ${usage}\ntotal_inactive_file 0\n`);
      this.write(`${folder}/memory.oom_control`, `oom_kill_disable 0\nunder_oom 0\noom_kill ${oomKills}\n`);
      return;
    }
    this.write(`${folder}/memory.max`, `${limit ?? "max"}\n`);
    this.write(`${folder}/memory.current`, `${usage}\n`);
    this.write(`${folder}/memory.stat`, `anon ${usage}\nfile 0\nkernel 0\ninactive_file 0\n`);
    this.write(
      `${folder}/memory.events`,
      `low 0\nhigh 0\nmax 0\noom ${oomKills}\noom_kill ${oomKills}\noom_group_kill ${oomGroupKills}\n`,
    );
  }
}

/** The machine's files, some of which can be made to fail as they would for somebody who is not root. */
export class MachineFiles extends KernelFiles {
  /** Runs once, between the next listing of the processes and what is read of them. */
  afterListing: (() => void) | undefined;
  private readonly denied: { pattern: RegExp; code: string }[] = [];

  constructor(root: string) {
    super({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup", root });
  }

  /** From now on files whose path matches answer with this error. */
  deny(pattern: RegExp, code = "EACCES"): void {
    this.denied.push({ pattern, code });
  }

  allowAll(): void {
    this.denied.length = 0;
  }

  override text(file: string): string {
    return super.text(this.checked(file));
  }

  override async openOffLoop(file: string, flags: number): Promise<number> {
    return super.openOffLoop(this.checked(file), flags);
  }

  override open(file: string, flags?: number): number {
    return super.open(this.checked(file), flags);
  }

  override size(file: string): number {
    return super.size(this.checked(file));
  }

  override list(folder: string): string[] {
    return super.list(this.checked(folder));
  }

  override link(file: string): string {
    return super.link(this.checked(file));
  }

  override async pids(): Promise<number[]> {
    const pids = await super.pids();
    this.afterListing?.();
    this.afterListing = undefined;
    return pids;
  }

  private checked(file: string): string {
    const rule = this.denied.find(({ pattern }) => pattern.test(file));
    if (rule !== undefined) throw Object.assign(new Error(`${rule.code}: ${file}`), { code: rule.code });
    return file;
  }
}

/**
 * Makes files on disk behave as those of procfs do when their process has ended: a descriptor that is still open answers
 * ESRCH. (A file that was removed has no name left, which is how it is recognised.)
 */
export function openFilesEndWithTheirProcess(): void {
  const readSync = fs.readSync as (...args: unknown[]) => number;
  const spy = vi.spyOn(fs, "readSync").mockImplementation((...args: unknown[]) => {
    if (fs.fstatSync(args[0] as number).nlink > 0) return readSync(...args);
    throw Object.assign(new Error("ESRCH: no such process, read"), { code: "ESRCH" });
  });
  onTestFinished(() => spy.mockRestore());
}

/** Everything between the machine's files and the exposition, driven by its clock. */
export function watch(
  machine: FakeMachine,
  options: {
    config?: Partial<Config>;
    files?: KernelFiles;
    maxKept?: number;
    fdCountMethod?: FdCountMethod;
    ledger?: Ledger;
    judge?: JudgeSettings;
    remembered?: Remembered | undefined;
  } = {},
) {
  const { files = machine.files, maxKept = 1000, fdCountMethod = "list", config, ...rest } = options;
  const logged: string[] = [];
  const log = createLogger("debug", "logfmt", (line) => logged.push(line));
  const failures = new Failures(log);
  const reader = new ProcessReader(files, { maxKept, fdCountMethod });
  const watcher = new Watcher({
    files,
    failures,
    reader,
    config: { ...defaultConfig, ...config },
    clock: machine.clock,
    ...rest,
  });
  onTestFinished(() => watcher.close());
  return {
    watcher,
    failures,
    logged,
    /** Lets time go by, then takes a pass. */
    async pass(seconds = 5): Promise<void> {
      machine.clock.advance(seconds);
      await watcher.pass({ full: true });
    },
    /** Pids by slot, for each group that has a process. */
    running(): Record<string, (number | undefined)[]> {
      return Object.fromEntries(
        [...watcher.groups.values()]
          .filter((group) => group.running)
          .map((group) => [group.name, group.slots.map(({ life }) => life?.pid)]),
      );
    },
    /** Restarts of a group by reason, without the reasons that never occurred. */
    restarts(group: string): Record<string, number> {
      return Object.fromEntries(
        Object.entries(watcher.ledger.account(group).restarts).filter(([, count]) => count > 0),
      );
    },
    /** A number of a process; undefined where it has no series. */
    value(pid: number, metric: Metric): number | undefined {
      const life = watcher.watched.get(pid);
      if (life === undefined) return undefined;
      const value = watcher.table.get(life.row, (columns as readonly Metric[]).indexOf(metric));
      return Number.isNaN(value) ? undefined : value;
    },
    /** What Prometheus would be given. */
    async exposition(): Promise<string> {
      const buffer = new TextBuffer();
      await new Renderer(watcher).render("text", buffer);
      return buffer.written().toString("utf8");
    },
  };
}

function statText(facts: ProcessFacts): string {
  const { pid, ppid, terminal, comm, kernelThread, startTicks, threads, state, exitStatus } = facts;
  const flags = kernelThread ? 0x0020_8040 : 0x0040_0000;
  return `${pid} (${comm}) ${state[0]} ${ppid} ${pid} ${pid} ${terminal} -1 ${flags} 0 0 0 0 0 0 0 0 20 0 ${threads} 0 ${startTicks} 0 0 ${exitStatus}\n`;
}

/** The memory lines and those around them, as Linux 6 writes them. */
function statusText(facts: ProcessFacts, has: { memory: boolean; rssParts: boolean }): string {
  const kB = (label: string, bytes: number) => `${label}:\t${String(bytes / KiB).padStart(8)} kB\n`;
  const parts = has.rssParts
    ? kB("RssAnon", facts.resident - facts.file - facts.shared) +
      kB("RssFile", facts.file) +
      kB("RssShmem", facts.shared)
    : "";
  const memory = has.memory
    ? `${kB("VmPeak", 2 * facts.resident)}${kB("VmSize", 2 * facts.resident)}${kB("VmHWM", facts.resident)}${kB("VmRSS", facts.resident)}${parts}${kB("VmSwap", facts.swap)}`
    : "";
  return (
    `Name:\t${facts.comm.replaceAll("\n", "\\n")}\nUmask:\t0022\nState:\t${facts.state}\nPid:\t${facts.pid}\n` +
    `Uid:\t${Array(4).fill(facts.uid).join("\t")}\n${memory}Threads:\t${facts.threads}\nSigQ:\t0/95000\n` +
    `CapEff:\t${facts.capabilities.toString(16).padStart(16, "0")}\n`
  );
}

function smapsText({ pss, uss }: { pss: number; uss: number }): string {
  return `00400000-7fff00000000 ---p 00000000 00:00 0                          [rollup]
Rss:            ${pss / KiB} kB
Pss:            ${pss / KiB} kB
Private_Clean:         0 kB
Private_Dirty:  ${uss / KiB} kB
`;
}

/** `/pod/api` is below `/pod`; the root counts nothing. */
function withAncestors(cgroup: string): string[] {
  const parts = cgroup.split("/").slice(1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
}

function isWritable(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
