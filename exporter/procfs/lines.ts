// Shared by the parsers of files that are read now and then. The hot one, status.ts, works on bytes instead.

import { KiB } from "../../catalog/defaults.ts";
import { FormatError } from "../kernel/files.ts";

/** `Name:   123 kB` lines as bytes by name. Lines of another shape are skipped: newer kernels add some. */
export function parseKibFields(text: string): Map<string, number> {
  const fields = new Map<string, number>();
  for (const [, name, kib] of text.matchAll(/^([\w()]+):\s+(\d+) kB$/gm)) fields.set(name as string, Number(kib) * KiB);
  return fields;
}

/** `name 123` lines as numbers by name. */
export function parseCounters(text: string): Map<string, number> {
  const fields = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^(\w+) (\d+)$/gm)) fields.set(name as string, Number(value));
  return fields;
}

/** The number of one line `name 123`; undefined where there is none. For a few numbers of a long file. */
export function counter(text: string, name: string): number | undefined {
  const inside = text.indexOf(`\n${name} `);
  if (inside < 0 && !text.startsWith(`${name} `)) return undefined;
  const start = inside + 1; // 0 where it is the first line
  const end = text.indexOf("\n", start);
  const digits = text.slice(start + name.length + 1, end < 0 ? undefined : end);
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** A field that every kernel has; its absence means that the file is not what we think it is. */
export function required(fields: Map<string, number>, name: string): number {
  const value = fields.get(name);
  if (value === undefined) throw new FormatError(`missing field ${name}`);
  return value;
}
