// The configuration: what it can say, and what holds when it says nothing. docs/configuration.md explains it to users.

import { sampleIntervalSeconds, sampleMaxAgeSeconds, smaps } from "../../catalog/defaults.ts";
import {
  anchoredPattern,
  byteSize,
  DecodeError,
  type Decoder,
  duration,
  listOf,
  mapping,
  oneOf,
  text,
  wholeNumber,
  yesOrNo,
} from "./decode.ts";
import { type DetectionChanges, decodeDetection } from "./detection.ts";
import { Pattern } from "./pattern.ts";

/** What a process must look like; all that is given must hold. Patterns match the whole text. */
export interface Match {
  /** The name that the process would have without configuration, or the kernel's short name. */
  name?: Pattern;
  /** Path of its program. */
  exe?: Pattern;
  /** Its arguments, joined with blanks. */
  cmdline?: Pattern;
  /** Path of its cgroup. */
  cgroup?: Pattern;
  /** Real user id. */
  uid?: number;
  /** A TCP port on which it listens. */
  port?: number;
}

export interface GroupRule {
  /** Name of the group; `${word}` stands for what the group `(?<word>…)` of a pattern matched. */
  name: string;
  match: Match;
  /** Overrides the limit that is found, in bytes. */
  memoryLimit: number | undefined;
}

export interface Config {
  /** Seconds between two passes over the processes. */
  sampleInterval: number;
  /** A scrape takes a new pass if the last one is older, in seconds. */
  sampleMaxAge: number;
  /** The first rule that matches names the group. */
  groups: readonly GroupRule[];
  /** Processes that are not watched, whatever the rules say. */
  ignore: readonly Match[];
  /** What happens to processes that no rule names. */
  unmatched: "watch" | "ignore";
  /** Limit of processes for which no rule gives one, in bytes. */
  memoryLimit: number | undefined;
  /** Processes that are watched at most; undefined for as many as the exporter's own memory allows. */
  maxProcesses?: number | undefined;
  /** Limit of processes whose cgroup cannot be seen, in bytes: LEAKWATCH_MEMORY_LIMIT, which a pod can tell its sidecar. */
  unseenMemoryLimit?: number;
  /** Goes before default names, with a slash: LEAKWATCH_GROUP_PREFIX, for example the name of the app. */
  groupPrefix?: string;
  /** What is changed of the thresholds of the judge. */
  detection: DetectionChanges;
  /** Price of a GiB of memory for an hour, in any currency; undefined for none. */
  pricePerGibHour?: number;
  smaps: { enabled: boolean; interval: number; maxResident: number; budget: number };
}

export const defaultConfig: Config = {
  sampleInterval: sampleIntervalSeconds,
  sampleMaxAge: sampleMaxAgeSeconds,
  groups: [],
  ignore: [],
  unmatched: "watch",
  memoryLimit: undefined,
  detection: {},
  smaps: {
    enabled: false,
    interval: smaps.intervalSeconds,
    maxResident: smaps.maxResidentBytes,
    budget: smaps.budgetSeconds,
  },
};

const match: Decoder<Match> = (value, path) => {
  const decoded = mapping({
    name: anchoredPattern,
    exe: anchoredPattern,
    cmdline: anchoredPattern,
    cgroup: anchoredPattern,
    uid: wholeNumber(0, 2 ** 32 - 1),
    port: wholeNumber(1, 65_535),
  })(value, path);
  if (Object.keys(decoded).length === 0) {
    throw new DecodeError(path, "at least one of name, exe, cmdline, cgroup, uid, port", undefined);
  }
  return decoded;
};

const groupRule: Decoder<GroupRule> = (value, path) => {
  const decoded = mapping({ name: text, match, memory_limit: byteSize })(value, path);
  if (decoded.name === undefined) throw new DecodeError([...path, "name"], "a text", undefined);
  if (decoded.match === undefined) throw new DecodeError([...path, "match"], "a mapping", undefined);
  for (const [, word] of decoded.name.matchAll(/\$\{(\w*)\}/g)) {
    const named = Object.values(decoded.match).some(
      (pattern) => pattern instanceof Pattern && pattern.hasGroup(word as string),
    );
    if (!named) throw new DecodeError([...path, "name"], `a pattern with (?<${word}>…) for \${${word}}`, decoded.name);
  }
  return { name: decoded.name, match: decoded.match, memoryLimit: decoded.memory_limit };
};

const shortestInterval = 0.5;

const interval: Decoder<number> = (value, path) => {
  const seconds = duration(value, path);
  if (seconds < shortestInterval || seconds > 300) throw new DecodeError(path, "a duration from 500ms to 5m", value);
  return seconds;
};

const price: Decoder<number> = (value, path) => {
  if (typeof value === "number" && value > 0 && value <= 1000) return value;
  throw new DecodeError(path, "a number above 0, up to 1000", value);
};

/** The whole document. An empty one is the default configuration. */
export const decodeConfig: Decoder<Config> = (value, path) => {
  const found = mapping({
    sampling: mapping({ interval, max_age: duration }),
    groups: listOf(groupRule),
    ignore: listOf(match),
    unmatched: oneOf("watch", "ignore"),
    memory_limit: byteSize,
    max_processes: wholeNumber(1, 1_000_000),
    detection: decodeDetection,
    advice: mapping({ price_per_gib_hour: price }),
    smaps: mapping({ enabled: yesOrNo, interval: duration, max_resident: byteSize, budget: duration }),
  })(value ?? {}, path);
  return {
    sampleInterval: found.sampling?.interval ?? defaultConfig.sampleInterval,
    sampleMaxAge: found.sampling?.max_age ?? defaultConfig.sampleMaxAge,
    groups: found.groups ?? defaultConfig.groups,
    ignore: found.ignore ?? defaultConfig.ignore,
    unmatched: found.unmatched ?? defaultConfig.unmatched,
    memoryLimit: found.memory_limit ?? defaultConfig.memoryLimit,
    ...(found.max_processes === undefined ? {} : { maxProcesses: found.max_processes }),
    detection: found.detection ?? defaultConfig.detection,
    ...(found.advice?.price_per_gib_hour === undefined ? {} : { pricePerGibHour: found.advice.price_per_gib_hour }),
    smaps: {
      enabled: found.smaps?.enabled ?? defaultConfig.smaps.enabled,
      interval: found.smaps?.interval ?? defaultConfig.smaps.interval,
      maxResident: found.smaps?.max_resident ?? defaultConfig.smaps.maxResident,
      budget: found.smaps?.budget ?? defaultConfig.smaps.budget,
    },
  };
};
