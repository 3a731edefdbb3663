// Which group a process belongs to: the first rule of the configuration that fits, else its default name.

import type { Config, Match } from "../config/config.ts";
import type { Identity } from "./identity.ts";

export interface Membership {
  group: string;
  /** The limit that the rule, or the configuration as a whole, sets; in bytes. */
  memoryLimit: number | undefined;
}

/** Undefined for a process that is not to be watched. */
export function membership(config: Config, identity: Identity): Membership | undefined {
  if (config.ignore.some((match) => fits(match, identity) !== undefined)) return undefined;
  for (const rule of config.groups) {
    const words = fits(rule.match, identity);
    if (words !== undefined) {
      const group = expand(rule.name, words) || identity.name; // an empty label would be no label
      return { group, memoryLimit: rule.memoryLimit ?? config.memoryLimit };
    }
  }
  if (config.unmatched === "ignore") return undefined;
  return { group: withPrefix(config.groupPrefix, identity.name), memoryLimit: config.memoryLimit };
}

/** `shop` and `server.js` give `shop/server.js`; `nginx` and `nginx` give `nginx`. */
function withPrefix(prefix: string | undefined, name: string): string {
  return prefix === undefined || prefix === name ? name : `${prefix}/${name}`;
}

/** Are listening ports needed at all? They cost a look at every descriptor. */
export function needsPorts(config: Config): boolean {
  return [...config.ignore, ...config.groups.map((rule) => rule.match)].some((match) => match.port !== undefined);
}

type Words = Readonly<Record<string, string>>;

/** What the patterns' named groups matched, or undefined when the process does not fit. */
function fits(match: Match, identity: Identity): Words | undefined {
  if (match.uid !== undefined && match.uid !== identity.uid) return undefined;
  if (match.port !== undefined && !identity.ports.includes(match.port)) return undefined;
  const words: Record<string, string> = {};
  const texts: [RegExp | undefined, (string | undefined)[]][] = [
    [match.name, [identity.name, identity.comm]],
    [match.exe, [identity.exe]],
    [match.cmdline, [identity.cmdline]],
    [match.cgroup, [identity.cgroup?.path]],
  ];
  for (const [pattern, candidates] of texts) {
    if (pattern === undefined) continue;
    const found = candidates.map((text) => (text === undefined ? null : pattern.exec(text))).find((m) => m !== null);
    if (!found) return undefined;
    Object.assign(words, found.groups);
  }
  return words;
}

function expand(name: string, words: Words): string {
  return name.replace(/\$\{(\w+)\}/g, (_, word: string) => words[word] ?? "");
}
