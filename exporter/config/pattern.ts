// Regular expressions of the configuration, in RE2's syntax as everywhere in Prometheus. Their subjects are chosen by the watched processes, and
// JavaScript's own engine takes longer than the universe for some of them; this one takes time in proportion to their length.
// https://github.com/google/re2/wiki/Syntax

import type { RE2JS as Re2 } from "re2js";

/** The engine's package, 5 MB of memory: loaded with the first pattern. */
function engine(): typeof Re2 {
  const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  return (require("re2js") as { RE2JS: typeof Re2 }).RE2JS;
}

/** What most others have: `(?=`, `(?!`, `(?<=`, `(?<!`, `\1`, `\k<name>`. The engine takes some of it for something else. */
const notInRe2 = /\(\?<?[=!]|\\[1-9k]/;

/** What the named groups matched; those that took no part are left out. */
export type Words = Readonly<Record<string, string>>;

/** A pattern that must match the whole text. */
export class Pattern {
  readonly source: string;
  private readonly compiled: Re2;
  private readonly names: readonly string[];

  /** Throws with the engine's reason. */
  constructor(source: string) {
    const RE2JS = engine();
    this.source = source;
    try {
      this.compiled = RE2JS.compile(source, RE2JS.DOTALL);
    } catch (error) {
      if (!notInRe2.test(source)) throw error;
      throw new Error(`${(error as Error).message}; RE2 has no look-ahead, look-behind or back reference`, {
        cause: error,
      });
    }
    this.names = Object.keys(this.compiled.namedGroups());
  }

  /** Fits exactly this text. */
  static exactly(text: string): Pattern {
    return new Pattern(engine().quote(text));
  }

  hasGroup(name: string): boolean {
    return this.names.includes(name);
  }

  /** Undefined where it does not match. */
  match(text: string): Words | undefined {
    if (this.names.length === 0) return this.compiled.matches(text) ? {} : undefined;
    const matcher = this.compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    return Object.fromEntries(
      this.names.flatMap((name) => {
        const word = matcher.group(name);
        return word === null ? [] : [[name, word]];
      }),
    );
  }
}
