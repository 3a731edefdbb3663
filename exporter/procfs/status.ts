// /proc/<pid>/status, the one file that is read for every process every few seconds, so it is parsed from bytes:
//   Name:	node
//   State:	S (sleeping)
//   VmRSS:	   40404 kB
//   Threads:	11
// Columns keep their width until a number outgrows it, so the offset of each field is remembered per process and
// verified before use. Kernel threads and zombies have no Vm lines: they own no memory.
// https://docs.kernel.org/filesystems/proc.html

import { KiB } from "../../catalog/defaults.ts";

/** What is read, in the order of the columns that `parseStatus` fills. */
export const statusFields = [
  { label: "VmSize", scale: KiB },
  { label: "VmHWM", scale: KiB },
  { label: "VmRSS", scale: KiB },
  { label: "RssAnon", scale: KiB },
  { label: "RssFile", scale: KiB },
  { label: "RssShmem", scale: KiB },
  { label: "VmSwap", scale: KiB },
  { label: "Threads", scale: 1 },
] as const;

const newline = 0x0a;
const colon = 0x3a;
const labels = statusFields.map(({ label }) => Uint8Array.from(`\n${label}:`, (char) => char.charCodeAt(0)));
const stateLabel = Uint8Array.from("\nState:\t", (char) => char.charCodeAt(0));
const residentField = statusFields.findIndex(({ label }) => label === "VmRSS");
const threadsField = statusFields.findIndex(({ label }) => label === "Threads");

/** Offsets of the fields' labels in the file of one process; -1 where there is none. Groups can fill hundreds of KiB. */
export type StatusOffsets = Int32Array;

/** Offsets that nothing is known about yet. */
export const unknownOffsets = (): StatusOffsets => new Int32Array(statusFields.length).fill(-2);

/**
 * `memory` when values were stored, else why there are none. `leader ended`: the main thread called pthread_exit and is
 * a zombie, but other threads go on, and theirs is the memory.
 */
export type StatusKind = "memory" | "no memory" | "zombie" | "leader ended";

/**
 * Stores the fields of one status file at `values[at…]`, in bytes (threads as a count); NaN for a field that this
 * kernel does not have. `offsets` are those of the last file of the same process and are corrected in passing.
 */
export function parseStatus(
  file: Uint8Array,
  length: number,
  offsets: StatusOffsets,
  values: Float64Array,
  at: number,
): StatusKind {
  if (!offsetsHold(file, length, offsets)) {
    findOffsets(file, length, offsets);
    if (offsets[residentField] === -1) {
      if (stateOf(file, length) !== 0x5a) return "no memory"; // 0x5a: Z
      return threadsIn(file, length, offsets) > 1 ? "leader ended" : "zombie";
    }
  }
  for (let field = 0; field < labels.length; field++) {
    const offset = offsets[field] as number;
    const label = labels[field] as Uint8Array;
    const scale = (statusFields[field] as { scale: number }).scale;
    values[at + field] = offset < 0 ? Number.NaN : digits(file, offset + label.length, length) * scale;
  }
  return "memory";
}

/** A number that changes with the Name line, by which exec is noticed without another read. */
export function nameHash(file: Uint8Array, length: number): number {
  let hash = 0;
  for (let i = 0; i < length && file[i] !== newline; i++) hash = (Math.imul(hash, 31) + (file[i] as number)) | 0;
  return hash;
}

/** Real user id, from the line `Uid:\t<real>\t<effective>\t<saved>\t<fs>`; undefined where there is no such line. */
export function realUid(file: Uint8Array, length: number): number | undefined {
  const text = Buffer.from(file.buffer, file.byteOffset, length).toString("latin1");
  const uid = /\nUid:\t(\d+)/.exec(text)?.[1]; // no ^: a name may hold any other line end than \n
  return uid === undefined ? undefined : Number(uid);
}

/** Descriptors that its table has room for (FDSize), 0 where it is not told. The table never shrinks. */
export function fdTableSize(file: Uint8Array, length: number): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, length);
  const at = bytes.indexOf("\nFDSize:\t");
  return at < 0 ? 0 : Number.parseInt(bytes.toString("latin1", at + 9, at + 20), 10);
}

/** May start threads beyond its user's limit of processes: root, and who may override resource limits. */
export function ignoresProcessesLimit(file: Uint8Array, length: number): boolean {
  const text = Buffer.from(file.buffer, file.byteOffset, length).toString("latin1");
  if (/\nUid:\t0\t/.test(text)) return true;
  const capabilities = /\nCapEff:\t([0-9a-f]+)/.exec(text)?.[1] ?? "0";
  return (BigInt(`0x${capabilities}`) & overridesResourceLimits) !== 0n;
}

/** CAP_SYS_ADMIN and CAP_SYS_RESOURCE, either of which is enough in copy_process() of kernel/fork.c. */
const overridesResourceLimits = (1n << 21n) | (1n << 24n);

function offsetsHold(file: Uint8Array, length: number, offsets: StatusOffsets): boolean {
  if ((offsets[residentField] as number) < 0) return false;
  for (let field = 0; field < labels.length; field++) {
    const offset = offsets[field] as number;
    if (offset >= 0 && !labelStands(file, length, offset, labels[field] as Uint8Array)) return false;
  }
  return true;
}

function labelStands(file: Uint8Array, length: number, offset: number, label: Uint8Array): boolean {
  if (offset + label.length > length) return false;
  for (let i = 0; i < label.length; i++) if (file[offset + i] !== label[i]) return false;
  return true;
}

/** One pass over the lines. The Name line comes first and cannot pose as another: its newlines are escaped. */
function findOffsets(file: Uint8Array, length: number, offsets: StatusOffsets): void {
  offsets.fill(-1);
  for (let lineStart = file.indexOf(newline); lineStart >= 0 && lineStart < length; ) {
    for (let field = 0; field < labels.length; field++) {
      if (offsets[field] === -1 && labelStands(file, length, lineStart, labels[field] as Uint8Array)) {
        offsets[field] = lineStart;
        break;
      }
    }
    lineStart = file.indexOf(newline, lineStart + 1);
  }
}

function threadsIn(file: Uint8Array, length: number, offsets: StatusOffsets): number {
  const offset = offsets[threadsField] as number;
  return offset < 0 ? 1 : digits(file, offset + (labels[threadsField] as Uint8Array).length, length);
}

function stateOf(file: Uint8Array, length: number): number | undefined {
  for (let i = file.indexOf(newline); i >= 0 && i < length; i = file.indexOf(newline, i + 1)) {
    if (labelStands(file, length, i, stateLabel)) return file[i + stateLabel.length];
  }
  return undefined;
}

/** The first decimal number at or after `from`, on the same line; NaN if there is none. */
function digits(file: Uint8Array, from: number, length: number): number {
  let i = from;
  while (i < length && (file[i] === 0x20 || file[i] === 0x09)) i++;
  const start = i;
  let value = 0;
  for (; i < length; i++) {
    const digit = (file[i] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return i === start || file[i] === colon ? Number.NaN : value;
}
