// Small words for sentences.

/** `1 process`, `3 processes`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export const processes = (n: number) => counted(n, "process", "processes");

/** `all 3 processes`, `1 of 3 processes`, `the only process`. */
export function share(n: number, all: number): string {
  if (all === 1) return n === 1 ? "the only process" : "no process";
  if (n === 0) return `none of ${processes(all)}`;
  if (n === 2 && all === 2) return "both processes";
  return n === all ? `all ${processes(all)}` : `${n} of ${processes(all)}`;
}

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The first few, and how many more there are. */
export function someOf(words: readonly string[], few = 5): string {
  return words.length <= few + 1 ? listed(words) : `${words.slice(0, few).join(", ")} and ${words.length - few} more`;
}

/** How often each occurs, the most frequent first: `nginx (3)`, `java`. */
export function tally(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([word, n]) => (n === 1 ? word : `${word} (${n})`));
}
