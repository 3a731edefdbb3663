// GOMEMLIMIT, the memory limit of the Go runtime: bytes, or a number with B, KiB, MiB, GiB or TiB; `off` for none. It is soft: near it the garbage
// collector works ever harder, and the process is not stopped. There is none by default. A program may set another from within, which nobody sees.
// https://pkg.go.dev/runtime#hdr-Environment_Variables

import { GiB, KiB, MiB } from "../../../catalog/defaults.ts";
import type { HeapSetting } from "./heap-limit.ts";

const units: Record<string, number> = { "": 1, B: 1, KiB, MiB, GiB, TiB: 1024 * GiB };

/** In bytes; undefined for `off`, and for what the runtime would not start with. */
export function readGoMemLimit(text: string): number | undefined {
  const [, number, unit] = /^(\d+)(|B|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit ?? ""] as number);
}

export const goSetting = (bytes: number): HeapSetting => ({
  runtime: "go",
  source: "environment",
  kind: "soft",
  exitCodes: [],
  size: { bytes },
});

/** Bytes of a program that hold its headers and notes, wherever linkers put them. */
export const headBytes = 16 * KiB;

const noteSegment = 4;
const goBuildId = 4;

/**
 * Is this the beginning of a program that Go's linker made? Such programs have a note with the name `Go`. Every program in a container
 * inherits the variable; only these obey it. https://refspecs.linuxfoundation.org/elf/elf.pdf
 */
export function isGoProgram(head: Buffer): boolean {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return false;
  const is64 = head[4] === 2;
  if (!is64 || head[5] !== 1) return false; // the machines that this program runs on
  const table = Number(head.readBigUInt64LE(32));
  const [size, count] = [head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    if (size < 56 || at + size > head.length) return false;
    if (head.readUInt32LE(at) !== noteSegment) continue;
    const [offset, length] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))];
    if (hasGoNote(head.subarray(offset, offset + length))) return true;
  }
  return false;
}

function hasGoNote(notes: Buffer): boolean {
  for (let at = 0; at + 12 <= notes.length; ) {
    const [name, description, type] = [0, 4, 8].map((field) => notes.readUInt32LE(at + field)) as [
      number,
      number,
      number,
    ];
    if (type === goBuildId && notes.toString("latin1", at + 12, at + 14) === "Go" && name <= 4) return true;
    at += 12 + padded(name) + padded(description);
  }
  return false;
}

const padded = (bytes: number) => Math.ceil(bytes / 4) * 4;
