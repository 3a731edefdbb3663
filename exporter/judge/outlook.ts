// What would change the judge's mind: what the nearest claim still lacks, or what ends the one that is held.

import { KiB } from "../../catalog/defaults.ts";
import type { JudgeSettings } from "../../detection/judge.ts";
import { at, type ShapeName, shapeSize } from "../../detection/shape.ts";
import { lengthOf, type Window, windows } from "../../detection/windows.ts";
import type { Finding, ServiceFinding } from "./finding.ts";
import type { Shapes } from "./shape.ts";

/** One condition. Times in seconds, memory in bytes, the rest as shares. */
export type Change =
  | { readonly kind: "moreData"; readonly seconds: number }
  | { readonly kind: "growsAtAll"; readonly bytes: number; readonly seconds: number }
  | { readonly kind: "growsMore"; readonly bytes: number; readonly seconds: number }
  | { readonly kind: "exceedsPeak"; readonly bytes: number }
  | { readonly kind: "exceedsEarlierLives"; readonly bytes: number }
  | { readonly kind: "steadier"; readonly most: number; readonly now: number }
  | { readonly kind: "withoutPause"; readonly least: number; readonly now: number }
  | { readonly kind: "withoutStep"; readonly most: number; readonly now: number }
  | { readonly kind: "goesOn"; readonly seconds: number }
  | { readonly kind: "nearerLimit"; readonly within: number; readonly now: number }
  | { readonly kind: "holds" }
  | { readonly kind: "morePoints"; readonly points: number; readonly threshold: number }
  | { readonly kind: "stops"; readonly seconds: number }
  | { readonly kind: "fewerGrow"; readonly share: number };

/** A claim of windows, with its bounds by place in a shape. */
export interface Bounds {
  readonly first: number;
  readonly last: number;
  readonly atLeast: readonly (readonly [column: number, bound: number])[];
  readonly atMost: readonly (readonly [column: number, bound: number])[];
}

/** Seconds: the card is about hours and days, from its shortest window on. */
const ofCard = lengthOf(windows.find(({ scale }) => scale === "halfHours") as Window);
/** What lacks more than this is far from a leak in every way, and no list helps. */
const mostConditions = 4;

/** What the claim lacks that is nearest to being made, in the window where it lacks least; empty where none is near. */
export function lacking(shapes: Shapes, rules: readonly Bounds[]): readonly Change[] {
  let best: { readonly rule: Bounds; readonly window: number; readonly unmet: readonly ShapeName[] } | undefined;
  for (const rule of rules) {
    for (let window = rule.first; window <= rule.last; window++) {
      if (!shapes.has(window) || !(shapes.get(window, "pace") > 0)) continue;
      const unmet = unmetIn(shapes, window, rule);
      if (best === undefined || unmet.length < best.unmet.length) best = { rule, window, unmet };
    }
  }
  if (best === undefined || best.unmet.length > mostConditions) return [];
  const { rule, window, unmet } = best;
  if (unmet.length === 0) return [{ kind: "holds" }];
  const changes = unmet.flatMap((name) => changeOf(shapes, window, rule, name) ?? []);
  return changes.filter((one, i) => changes.findIndex(({ kind }) => kind === one.kind) === i);
}

const nameOf = Object.fromEntries(Object.entries(at).map(([name, place]) => [place, name])) as Record<
  number,
  ShapeName
>;

function unmetIn({ values }: Shapes, window: number, { atLeast, atMost }: Bounds): ShapeName[] {
  const row = window * shapeSize;
  const tooLow = atLeast.filter(([column, bound]) => !((values[row + column] as number) >= bound));
  const tooHigh = atMost.filter(([column, bound]) => !((values[row + column] as number) <= bound));
  return [...tooLow, ...tooHigh].map(([column]) => nameOf[column] as ShapeName);
}

/** In words' terms: several numbers of a shape say the same to a person. */
function changeOf(shapes: Shapes, window: number, { atLeast, atMost }: Bounds, name: ShapeName): Change | undefined {
  const bound = [...atLeast, ...atMost].find(([column]) => column === at[name])?.[1] as number;
  const now = shapes.get(window, name);
  const seconds = shapes.length(window);
  const rise = shapes.get(window, "pace") * ((seconds * 8) / 9) * KiB;
  switch (name) {
    case "gain":
    case "swing":
    case "birth":
      return { kind: "growsMore", bytes: (rise * bound) / Math.max(now, 1e-3), seconds };
    case "new":
      return { kind: "exceedsPeak", bytes: (bound - now) * rise };
    case "life":
      return { kind: "exceedsEarlierLives", bytes: (bound - now) * rise };
    case "noise":
      return { kind: "steadier", most: bound, now };
    case "slowest":
      return { kind: "withoutPause", least: bound, now };
    case "biggest":
      return { kind: "withoutStep", most: bound, now };
    case "last":
    case "reach":
    case "bend":
      return { kind: "goesOn", seconds };
    case "ahead":
      return { kind: "nearerLimit", within: bound * seconds, now: shapes.get(window, "timeLeft") };
    default:
      return undefined;
  }
}

/**
 * What would change the finding of a process. `look` says how its memory grows now, and the card's points; it is asked only where that
 * matters.
 */
export function outlookOf(
  finding: Finding,
  settings: JudgeSettings,
  look: () => { readonly shapes: Shapes; readonly rules: readonly Bounds[]; readonly points: number },
): readonly Change[] {
  const { words, speed, card, keepCard, keepClaim } = settings;
  if (finding.rule !== undefined)
    return [{ kind: "stops", seconds: (finding.rule === "card" ? keepCard : keepClaim) / speed }];
  if (finding.watched < finding.needed) return [{ kind: "moreData", seconds: finding.needed - finding.watched }];
  if (finding.word === "stable" || finding.word === "high_stable" || finding.word === "spiky") {
    if (finding.floor === undefined) return [];
    const bytes = Math.max(words.notableBytes, words.notable * finding.floor);
    return [{ kind: "growsAtAll", bytes, seconds: lengthOf(windows[0] as Window) / speed }];
  }
  const { shapes, rules, points } = look();
  const changes = lacking(shapes, rules);
  const isOld = finding.watched * speed >= ofCard;
  return isOld ? [...changes, { kind: "morePoints", points, threshold: card.threshold }] : changes;
}

/** The same of a service; empty where its processes say it. */
export function serviceOutlook({ word, reasons }: ServiceFinding, { endedLives }: JudgeSettings): readonly Change[] {
  if (word !== "masked_leak") return [];
  const why = reasons.find((reason) => reason.kind === "endedGrowing");
  const grown = endedLives.grown.filter(({ over }) => over === why?.seconds).map(({ share }) => share);
  return [{ kind: "fewerGrow", share: why?.killed ? endedLives.killed.share : Math.min(...grown, 1) }];
}
