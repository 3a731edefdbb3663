// A process' arguments as everything else sees them: few, short, and without secrets. A process can have megabytes of them.

import { sizes } from "../../catalog/defaults.ts";
import { redacted, withoutSecrets } from "../text/secrets.ts";

/** Stands in place of an argument that is too long, and of those in the middle of too many. */
const leftOut = "…";

/** No script, module or archive. */
export const isPlaceholder = (argument: string): boolean => argument === leftOut || argument.includes(redacted);

/**
 * The arguments without secrets. Single ones that are too long are replaced, and of too many the first and the last are kept:
 * a program's name stands before its options, and a Java class behind kilobytes of class path.
 */
export function safeArguments(argv: readonly string[]): string[] {
  if (argv.length === 1) return withoutSecrets([firstWords(argv[0] as string)]);
  const short = argv.map((argument) => (argument.length > sizes.argument ? leftOut : argument));
  const head = fitting(short, 0, 1);
  const tail = short.length - fitting(short, short.length - 1, -1);
  if (tail <= head) return withoutSecrets(short); // each fits into one of the halves
  // those between are followed as well: the program and its options decide what is a secret
  const safe = withoutSecrets(short, (i) => i < head || i >= tail);
  return [...safe.slice(0, head), leftOut, ...safe.slice(tail)];
}

/** How many arguments from there on fit into half of the room. */
function fitting(argv: readonly string[], from: number, step: 1 | -1): number {
  let room = sizes.arguments / 2;
  let count = 0;
  for (let i = from; i >= 0 && i < argv.length; i += step) {
    room -= (argv[i] as string).length + 1;
    if (room < 0) break;
    count++;
  }
  return count;
}

/** Of a title, or of a path without arguments; whole words, since half of one may not be recognised as a secret. */
function firstWords(title: string): string {
  if (title.length <= sizes.argument) return title;
  const first = title.slice(0, sizes.argument);
  return `${first.slice(0, Math.max(0, first.lastIndexOf(" ")))}${leftOut}`;
}
