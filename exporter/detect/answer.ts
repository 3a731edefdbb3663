// From what was seen of one process to an answer. A steady rise is not believed until it has gone on for as long again; what the runtime
// itself says is in use is believed before what the kernel sees, in which garbage and free room count too.

import { least, loadRounds, shortRun } from "../../detection/short-run.ts";
import { type Rise, riseOf, type Series } from "./rise.ts";

export const words = ["leaking", "suspicious", "no_leak_seen", "no_verdict"] as const;
/** The gravest first. */
export type Word = (typeof words)[number];

/** What is measured: what the runtime has in use, all of the process's memory, and things that are counted. */
export type Measured = "live" | "memory" | "descriptors" | "threads";

/** What can leak: `outside` is memory of a process whose heap is (nearly) level. */
export type Kind = Measured | "outside";

/**
 * What the runtime says: `collected`: what is in use after a collection; `passive`: with garbage in it; `silent`: it could say it, but was not
 * asked or does not answer; `none`: it is one that does not.
 */
export type RuntimeWord = "collected" | "passive" | "silent" | "none";

/** All that was seen of one process. Kinds that could not be read have no values. */
export interface Evidence {
  readonly runtime: RuntimeWord;
  readonly series: Readonly<Record<Measured, Series>>;
}

/** A stretch of time in which everything is judged; in seconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Answer {
  readonly word: Word;
  /** What decided; for `no_leak_seen` what would have. */
  readonly kind: Kind;
  /** Of that kind, one for each span. */
  readonly rises: readonly Rise[];
  /** Slower growth of that kind would not have been seen, per second; undefined where too little was seen. */
  readonly visibleFrom: number | undefined;
  /** More time could change the answer. */
  readonly isWeak: boolean;
}

/** `lasting`: steady in each of two spans; `once`: in one of them, or all together; `none` else. */
type Course = "lasting" | "once" | "none";

interface Judged {
  readonly kind: Kind;
  readonly course: Course;
  readonly rises: readonly Rise[];
}

/** One span, or two that follow each other. */
export function answerOf({ runtime, series }: Evidence, spans: readonly Span[]): Answer {
  const judged = (kind: Measured, as: Kind = kind) => judge(as, series[kind], spans);
  const live = judged("live");
  const known: RuntimeWord = live === undefined && runtime === "collected" ? "silent" : runtime;
  const memory = judged("memory", known === "collected" ? "outside" : "memory");
  const main = known === "collected" ? live : memory;
  if (main === undefined || spans.length === 0)
    return { word: "no_verdict", kind: "memory", rises: [], visibleFrom: undefined, isWeak: false };
  const { guilty, suspects } = weigh(known, { memory, live });
  for (const counted of [judged("descriptors"), judged("threads")]) {
    if (counted?.course === "lasting") guilty.push(counted);
    if (counted?.course === "once") suspects.push(counted);
  }
  const decisive = guilty[0] ?? suspects[0] ?? main;
  const word = guilty.length > 0 ? "leaking" : suspects.length > 0 ? "suspicious" : "no_leak_seen";
  return {
    word,
    kind: decisive.kind,
    rises: decisive.rises,
    visibleFrom: visibleFrom(decisive.rises),
    isWeak: word !== "no_leak_seen" || mayRise(main.rises.at(-1)) || known !== runtime,
  };
}

type MemoryKinds = Record<"memory" | "live", Judged | undefined>;

/** Which of a process's memory leaks for certain, and which may. */
function weigh(runtime: RuntimeWord, { memory, live }: MemoryKinds): { guilty: Judged[]; suspects: Judged[] } {
  const isOutside = runtime === "collected" && live !== undefined && memory !== undefined && !accountsFor(live, memory);
  // what an allocator and a heap keep beside a level heap has an end: that is known after the second span
  const isAcquitted = isOutside && live.course === "none" && memory.course === "once" && memory.rises.length > 1;
  const charges: { judged: Judged; convicts: boolean }[] = [];
  if (live !== undefined && (runtime === "collected" || runtime === "passive"))
    charges.push({ judged: live, convicts: runtime === "collected" });
  if (memory !== undefined && !isAcquitted) charges.push({ judged: memory, convicts: runtime === "none" || isOutside });
  if (isOutside) charges.reverse();
  const isProven = ({ judged, convicts }: (typeof charges)[number]) => convicts && judged.course === "lasting";
  return {
    guilty: charges.filter(isProven).map(({ judged }) => judged),
    suspects: charges
      .filter((charge) => charge.judged.course !== "none" && !isProven(charge))
      .map(({ judged }) => judged),
  };
}

/** Is the growth of the process that of the memory in use? Native memory often has a small object in the heap that owns it. */
const accountsFor = (live: Judged, memory: Judged): boolean =>
  memory.rises.some(({ pace }, i) => pace > 0 && (live.rises[i]?.pace ?? Number.NaN) >= shortRun.inUse * pace);

function judge(kind: Kind, series: Series, spans: readonly Span[]): Judged | undefined {
  const rise = ({ start, end }: Span) => riseOf(series, start, end, least[kind]);
  const rises = spans.map(rise).filter((one) => one !== undefined);
  if (rises.length < spans.length) return undefined;
  const [first, second] = rises;
  const course = (): Course => {
    if (first === undefined) return "none";
    if (second === undefined) return first.isSteady ? "once" : "none";
    const whole = rise({ start: (spans[0] as Span).start, end: (spans.at(-1) as Span).end });
    if (second.isSteady && second.pace >= leastLasting(first, whole?.isSteady === true)) return "lasting";
    return second.isSteady || whole?.isSteady ? "once" : "none";
  };
  return { kind, course: course(), rises };
}

const mayRise = (last: Rise | undefined): boolean => last?.lastPace !== undefined || last?.isNearlySteady === true;

/** The pace at which growth must go on to be lasting, per second. */
function leastLasting(
  { isSteady, isNearlySteady, pace, lastPace = Number.POSITIVE_INFINITY }: Rise,
  isSteadyAsAWhole: boolean,
): number {
  if (isSteady) return shortRun.lasting * pace;
  return shortRun.lastingAfterWarmUp * (isNearlySteady && isSteadyAsAWhole ? Math.min(pace, lastPace) : lastPace);
}

/** What rises at the end of the first span is observed for a second one, in which a leak is steady. Per second. */
function visibleFrom([first, second]: readonly Rise[]): number | undefined {
  if (first === undefined) return undefined;
  return second === undefined ? Math.min(first.steadyFrom, first.risingFrom) : second.steadyFrom;
}

/** Levels after each load and the time to forget it; NaN for what could not be read. */
export type Levels = Readonly<Record<Measured, readonly number[]>>;

export interface LoadAnswer {
  readonly word: Word;
  readonly kind: Kind;
  /** From one load to the next. */
  readonly gains: readonly number[];
  /** A load would have had to leave so much. */
  readonly visibleFrom: number;
}

/** What only a leak does: it grows by a load that is not the first, and again by the next. The first fills and warms up. */
export function answerOfLoads(runtime: RuntimeWord, levels: Levels): LoadAnswer {
  const isCollected = runtime === "collected" && levels.live.every((level) => !Number.isNaN(level));
  const memory = isCollected ? (["live", "outside"] as const) : (["memory"] as const);
  const answers = [...memory, "descriptors" as const, "threads" as const].map((kind): LoadAnswer => {
    const measured = levels[kind === "outside" ? "memory" : kind];
    const gains = gainsOf(measured);
    const leastGain = Math.max(least[kind].total, least[kind].share * (measured[0] ?? Number.NaN));
    const [second = Number.NaN, third] = gains;
    const grew = (gain: number | undefined): gain is number => gain !== undefined && gain >= leastGain;
    const word = (): Word => {
      if (Number.isNaN(second)) return "no_verdict";
      if (!grew(second)) return "no_leak_seen";
      if (third !== undefined && !grew(third)) return "no_leak_seen";
      // what an allocator keeps beside a level heap has an end: it slows down
      if (third !== undefined && kind === "outside" && third < shortRun.lasting * second) return "no_leak_seen";
      const convicts = kind !== "outside" && (kind !== "memory" || runtime === "none");
      return third !== undefined && third >= shortRun.lasting * second && convicts ? "leaking" : "suspicious";
    };
    return { word: word(), kind, gains, visibleFrom: leastGain };
  });
  const [main] = answers;
  if (main?.word === "no_verdict") return main;
  return answers.reduce((a, b) => (words.indexOf(b.word) < words.indexOf(a.word) ? b : a));
}

const gainsOf = (levels: readonly number[]) => levels.slice(1).map((level, i) => level - (levels[i] as number));

/** Is another load needed, after so many? */
export const needsLoad = ({ word }: LoadAnswer, loads: number): boolean =>
  loads < 2 || (loads < loadRounds.most && word === "suspicious");
