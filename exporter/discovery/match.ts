// Which group a process belongs to: the first rule of the configuration that fits, else its default name.

import type { Config, Match } from "../config/config.ts";
import type { Pattern, Words } from "../config/pattern.ts";
import { cutName } from "../text/visible.ts";
import type { Candidate } from "./identity.ts";

export interface Membership {
  /** Cut, and without characters that act on a terminal: it becomes a label on every series. */
  group: string;
  /** The limit that the rule, or the configuration as a whole, sets; in bytes. */
  memoryLimit: number | undefined;
  /** Does a rule name it, or is the name the default one? */
  isConfigured: boolean;
}

/** Undefined for a process that is not to be watched. */
export function membership(config: Config, identity: Candidate): Membership | undefined {
  if (config.ignore.some((match) => fits(match, identity) !== undefined)) return undefined;
  for (const rule of config.groups) {
    const words = fits(rule.match, identity);
    if (words !== undefined) {
      const group = expand(rule.name, words) || identity.name; // an empty label would be no label
      return { group: cutName(group), memoryLimit: rule.memoryLimit ?? config.memoryLimit, isConfigured: true };
    }
  }
  if (config.unmatched === "ignore") return undefined;
  return {
    group: cutName(withPrefix(config.groupPrefix, identity.name)),
    memoryLimit: config.memoryLimit,
    isConfigured: false,
  };
}

/** `shop` and `server.js` give `shop/server.js`; `nginx` and `nginx` give `nginx`. */
function withPrefix(prefix: string | undefined, name: string): string {
  return prefix === undefined || prefix === name ? name : `${prefix}/${name}`;
}

/** Are listening ports needed at all? They cost a look at every descriptor. */
export function needsPorts(config: Config): boolean {
  return [...config.ignore, ...config.groups.map((rule) => rule.match)].some((match) => match.port !== undefined);
}

/** What the patterns' named groups matched, or undefined when the process does not fit. */
function fits(match: Match, identity: Candidate): Words | undefined {
  if (match.uid !== undefined && match.uid !== identity.uid) return undefined;
  if (match.port !== undefined && !identity.ports.includes(match.port)) return undefined;
  const words: Record<string, string> = {};
  const texts: [Pattern | undefined, (string | undefined)[]][] = [
    [match.name, [identity.name, identity.programName, identity.comm]],
    [match.exe, [identity.exe]],
    [match.cmdline, [identity.cmdline]],
    [match.cgroup, [identity.cgroup?.path]],
  ];
  for (const [pattern, candidates] of texts) {
    if (pattern === undefined) continue;
    const found = firstMatch(pattern, candidates);
    if (found === undefined) return undefined;
    Object.assign(words, found);
  }
  return words;
}

function firstMatch(pattern: Pattern, candidates: readonly (string | undefined)[]): Words | undefined {
  for (const text of candidates) {
    const found = text === undefined ? undefined : pattern.match(text);
    if (found !== undefined) return found;
  }
  return undefined;
}

function expand(name: string, words: Words): string {
  return name.replace(/\$\{(\w+)\}/g, (_, word: string) => words[word] ?? "");
}
