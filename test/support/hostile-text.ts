// Texts that a process may put into its arguments, its name or its paths to make whoever reads them work for hours: long runs of
// what patterns begin with.

import { KiB } from "../../catalog/defaults.ts";

/** As long as a single argument can be (MAX_ARG_STRLEN). */
const longest = 128 * KiB;

const units = [
  "a",
  "=",
  ":",
  "://",
  "@",
  '"a":"',
  "'",
  '"',
  "\\",
  " ",
  "-",
  "/",
  ".",
  "password ",
  "password=",
  "key=",
  "pass=x;",
  "--token ",
  "Bearer ",
  "eyJ",
  "-----BEGIN A-----",
  "mc alias set ",
  "\0",
  "\n",
  "\u202e",
  "\ud83d\ude00",
  "\ud83d",
  "a=",
  "a:b@",
  "x://a@",
];

/** By what they are made of. */
export const hostileTexts: readonly (readonly [unit: string, text: string])[] = [
  ...units.map((unit) => [unit, unit.repeat(longest / unit.length)] as const),
  // what would end it stands at the very end, or is missing
  ...["a", "=", "a:", "key=", " "].map((unit) => [`${unit}…@`, `${unit.repeat(longest / unit.length)}@`] as const),
  ...["\\", "x://a", "password=", "a "].map((unit) => [`"${unit}…`, `"${unit.repeat(longest / unit.length)}`] as const),
];

/** Linear work on one such text takes some hundredths of a second of CPU; what is quadratic takes ten seconds and more. */
export const mostCpuSeconds = 1;

/** CPU time that this thread takes for the work, in seconds: what else runs on the machine does not count. */
export function cpuSeconds(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}
