// Who a process is: read when it is first seen, and again now and then, for programs replace themselves and move.

import path from "node:path";
import { KiB } from "../../catalog/defaults.ts";
import { type CgroupIdentity, identifyCgroup } from "../cgroupfs/identity.ts";
import { failureReason, type KernelFiles } from "../kernel/files.ts";
import { type MemoryCgroup, parseMemoryCgroup } from "../procfs/cgroup.ts";
import { parseCmdline } from "../procfs/cmdline.ts";
import { parseListeningPorts } from "../procfs/net-tcp.ts";
import { safeArguments } from "./arguments.ts";
import { type HeapLimit, heapLimitOf } from "./heap-limit.ts";
import { defaultName } from "./name.ts";

/** What is kept of a process. */
export interface Identity extends CgroupIdentity {
  /** What the process is called without any rule. */
  name: string;
  /** What its program is called, where the container's name is known and comes first. */
  programName?: string;
  /** Is its container made to run to its end, as those of Jobs are? */
  isJob?: boolean;
  comm: string;
  /** Path of the program; undefined where the link may not be read. */
  exe: string | undefined;
  uid: number | undefined;
  cgroup: MemoryCgroup | undefined;
  /** How its runtime ends itself when the heap is full; undefined where that is not known from its arguments. */
  heap?: HeapLimit;
  /** TCP ports on which it listens; empty where they were not asked for or may not be read. */
  ports: readonly number[];
}

/** With what is only looked at while it is named. */
export interface Candidate extends Identity {
  /** Its arguments, joined with blanks; without secrets, and cut. */
  cmdline: string;
}

/** What the caller has read of a process anyway. `cmdline` is the text of that file, undefined where it could not be read. */
export interface KnownFacts {
  comm: string;
  uid: number | undefined;
  cmdline: string | undefined;
  /** One that goes on where the main thread has ended, and no longer shows the program. */
  thread?: number | undefined;
}

/** Throws when the process is gone. */
export function readIdentity(
  files: KernelFiles,
  pid: number,
  known: KnownFacts,
  options: { ports: boolean },
): Candidate {
  const argv = safeArguments(parseCmdline(known.cmdline ?? ""));
  const exe = readExe(files, known.thread === undefined ? [pid] : [pid, "task", known.thread]);
  const cgroup = parseMemoryCgroup(files.textIfPresent(files.proc(pid, "cgroup")) ?? "");
  return {
    name: defaultName({ comm: known.comm, argv, exe }),
    comm: known.comm,
    exe,
    cmdline: argv.join(" "),
    uid: known.uid,
    cgroup,
    ...identifyCgroup(cgroup?.path ?? ""),
    ...heapOf(argv),
    ports: options.ports ? readPorts(files, pid) : [],
  };
}

/** A process that only holds the namespaces of a pod or a compose project open, or that an engine starts for a moment. */
export function isPauseProcess(identity: Candidate): boolean {
  const [first = "", ...rest] = identity.cmdline.split(" ");
  const program = path.basename(identity.exe ?? first);
  if (path.basename(first) === "sleep" && rest.join(" ") === "infinity") return true;
  // what an engine starts now and then in a container without curl, ours among them: no service, and gone at once
  if (rest.some((word) => /^healthcheck\.\w+$/.test(path.basename(word)))) return true;
  // an engine's own, about to become the app or such a check
  if (/^(runc|crun|youki)$/.test(path.basename(first)) && rest.join(" ") === "init") return true;
  return ["pause", "catatonit", "docker-init"].includes(program);
}

/** Without the field where there is none: labels are made again when an identity differs. */
function heapOf(argv: readonly string[]): Pick<Identity, "heap"> {
  const heap = heapLimitOf(argv);
  return heap === undefined ? {} : { heap };
}

/** The link needs the same rights as the descriptors, so its absence is ordinary. */
function readExe(files: KernelFiles, folder: (string | number)[]): string | undefined {
  try {
    return files.link(files.proc(...folder, "exe"));
  } catch {
    return undefined;
  }
}

/** Of the list of a network namespace's sockets, listening ones come first. */
const mostSocketBytes = 512 * KiB;

/** Servers listen on one of their first descriptors; a look at a million would take seconds. */
const mostDescriptors = 2048;

/** Sockets among the descriptors that the process' network namespace knows as listening. */
function readPorts(files: KernelFiles, pid: number): number[] {
  try {
    const listening = new Map(["tcp", "tcp6"].flatMap((name) => [...parseListeningPorts(socketsOf(files, pid, name))]));
    if (listening.size === 0) return [];
    const ports = new Set<number>();
    for (const fd of files.listUpTo(files.proc(pid, "fd"), mostDescriptors)) {
      const inode = /^socket:\[(\d+)\]$/.exec(socketOf(files, pid, fd) ?? "")?.[1];
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
function socketsOf(files: KernelFiles, pid: number, name: string): string {
  try {
    return files.textUpTo(files.proc(pid, "net", name), mostSocketBytes);
  } catch (error) {
    if (failureReason(error) === "absent") return "";
    throw error;
  }
}

function socketOf(files: KernelFiles, pid: number, fd: string): string | undefined {
  try {
    return files.link(files.proc(pid, "fd", fd));
  } catch {
    return undefined; // closed meanwhile
  }
}
