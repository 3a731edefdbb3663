// The largest heap of a JVM (HotSpot). Beside it a JVM needs memory for code, threads and buffers, which nothing limits.
//   java -Xmx512m -XX:+ExitOnOutOfMemoryError    exit code 3; with CrashOnOutOfMemoryError it aborts
//   JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75    of the container's limit, else of the machine's memory
// What comes later wins: JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS, the arguments, _JAVA_OPTIONS. A size beats a share.
// https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html

import { GiB, KiB, MiB } from "../../../catalog/defaults.ts";
import { aborted, type HeapLimitSource, type HeapSetting, type HeapSize } from "./heap-limit.ts";
import { optionWords } from "./words.ts";

/** Bytes and percent. */
export interface JvmOptions {
  readonly maxHeap?: number;
  readonly initialHeap?: number;
  readonly maxRam?: number;
  readonly maxRamPercentage?: number;
  readonly minRamPercentage?: number;
  readonly maxRamFraction?: number;
  readonly exitsOnOutOfMemory?: boolean;
  readonly seesContainer?: boolean;
  /** A file of options that is not read, or an option that changes the rules: only a size that comes later is sure. */
  readonly isUnsure?: true;
}

export interface JvmEnvironment {
  /** JAVA_TOOL_OPTIONS. */
  readonly tool: JvmOptions;
  /** JDK_JAVA_OPTIONS. */
  readonly launcher: JvmOptions;
  /** _JAVA_OPTIONS. */
  readonly last: JvmOptions;
}

const units: Record<string, number> = { "": 1, k: KiB, m: MiB, g: GiB, t: 1024 * GiB };

/** The heap that a JVM takes of a machine too small for the share (96 MiB and 30 %, for pointers of 64 bits), as the default of MaxHeapSize. */
const smallHeap = Math.floor((96 * MiB * 1.3) / (64 * KiB)) * 64 * KiB;

/** From here on compressed pointers bound the default, by how the address space looks. */
const plainUpTo = 120 * GiB;

type Draft = { -readonly [Name in keyof JvmOptions]: JvmOptions[Name] };

const sizes: readonly [RegExp, "maxHeap" | "initialHeap" | "maxRam"][] = [
  [/^(?:-Xmx|-mx|-XX:MaxHeapSize=)(0x[\da-f]+|\d+)([kmgt]?)$/i, "maxHeap"],
  [/^(?:-Xms|-ms|-XX:InitialHeapSize=)(0x[\da-f]+|\d+)([kmgt]?)$/i, "initialHeap"],
  [/^-XX:MaxRAM=(0x[\da-f]+|\d+)([kmgt]?)$/i, "maxRam"],
];

const numbers: readonly [RegExp, "maxRamPercentage" | "minRamPercentage" | "maxRamFraction"][] = [
  [/^-XX:MaxRAMPercentage=([\d.]+)$/, "maxRamPercentage"],
  [/^-XX:MinRAMPercentage=([\d.]+)$/, "minRamPercentage"],
  [/^-XX:MaxRAMFraction=(\d+)$/, "maxRamFraction"],
];

const flags: readonly [RegExp, (on: boolean) => Draft][] = [
  [/^-XX:([+-])(?:ExitOnOutOfMemoryError)$/, (on) => ({ exitsOnOutOfMemory: on })],
  [/^-XX:([+-])(?:UseContainerSupport)$/, (on) => ({ seesContainer: on })],
];

/** Files of options, rules of their own, and the options of another JVM (OpenJ9), whose defaults differ. */
const unsure =
  /^(?:@|-XX:(?:VMOptionsFile|Flags|ErgoHeapSizeLimit)=|-XX:\+AggressiveHeap$|-Xshareclasses|-Xgcpolicy|-Xquickstart)/;

/** Of options in the order in which they are given. */
export function readJvmOptions(words: readonly string[]): JvmOptions {
  let options: Draft = {};
  for (const word of words) {
    if (unsure.test(word)) options = { isUnsure: true };
    for (const [pattern, name] of sizes) {
      const [, number, unit] = pattern.exec(word) ?? [];
      if (number !== undefined) options[name] = Number(number) * (units[(unit ?? "").toLowerCase()] as number);
    }
    for (const [pattern, name] of numbers) {
      const [, number] = pattern.exec(word) ?? [];
      if (number !== undefined) options[name] = Number(number);
    }
    for (const [pattern, set] of flags) {
      const [, sign] = pattern.exec(word) ?? [];
      if (sign !== undefined) Object.assign(options, set(sign === "+"));
    }
  }
  return options;
}

export const readJavaVariable = (text: string): JvmOptions => readJvmOptions(optionWords(text, "\"'"));

/** `environment` is undefined where it may not be read; then only what the arguments set is known. */
export function jvmSetting(argv: JvmOptions, environment: JvmEnvironment | undefined): HeapSetting | undefined {
  const { tool = {}, launcher = {}, last = {} } = environment ?? {};
  const all = [tool, launcher, argv, last].reduce(over, {});
  const sourceOf = (...names: (keyof JvmOptions)[]): HeapLimitSource => {
    const set = ({ ...options }: JvmOptions) => names.some((name) => options[name] !== undefined);
    if (set(last)) return "environment";
    return set(argv) ? "command_line" : set(tool) || set(launcher) ? "environment" : "default";
  };
  const source =
    all.maxHeap === undefined ? sourceOf("maxRamPercentage", "maxRamFraction", "maxRam") : sourceOf("maxHeap");
  if (all.maxHeap === undefined && all.isUnsure) return undefined;
  if (source === "default" && environment === undefined) return undefined;
  return {
    runtime: "jvm",
    source,
    kind: "hard",
    exitCodes: all.exitsOnOutOfMemory ? [3, aborted] : [aborted],
    size: all.maxHeap === undefined ? shareOf(all) : { bytes: all.maxHeap },
  };
}

const over = (before: JvmOptions, after: JvmOptions): JvmOptions => (after.isUnsure ? after : { ...before, ...after });

function shareOf(options: JvmOptions): HeapSize {
  const {
    initialHeap = 0,
    maxRam,
    maxRamPercentage,
    maxRamFraction,
    minRamPercentage = 50,
    seesContainer = true,
  } = options;
  const share = (maxRamPercentage ?? (maxRamFraction ? 100 / maxRamFraction : 25)) / 100;
  const small = { share: minRamPercentage / 100, heap: smallHeap };
  if (maxRam === undefined) {
    return {
      share,
      small,
      atLeast: initialHeap,
      upTo: plainUpTo,
      ...(seesContainer ? {} : { ofMachine: true as const }),
    };
  }
  const least = small.share * maxRam < smallHeap ? small.share * maxRam : Math.max(share * maxRam, smallHeap);
  return { bytes: Math.floor(Math.max(least, initialHeap)) };
}
