// The tables of thresholds in docs/detection.md, from detection/. The page itself is written by hand; a table stands between two comments.

import { verdicts } from "../catalog/verdicts.ts";
import type { CardTable } from "../detection/card.ts";
import { countLeak } from "../detection/counts.ts";
import { judgeSettings, type WindowRule, windowRules } from "../detection/judge.ts";
import { type ShapeName, shapeNames } from "../detection/shape.ts";
import { blocks, scales, windows } from "../detection/windows.ts";
import { humanDuration } from "../exporter/text/human.ts";

/** What a bound is about. */
const meaning: Partial<Record<ShapeName, string>> = {
  gain: "growth, as a share of the memory",
  slowest: "pace of the slowest quarter, to the mean pace",
  biggest: "pace of the fastest quarter, to the mean pace",
  reach: "growth still to come if it goes on slowing down like this, to the room that is left",
  ahead: "time left at this pace, in windows",
  noise: "deviation of the minima from a straight line, to the growth",
  swing: "growth, to the largest fall of the day before",
  new: "share of the growth above the highest peak of the day before",
  life: "share of the growth above what earlier processes of the service had at this age",
  last: "pace of the last ninth, to the mean pace",
  birth: "pace since its tenth minute, to the pace of the window",
};

const number = (value: number) => String(value);
const time = (seconds: number) => humanDuration(seconds);
const row = (...cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(...head), `|${"---|".repeat(head.length)}`, ...rows.map((cells) => row(...cells))].join("\n");

function rulesTable(): string {
  const asked = shapeNames.filter((name) =>
    windowRules.some(({ atLeast, atMost }) => atLeast[name] !== undefined || atMost[name] !== undefined),
  );
  const bounds = asked.map((name) => {
    const text = meaning[name];
    if (text === undefined) throw new Error(`docs/detection.md has no words for ${name}`);
    return [
      text,
      ...windowRules.map(({ atLeast, atMost }) => [bound("≥", atLeast[name]), bound("≤", atMost[name])].join("")),
    ];
  });
  const of = (value: (rule: WindowRule) => string) => windowRules.map(value);
  return table(
    ["", ...of(({ name }) => `\`${name}\``)],
    [
      ["windows", ...of(({ from, to }) => `${from} to ${to}`)],
      ["must hold for", ...of((rule) => time(rule.for))],
      ["only of processes younger than", ...of(({ maximumAge }) => (maximumAge === undefined ? "" : time(maximumAge)))],
      [
        "critical with at most so many windows left",
        ...of(({ criticalAhead }) => (criticalAhead > 0 ? String(criticalAhead) : "never")),
      ],
      ...bounds,
    ],
  );
}

const bound = (sign: string, value: number | undefined) => (value === undefined ? "" : `${sign} ${number(value)}`);

function cardTable(): string {
  const { card, cardFor } = judgeSettings;
  const questions = (one: CardTable): number =>
    typeof one === "number" ? 0 : 1 + questions(one[3]) + questions(one[4]);
  const deepest = (one: CardTable): number =>
    typeof one === "number" ? 0 : 1 + Math.max(deepest(one[3]), deepest(one[4]));
  return table(
    ["The card of points", ""],
    [
      ["numbers that it may ask for", number(card.features.length)],
      ["tables", number(card.tables.length)],
      ["questions in all", number(card.tables.reduce<number>((sum, one) => sum + questions(one), 0))],
      ["questions to one answer of a table, at most", number(Math.max(...card.tables.map(deepest)))],
      ["points to begin with", number(card.base)],
      ["points that are a leak", number(card.threshold)],
      ["… which must hold for", time(cardFor)],
    ],
  );
}

function severityTable(): string {
  const { critical, high, medium } = judgeSettings.severityTimes;
  return table(
    ["Severity", "Number", "Time left, at most"],
    [
      ["critical", "4", `${time(critical)}, and a rule says so that may be critical`],
      ["high", "3", `${time(high)}; or restarts mask a leak`],
      ["medium", "2", time(medium)],
      ["low", "1", "longer, or no limit is known"],
      ["none", "0", "no leak"],
    ],
  );
}

function endsTable(): string {
  const { killed, grown, followedWithin, minimum, longest } = judgeSettings.endedLives;
  return table(
    ["Within", "Exits that grew", "Share of all exits", "And"],
    [
      [
        time(killed.over),
        `at least ${killed.lives}`,
        `at least ${number(killed.share)}`,
        "as many were killed for their memory, however young they were",
      ],
      ...grown.map(({ over, lives, share, known }) => [
        time(over),
        `at least ${lives}`,
        `at least ${number(share)}`,
        `the service has been known for ${time(known)}`,
      ]),
      [
        "always",
        "",
        "",
        `the longest life of ${time(longest)} grew, another process followed within ${time(followedWithin)}, and it was observed for ${time(minimum)}`,
      ],
    ],
  );
}

function lifeTable(): string {
  const { endedLife: of } = judgeSettings;
  return table(
    ["A life that ended still grew if …", ""],
    [
      ["it was observed for at least", time(of.minimumSpanSeconds)],
      ["… or, where it ended at its limit", time(of.minimumSpanAtLimitSeconds)],
      ["the last two thirds gained this share of the level", number(of.minimumGain)],
      ["… which is this multiple of the distance from a straight line", number(of.minimumSignal)],
      ["its end stands this share of the gain above all before", number(of.minimumNewHigh)],
      ["the last third has at least this share of the middle third's pace", number(of.minimumPace)],
      ["no twelfth carries more than this share of the gain", number(of.maximumStep)],
    ],
  );
}

function verdictsTable(): string {
  return table(
    ["Word", "Number", "Meaning"],
    verdicts.map(({ word, code, meaning }) => [`\`${word}\``, String(code), meaning]),
  );
}

function wordsTable(): string {
  const { words, keepClaim } = judgeSettings;
  return table(
    ["Words", ""],
    [
      [
        "growth that is worth a word: share of the memory, and MiB",
        `${number(words.notable)}, ${words.notableBytes / 1024 ** 2}`,
      ],
      ["… whose last ninth has this share of the mean pace", number(words.stillGrowing)],
      ["… and which deviates from a straight line by at most this share of it", number(words.noise)],
      [
        "`warming_up` or `bounded_growth`: the second half has less than this share of the first",
        number(words.slowing),
      ],
      ["`warming_up` is said of processes younger than", time(words.youngAge)],
      ["`high_stable`: share of the limit", number(words.high)],
      ["`spiky`: peak, as a multiple of the floor", number(words.spike)],
      ["growth is shown from this age on", time(words.earliest)],
      ["a leak stays one after it last looked like one for", time(keepClaim)],
    ],
  );
}

function memoryTable(): string {
  const { fine, minutes, halfHours } = scales;
  return table(
    ["Kept of each process", "For"],
    [fine, minutes, halfHours].map(({ step, kept }) => [`lowest and highest of each ${time(step)}`, time(step * kept)]),
  ).concat(`\n\nWindows, each of ${blocks} equal blocks: ${windows.map(({ name }) => name).join(", ")}.`);
}

function countsTable(): string {
  return table(
    ["Descriptors and threads leak if …", ""],
    [
      ["they grew over", time(countLeak.over)],
      ["… by this share, and this many", `${number(countLeak.gain)}, ${countLeak.minimum}`],
      ["… where the least of this time counts", time(countLeak.stretch)],
      ["the slowest quarter has at least this share of the mean pace", number(countLeak.slowest)],
    ],
  );
}

const tables: Record<string, () => string> = {
  memory: memoryTable,
  rules: rulesTable,
  card: cardTable,
  severity: severityTable,
  ends: endsTable,
  life: lifeTable,
  verdicts: verdictsTable,
  words: wordsTable,
  counts: countsTable,
};

/** The page with its tables as they are now. Throws where a table has no place. */
export function detectionPage(page: string): string {
  return Object.entries(tables).reduce((text, [name, make]) => {
    const place = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end of table -->)`);
    if (!place.test(text)) throw new Error(`docs/detection.md has no place for the table ${name}`);
    return text.replace(place, (_, begin: string, end: string) => `${begin}\n${make()}\n\n${end}`);
  }, page);
}
