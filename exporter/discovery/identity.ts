// Who a process is: read when it is first seen, and again now and then, for programs replace themselves and move.

import path from "node:path";
import { KiB } from "../../catalog/defaults.ts";
import { type CgroupIdentity, identifyCgroup } from "../cgroupfs/identity.ts";
import { failureReason, type KernelFiles, type ProcFolder } from "../kernel/files.ts";
import { type MemoryCgroup, parseMemoryCgroup } from "../procfs/cgroup.ts";
import { parseCmdline } from "../procfs/cmdline.ts";
import { parseListeningPorts } from "../procfs/net-tcp.ts";
import { parseStat, ticksPerSecond } from "../procfs/stat.ts";
import { cutName } from "../text/visible.ts";
import { safeArguments } from "./arguments.ts";
import { heapSettingOf, type RuntimeFacts } from "./heap-setting.ts";
import { whatRuns } from "./interpreters.ts";
import { defaultName } from "./name.ts";
import type { HeapSetting } from "./runtimes/heap-limit.ts";

/** What is kept of a process. */
export interface Identity extends CgroupIdentity {
  /** What the process is called without any rule. */
  name: string;
  /** What its program is called, where the container's name is known and comes first. */
  programName?: string;
  /** Is its container made to run to its end, as those of Jobs are? */
  isJob?: true;
  /** The version that was cut off its name, else that of its container; cut, and without what acts on a terminal. */
  version: string | undefined;
  comm: string;
  /** Path of the program; undefined where the link may not be read. */
  exe: string | undefined;
  uid: number | undefined;
  cgroup: MemoryCgroup | undefined;
  /** How much its runtime lets the heap hold; undefined where no limit is known. */
  heap?: HeapSetting;
  /** TCP ports on which it listens; empty where they were not asked for or may not be read. */
  ports: readonly number[];
}

/** With what is only looked at while it is named. */
export interface Candidate extends Identity {
  /** Its arguments, joined with blanks; without secrets, and cut. */
  cmdline: string;
  /** An engine started it in a container that was already there, a moment ago, to ask how the app is. */
  isHealthCheck: boolean;
}

/** What the caller has read of a process anyway. `cmdline` is the text of that file, undefined where it could not be read. */
export interface KnownFacts {
  comm: string;
  uid: number | undefined;
  cmdline: string | undefined;
  /** What its environment, its program and its threads show of its runtime; absent where that was not read. */
  runtime?: Omit<RuntimeFacts, "exe">;
}

/** Throws when the process is gone. `process` is where it shows what it has. */
export function readIdentity(
  files: KernelFiles,
  process: ProcFolder,
  known: KnownFacts,
  options: { ports: boolean },
): Candidate {
  const given = parseCmdline(known.cmdline ?? "");
  const argv = safeArguments(given);
  const exe = readLink(files, process, "exe");
  const cgroup = parseMemoryCgroup(files.textIfPresent(files.proc(process, "cgroup")) ?? "");
  const place = identifyCgroup(cgroup?.path ?? "");
  const cwd = () => readLink(files, process, "cwd");
  const { name, version } = defaultName({ comm: known.comm, argv, exe, unit: place.unit, cwd });
  return {
    name,
    version: version === undefined ? undefined : cutName(version),
    comm: known.comm,
    exe,
    cmdline: argv.join(" "),
    isHealthCheck: isCalledHealthCheck(argv) && isStartedByEngine(files, process, place),
    uid: known.uid,
    cgroup,
    ...place,
    ...heapOf(given, { environment: undefined, ...known.runtime, exe }),
    ports: options.ports ? readPorts(files, process) : [],
  };
}

/** A process that only holds the namespaces of a pod or a compose project open, or that an engine starts for a moment. */
export function isPauseProcess(identity: Candidate): boolean {
  const [first = "", ...rest] = identity.cmdline.split(" ");
  const program = path.basename(identity.exe ?? first);
  if (path.basename(first) === "sleep" && rest.join(" ") === "infinity") return true;
  if (identity.isHealthCheck) return true;
  // an engine's own, about to become the app or such a check
  if (/^(runc|crun|youki)$/.test(path.basename(first)) && rest.join(" ") === "init") return true;
  return ["pause", "catatonit", "docker-init"].includes(program);
}

/** Without the field where there is none: labels are made again when an identity differs. */
function heapOf(argv: readonly string[], facts: RuntimeFacts): Pick<Identity, "heap"> {
  const heap = heapSettingOf(argv, facts);
  return heap === undefined ? {} : { heap };
}

/** A script of that name: an argument such as `--config healthcheck.yaml` is no program. */
function isCalledHealthCheck(argv: readonly string[]): boolean {
  const called = path.basename(argv[0] ?? "");
  const script = whatRuns(argv, called, called)?.what ?? "";
  return [called, path.basename(script)].some((name) => /^healthcheck(\.(m|c)?js|\.py|\.sh|\.rb|\.php)?$/.test(name));
}

/** A check that takes longer than this has failed by every engine's default; what goes on is a service. Seconds. */
const longestHealthCheck = 60;

/**
 * An engine starts a check from outside of the container, in which another process is the first. A container's own program has no
 * parent in it either, and is told by its id there, or at last by its age.
 */
function isStartedByEngine(files: KernelFiles, process: ProcFolder, { containerId }: CgroupIdentity): boolean {
  const { ppid, startTicks } = parseStat(files.text(files.proc(process, "stat")));
  const uptime = Number.parseFloat(files.text(files.proc("uptime")));
  if (!(uptime - startTicks / ticksPerSecond < longestHealthCheck)) return false;
  const idInContainer = /^NSpid:.*\t(\d+)$/m.exec(files.text(files.proc(process, "status")))?.[1];
  if (idInContainer === "1") return false;
  if (ppid === 0) return true; // from outside of the pid namespace that we see
  return containerId !== undefined && !isInContainer(files, ppid, containerId);
}

/** Also true of a process that may not be read. */
function isInContainer(files: KernelFiles, pid: number, containerId: string): boolean {
  try {
    const cgroup = parseMemoryCgroup(files.text(files.proc(pid, "cgroup")));
    return cgroup === undefined || identifyCgroup(cgroup.path).containerId === containerId;
  } catch {
    return true;
  }
}

/** These links need the same permission as the descriptors, so their absence is ordinary. */
function readLink(files: KernelFiles, process: ProcFolder, name: "exe" | "cwd"): string | undefined {
  try {
    return files.link(files.proc(process, name));
  } catch {
    return undefined;
  }
}

/** Of the list of a network namespace's sockets, listening ones come first. */
const mostSocketBytes = 512 * KiB;

/** Servers listen on one of their first descriptors; a look at a million would take seconds. */
const mostDescriptors = 2048;

/** Sockets among the descriptors that the process' network namespace knows as listening. */
function readPorts(files: KernelFiles, process: ProcFolder): number[] {
  try {
    const listening = new Map(
      ["tcp", "tcp6"].flatMap((name) => [...parseListeningPorts(socketsOf(files, process, name))]),
    );
    if (listening.size === 0) return [];
    const ports = new Set<number>();
    for (const fd of files.listUpTo(files.proc(process, "fd"), mostDescriptors)) {
      const inode = /^socket:\[(\d+)\]$/.exec(socketOf(files, process, fd) ?? "")?.[1];
      const port = inode === undefined ? undefined : listening.get(inode);
      if (port !== undefined) ports.add(port);
    }
    return [...ports].sort((a, b) => a - b);
  } catch (error) {
    if (failureReason(error) === "gone") throw error;
    return [];
  }
}

/** Empty where this kernel has no such sockets. */
function socketsOf(files: KernelFiles, process: ProcFolder, name: string): string {
  try {
    return files.textUpTo(files.proc(process, "net", name), mostSocketBytes);
  } catch (error) {
    if (failureReason(error) === "absent") return "";
    throw error;
  }
}

function socketOf(files: KernelFiles, process: ProcFolder, fd: string): string | undefined {
  try {
    return files.link(files.proc(process, "fd", fd));
  } catch {
    return undefined; // closed meanwhile
  }
}
