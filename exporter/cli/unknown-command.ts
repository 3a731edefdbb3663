// A first word that is no command. The parser would take it for an argument of `serve`, which runs without a command.

import type { Command } from "commander";

/** Ends with an error that lists the commands, and suggests the nearest. */
export function refuseUnknownCommand(program: Command, words: readonly string[]): void {
  const word = words[0] === "help" ? words[1] : words[0];
  const names = [...program.commands.map((command) => command.name()), "help"];
  if (word === undefined || word.startsWith("-") || names.includes(word)) return;
  const nearest = nearestTo(word, names);
  const hint = nearest === undefined ? "" : `\n(Did you mean ${nearest}?)`;
  program.error(`error: unknown command '${word}'. Commands: ${names.join(", ")}.${hint}`, {
    code: "commander.unknownCommand",
  });
}

/** With two mistakes at most, and fewer than half of its letters wrong. */
export function nearestTo(word: string, names: readonly string[]): string | undefined {
  if (word.length > 32) return undefined;
  const distances = names.map((name) => ({ name, distance: distance(word, name) }));
  return distances
    .filter(({ name, distance }) => distance <= 2 && distance < name.length / 2)
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** Letters to insert, to leave out, to replace, or to exchange with the next (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const at = (up: number, left: number) => rows[i - up]?.[j - left] ?? Number.POSITIVE_INFINITY;
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(1, 0) + 1,
        (row[j - 1] as number) + 1,
        at(1, 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        isExchange ? at(2, 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) as number;
}
