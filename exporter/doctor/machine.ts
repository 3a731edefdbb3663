// What can be seen on this machine, as facts: one pass of the exporter's own watcher, and a look at what it leaves out.

import fs from "node:fs";
import { type EffectiveLimit, readCgroupMemory, readEffectiveLimit } from "../cgroupfs/cgroup-memory.ts";
import { countingCgroup } from "../cgroupfs/counting-cgroup.ts";
import { CgroupLayout } from "../cgroupfs/layout.ts";
import type { Config, Match } from "../config/config.ts";
import { type Candidate, isPauseProcess, readIdentity } from "../discovery/identity.ts";
import { membership, needsPorts } from "../discovery/match.ts";
import { Failures } from "../failures.ts";
import { type FailureReason, failureReason, type KernelFiles } from "../kernel/files.ts";
import { TargetFiles } from "../kernel/target-files.ts";
import { createLogger } from "../log.ts";
import type { Life, LimitSource } from "../model/life.ts";
import { parseMemoryCgroup } from "../procfs/cgroup.ts";
import { isKernelThread, parseStat } from "../procfs/stat.ts";
import { realUid } from "../procfs/status.ts";
import { Cgroups } from "../samplers/cgroups.ts";
import { type FdCountMethod, ProcessReader } from "../samplers/process-reader.ts";
import { cutName } from "../text/visible.ts";
import { Watcher } from "../watch/watcher.ts";
import { type Credentials, parseCredentials, parseHidepid } from "./own-rights.ts";

/** A process that could be watched, ourselves excepted. */
export interface SeenProcess {
  readonly pid: number;
  /** The name that it has without configuration. */
  readonly name: string;
  readonly uid: number | undefined;
  /** Leakwatch itself, started elsewhere; the holder of a pod's namespaces; or one of the others. */
  readonly kind: "leakwatch" | "pause" | "target";
  /** Can the path of its program be read? */
  readonly showsProgram: boolean;
  /** Undefined where the configuration leaves it out. */
  readonly watched: WatchedProcess | undefined;
}

export interface WatchedProcess {
  readonly group: string;
  readonly limitSource: LimitSource;
  /** Files that cannot be read, and why; smaps_rollup is tried whether or not it is wanted. */
  readonly unreadable: ReadonlyMap<string, FailureReason>;
  readonly cgroup: SeenCgroup | undefined;
}

export interface SeenCgroup {
  readonly path: string;
  /** How its files are reached. */
  readonly reachedBy: "mount" | "target's root" | undefined;
  readonly hasEvents: boolean;
  readonly hasPressure: boolean;
}

export interface RuleUse {
  readonly name: string;
  /** Processes that fit, and those among them that no earlier rule takes. */
  readonly fits: number;
  readonly takes: number;
}

export interface MachineFacts {
  readonly procfs: string;
  readonly cgroupfs: string;
  readonly ownPid: number | undefined;
  readonly credentials: Credentials | undefined;
  /** The option of the procfs mount; undefined where nothing is hidden. */
  readonly hidepid: string | undefined;
  readonly kernelThreads: number;
  readonly zombies: number;
  /** Processes of which not even `stat` can be read, by reason. */
  readonly closed: ReadonlyMap<FailureReason, number>;
  readonly processes: readonly SeenProcess[];
  readonly cgroups: {
    readonly version: 1 | 2 | undefined;
    /** Version 2 is there too, without the memory controller. */
    readonly hybrid: boolean;
    readonly mounts: readonly { readonly version: 1 | 2; readonly root: string; readonly mountPoint: string }[];
  };
  readonly ownLimit: EffectiveLimit | undefined;
  readonly ownUsage: number | undefined;
  readonly nodeMemory: number | undefined;
  readonly kernel: {
    readonly release: string | undefined;
    readonly fdCount: FdCountMethod;
    readonly countsOomKills: boolean;
  };
  /** Descriptors that may be kept open on watched processes. */
  readonly maxKept: number;
  readonly rules: readonly RuleUse[];
  /** Processes that each entry of `ignore` fits. */
  readonly ignores: readonly number[];
  /** Does a rule look at what needs rights: the program's path, or the ports? */
  readonly rulesNeedRights: boolean;
  readonly unmatched: Config["unmatched"];
  readonly smapsEnabled: boolean;
}

export interface MachineOptions {
  readonly files: KernelFiles;
  readonly config: Config;
  readonly maxKept: number;
  /** Path of our own program, by which another leakwatch is recognised. */
  readonly program?: string | undefined;
  /** Our id in our own pid namespace. */
  readonly pid?: number;
}

/** Throws the file system's error when there is no procfs. */
export async function observeMachine(options: MachineOptions): Promise<MachineFacts> {
  const { files, config, maxKept } = options;
  const layout = CgroupLayout.detect(files, options.pid);
  const failures = new Failures(createLogger("error", "logfmt"));
  const watcher = new Watcher({
    files,
    config,
    failures,
    reader: new ProcessReader(files, { maxKept }),
    cgroups: new Cgroups(files, failures, layout),
  });
  try {
    const census = await takeCensus(files, await files.pids(), { ports: needsPorts(config) });
    await watcher.pass({ full: true });
    const identities = census.identities.map(({ identity }) => identity).filter((one) => !isPauseProcess(one));
    return {
      procfs: files.procfs,
      cgroupfs: files.cgroupfs,
      ownPid: files.ownPid(),
      ...ownRights(files),
      ...census,
      processes: census.identities.map(({ pid, identity }) => ({
        pid,
        name: cutName(identity.name),
        uid: identity.uid,
        kind: kindOf(identity, options.program),
        showsProgram: identity.exe !== undefined,
        watched: asWatched(files, watcher.watched.get(pid)),
      })),
      cgroups: { ...cgroupVersion(files), mounts: layout.mounts },
      ...ownMemory(files, layout),
      nodeMemory: watcher.nodeMemory,
      kernel: {
        release: tryTo(() => files.text(files.proc("sys/kernel/osrelease")).trim()),
        fdCount: watcher.reader.fdCountMethod,
        countsOomKills: watcher.nodeOomKills !== undefined,
      },
      maxKept,
      ...useOfRules(config, identities),
      unmatched: config.unmatched,
      smapsEnabled: config.smaps.enabled,
    };
  } finally {
    watcher.close();
  }
}

interface Census {
  kernelThreads: number;
  zombies: number;
  closed: Map<FailureReason, number>;
  identities: { pid: number; identity: Candidate }[];
}

/** Everything that is listed, also what the watcher leaves out. */
async function takeCensus(files: KernelFiles, pids: readonly number[], options: { ports: boolean }): Promise<Census> {
  const targetFiles = new TargetFiles(files);
  const census: Census = { kernelThreads: 0, zombies: 0, closed: new Map(), identities: [] };
  const ownPid = files.ownPid();
  for (const pid of pids) {
    if (pid === ownPid) continue;
    try {
      const stat = parseStat(files.text(files.proc(pid, "stat")));
      if (isKernelThread(stat)) census.kernelThreads++;
      else if (stat.state === "Z" || stat.state === "X") census.zombies++;
      else {
        const uid = tryTo(() => uidIn(files.text(files.proc(pid, "status"))));
        const cmdline = await argumentsOf(targetFiles, pid);
        const identity = readIdentity(files, pid, { comm: stat.comm, uid, cmdline }, options);
        census.identities.push({ pid, identity });
      }
    } catch (error) {
      const reason = failureReason(error);
      if (reason === "gone" || reason === "absent") continue; // it ended meanwhile
      census.closed.set(reason, (census.closed.get(reason) ?? 0) + 1);
    }
  }
  return census;
}

/** Undefined where the process holds their reading up. */
async function argumentsOf(targetFiles: TargetFiles, pid: number): Promise<string | undefined> {
  try {
    return await targetFiles.cmdline(pid);
  } catch (error) {
    if (failureReason(error) === "timeout") return undefined;
    throw error;
  }
}

function uidIn(status: string): number | undefined {
  const bytes = Buffer.from(status);
  return realUid(bytes, bytes.length);
}

function kindOf(identity: Candidate, program: string | undefined): SeenProcess["kind"] {
  if (isPauseProcess(identity)) return "pause";
  const words = identity.cmdline.split(" ");
  const isOurs = words.slice(0, 3).some((word) => word === program || /(^|\/)leakwatch$/.test(word));
  return isOurs ? "leakwatch" : "target";
}

function asWatched(files: KernelFiles, life: Life | undefined): WatchedProcess | undefined {
  if (life === undefined) return undefined;
  const unreadable = new Map(life.unreadable);
  const smaps = whyClosed(files, files.proc(life.pid, "smaps_rollup"));
  if (smaps !== undefined) unreadable.set("smaps_rollup", smaps);
  return { group: life.group.name, limitSource: life.limitSource, unreadable, cgroup: asSeen(life) };
}

function asSeen({ cgroup }: Life): SeenCgroup | undefined {
  if (cgroup === undefined) return undefined;
  const { at, snapshot, label, memory } = cgroup;
  return {
    path: label,
    reachedBy: at !== undefined ? "mount" : snapshot && "target's root",
    hasEvents: (memory?.events.size ?? 0) > 0,
    hasPressure: memory?.pressure !== undefined,
  };
}

/** Rights are asked for when the file is opened; reading it would cost the target some time. */
function whyClosed(files: KernelFiles, file: string): FailureReason | undefined {
  try {
    fs.closeSync(files.open(file));
    return undefined;
  } catch (error) {
    return failureReason(error);
  }
}

function ownRights(files: KernelFiles): Pick<MachineFacts, "credentials" | "hidepid"> {
  return {
    credentials: tryTo(() => parseCredentials(files.text(files.proc("self/status")))),
    hidepid: tryTo(() => parseHidepid(files.text(files.proc("self/mountinfo")), files.procfs)),
  };
}

function cgroupVersion(files: KernelFiles): { version: 1 | 2 | undefined; hybrid: boolean } {
  const text = tryTo(() => files.text(files.proc("self/cgroup"))) ?? "";
  const version = parseMemoryCgroup(text)?.version;
  return { version, hybrid: version === 1 && /^0::/m.test(text) };
}

function ownMemory(files: KernelFiles, layout: CgroupLayout): Pick<MachineFacts, "ownLimit" | "ownUsage"> {
  const cgroup = tryTo(() => parseMemoryCgroup(files.text(files.proc("self/cgroup"))));
  const own = cgroup && layout.locate(cgroup);
  if (cgroup === undefined || own === undefined) return { ownLimit: undefined, ownUsage: undefined };
  const { at } = countingCgroup((file) => files.isPresent(file), { ...cgroup, at: own });
  return {
    ownLimit: tryTo(() => readEffectiveLimit(files, cgroup.version, at)),
    ownUsage: tryTo(() => readCgroupMemory(files, cgroup.version, at.folder).usage),
  };
}

function useOfRules(
  config: Config,
  identities: readonly Candidate[],
): Pick<MachineFacts, "rules" | "ignores" | "rulesNeedRights"> {
  const alone = (rule: Config["groups"][number]): Config => ({
    ...config,
    ignore: [],
    groups: [rule],
    unmatched: "ignore",
  });
  const fits = (rule: Config["groups"][number], identity: Candidate) => membership(alone(rule), identity) !== undefined;
  const fitsMatch = (match: Match, identity: Candidate) =>
    fits({ name: "any", match, memoryLimit: undefined }, identity);
  const left = identities.filter((identity) => !config.ignore.some((match) => fitsMatch(match, identity)));
  const first = left.map((identity) => config.groups.findIndex((rule) => fits(rule, identity)));
  return {
    rules: config.groups.map((rule, index) => ({
      name: rule.name,
      fits: left.filter((identity) => fits(rule, identity)).length,
      takes: first.filter((taker) => taker === index).length,
    })),
    ignores: config.ignore.map((match) => identities.filter((identity) => fitsMatch(match, identity)).length),
    rulesNeedRights: [...config.ignore, ...config.groups.map(({ match }) => match)].some(
      ({ exe, port }) => exe !== undefined || port !== undefined,
    ),
  };
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
