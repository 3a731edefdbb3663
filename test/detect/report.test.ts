// What a run is told as: text, JSON, JUnit's XML, GitHub's annotation, an exit code.

import fs from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { least } from "../../detection/short-run.ts";
import { annotation } from "../../exporter/detect/annotation.ts";
import { type Answer, type Kind, type Word, words } from "../../exporter/detect/answer.ts";
import type { Observed } from "../../exporter/detect/detect-run.ts";
import { exitCodeOf, exitCodes } from "../../exporter/detect/exit-code.ts";
import { asJson } from "../../exporter/detect/json.ts";
import { junit } from "../../exporter/detect/junit.ts";
import type { Outcome, ProcessOutcome } from "../../exporter/detect/observe.ts";
import { renderText } from "../../exporter/detect/report.ts";
import { riseOfLows } from "../../exporter/detect/rise.ts";
import { sparkline } from "../../exporter/detect/sparkline.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

/** Headings of the guide, as GitHub links to them. */
const guideAnchors = [
  ...fs
    .readFileSync(new URL("../../alerts/runbooks/finding-the-cause.md", import.meta.url), "utf8")
    .matchAll(/^## (.+)$/gm),
].map(([, heading = ""]) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-"),
);

const none = { times: [], values: [] };

const observed = (changes: Partial<Observed> = {}): Observed => ({
  group: "server.js",
  pid: 4242,
  isRunning: true,
  bornAt: 0,
  runtime: "collected",
  series: {
    memory: { times: [20, 360], values: [60 * MiB, 76 * MiB] },
    live: { times: [20, 360], values: [20 * MiB, 36 * MiB] },
    descriptors: none,
    threads: none,
  },
  limit: 512 * MiB,
  limitSource: "config",
  heapMaximum: 100 * MiB,
  unavailable: undefined,
  ...changes,
});

/** Of 2 MiB in each quarter of each time, 60 MiB an hour being 30 steps of two minutes. */
const answer = (word: Word, changes: Partial<Answer> = {}): Answer => {
  const lows = (from: number, step: number) => [0, 1, 2, 3, 4].map((i) => (from + i * step) * MiB);
  const step = word === "no_leak_seen" ? 0 : 2;
  const rises = [riseOfLows(lows(20, step), 120, least.live), riseOfLows(lows(28, step), 120, least.live)];
  return { word, kind: "live", rises, visibleFrom: (6 * MiB) / 3600, isWeak: false, ...changes };
};

const seen = (word: Word, changes: Partial<ProcessOutcome> = {}): ProcessOutcome => ({
  observed: observed(),
  answer: answer(word),
  loads: undefined,
  ...changes,
});

const outcome = (processes: ProcessOutcome[], changes: Partial<Outcome> = {}): Outcome => ({
  processes,
  endedEarly: undefined,
  planned: 180,
  took: 360,
  lookedOn: true,
  loads: undefined,
  ...changes,
});

const plain = (run: Outcome) => renderText(run, { colour: false }).replace(/\s+/g, " ");

describe("the exit code", () => {
  test("is that of the gravest process, and of nothing seen no verdict", () => {
    expect(words.map((word) => exitCodeOf(outcome([seen(word)])))).toEqual([20, 21, 0, 22]);
    expect(exitCodeOf(outcome([]))).toBe(exitCodes.no_verdict);
  });

  // https://nodejs.org/api/process.html#exit-codes: up to 14, and above 128 for signals
  test("is none that a crash of Node.js or a wrong option has", () => {
    for (const code of Object.values(exitCodes)) expect(code === 0 || (code > 14 && code < 126)).toBe(true);
  });
});

describe("the report", () => {
  test.each([40, 60, 100])("fits into %d columns, but for links", (columns) => {
    for (const word of words) {
      const lines = renderText(outcome([seen(word)]), { colour: false, columns }).split("\n");
      expect(lines.filter((line) => line.length > columns && !line.includes("https://"))).toEqual([]);
    }
  });

  test("of a leak has what rose, how fast, which limit it reaches first, and where to read on", () => {
    const text = plain(outcome([seen("leaking")]));
    expect(text).toMatch(/^leaking server\.js \(pid 4242\), observed for 6 min/);
    expect(text).toContain("rose in each quarter of the run (+2.00 MiB, +2.00 MiB, +2.00 MiB, +2.00 MiB)");
    expect(text).toContain("would reach the heap's maximum of 100 MiB in 1 h 4 min");
    expect(text).toContain("A cache or heap that is still filling looks the same");
    expect(text).toContain("Growth +60.0 MiB/h at this load");
    expect(text).toContain("Limit 512 MiB; the heap may hold 100 MiB");
    expect(text).toContain("finding-the-cause.md#heap");
    expect(text).toContain("Limits This run can only show leaks faster than 6.00 MiB/h");
  });

  test("of no leak has no pace, for it would contradict it, and names a run that shows more", () => {
    const text = plain(outcome([seen("no_leak_seen")]));
    expect(text).toMatch(/^no leak seen server\.js/);
    expect(text).not.toContain("Growth");
    expect(text).toContain("Run longer to find slower leaks: --for 1h detects from 307 KiB/h.");
  });

  test.each<[string, Partial<Observed>, string, string]>([
    [
      "that nobody asked",
      { runtime: "passive" },
      "says nothing: it was not asked to collect it. ",
      "Run again without --no-collect",
    ],
    [
      "that does not answer",
      { runtime: "silent", unavailable: "it has no open inspector" },
      "says nothing: it has no open inspector. ",
      "Run again with --for 12m, or with --load",
    ],
  ])("of a suspicion on a runtime %s names the way to certainty", (_, changes, why, wayOut) => {
    const text = plain(outcome([seen("suspicious", { observed: observed(changes) })]));
    expect(text).toContain(why);
    expect(text).toContain(wayOut);
  });

  test("of descriptors counts them, and does not speak of caches", () => {
    const rises = [riseOfLows([20, 40, 60, 80, 100], 120, least.descriptors)];
    const one = seen("leaking", { answer: answer("leaking", { kind: "descriptors", rises }) });
    const text = plain(outcome([one]));
    expect(text).toContain("The number of open descriptors rose in each quarter of the run (+20, +20, +20, +20).");
    expect(text).toContain("Growth 600 an hour at this load");
    expect(text).not.toContain("cache");
  });

  test("of loads has what each left", () => {
    const loads = { word: "leaking", kind: "live", gains: [5 * MiB, 6 * MiB], visibleFrom: MiB } as const;
    const text = plain(outcome([seen("leaking", { loads })], { loads: 3 }));
    expect(text).toContain("changed by +5.00 MiB by load 2 and +6.00 MiB by load 3.");
    expect(text).toContain("These 3 loads can only show leaks of 1.00 MiB or more for each load");
  });

  test("without a verdict says why, and what to do", () => {
    const short = seen("no_verdict", { answer: answer("no_verdict", { rises: [], visibleFrom: undefined }) });
    const text = plain(outcome([short], { endedEarly: "the command exited with code 3", took: 70 }));
    expect(text).toMatch(/^no verdict server\.js/);
    expect(text).toContain("No verdict: the command exited with code 3, after 1 min of 3 min.");
    expect(text).not.toContain("Limits");
    expect(plain(outcome([], { endedEarly: "the command exited with code 0" }))).toContain("no verdict: the command");
  });

  test("cuts long names", () => {
    const long = outcome(
      ["x", "y"].map((name) => seen("leaking", { observed: observed({ group: name.repeat(1e6) }) })),
    );
    for (const text of [plain(long), JSON.stringify(asJson(long, "1")), junit(long), annotation(long)])
      expect(text.length).toBeLessThan(4000);
  });
});

describe("nothing that a process calls itself gets through", () => {
  const hostile = outcome([
    seen("leaking", { observed: observed({ group: evil }) }),
    seen("no_leak_seen", { observed: observed({ group: evil, pid: 4243 }) }),
  ]);

  test("as text", () => {
    expect(renderText(hostile, { colour: false })).not.toMatch(active);
    const coloured = renderText(hostile, { colour: true });
    expect(coloured.startsWith("\u001b[31m")).toBe(true);
    expect(stripVTControlCharacters(coloured)).not.toMatch(active);
    expect(plain(hostile)).toContain(shownEvil);
  });

  test("as JSON", () => {
    const json = JSON.stringify(asJson(hostile, "0.1.0"), undefined, 2);
    expect(json).not.toMatch(active);
    expect(JSON.parse(json).processes[0].group).toBe(shownEvil);
  });

  test("as XML", () => {
    const xml = junit(outcome([seen("leaking", { observed: observed({ group: `<a b="c"> & ${evil}` }) })]));
    expect(xml).not.toMatch(active);
    expect(xml).toContain('name="&lt;a b=&quot;c&quot;&gt; &amp; api');
  });

  test("as an annotation: it is one line, and one command", () => {
    const text = annotation(outcome([seen("leaking", { observed: observed({ group: `a,b:c%0A${evil}` }) })]));
    expect(text).toMatch(/^::error title=leakwatch%3A leaking%2C a%2Cb%3Ac%250Aapi[^\n]*\n$/);
    expect(text.slice(2)).not.toMatch(active);
  });
});

test("JSON has null for what is not known, and a pace only of what is reported", () => {
  const unknown = observed({ runtime: "none", limit: undefined, heapMaximum: undefined });
  const run = outcome([seen("leaking"), seen("no_leak_seen", { observed: unknown })]);
  expect(asJson(run, "0.1.0")).toMatchObject({
    verdict: "leaking",
    exit_code: 20,
    planned_seconds: 180,
    extended: true,
    ended_early: null,
    processes: [
      { pid: 4242, evidence: "live", growth_bytes_per_second: (2 * MiB) / 120, heap_maximum_bytes: 100 * MiB },
      { growth_bytes_per_second: null, limit_bytes: null, seconds_to_limit: null, guide: null },
    ],
  });
});

describe("JUnit's report", () => {
  test.each<[Word, string, string]>([
    ["leaking", '<failure type="leaking" message="leaking">Memory in use', 'failures="1" errors="0"'],
    ["suspicious", '<failure type="suspicious" message="suspicious">', 'failures="1" errors="0"'],
    ["no_leak_seen", "<system-out>Memory in use", 'failures="0" errors="0"'],
    ["no_verdict", '<error message="No verdict: ', 'failures="0" errors="1"'],
  ])("of %s", (word, element, counts) => {
    const xml = junit(outcome([seen(word)]));
    expect(xml).toContain(element);
    expect(xml).toContain(`tests="1" ${counts}`);
  });
});

test.each<[Word, string]>([
  ["leaking", "error"],
  ["suspicious", "warning"],
  ["no_leak_seen", "notice"],
  ["no_verdict", "warning"],
])("GitHub shows %s as %s", (word, command) => {
  expect(annotation(outcome([seen(word)]))).toMatch(new RegExp(`^::${command} title=leakwatch`));
});

test.each<Kind>(["live", "outside", "memory", "descriptors", "threads"])(
  "a leak of %s leads to a part of the guide",
  (kind) => {
    const { guide } = (
      asJson(outcome([seen("leaking", { answer: answer("leaking", { kind }) })]), "1") as {
        processes: { guide: string }[];
      }
    ).processes[0] as { guide: string };
    expect(guideAnchors).toContain(guide.split("#")[1]);
  },
);

describe("a sparkline", () => {
  test.each([
    ["a rise", [100, 120, 140, 160, 180, 200, 220, 240], "▁▂▃▄▅▆▇█"],
    ["small noise on a level", [1000, 1003, 1000, 1004], "▁▁▁▁"],
    ["a hole", [100, Number.NaN, 200], "▁█"],
    ["nothing", [], ""],
  ])("of %s", (_, values, line) => {
    expect(sparkline(values)).toBe(line);
  });

  test("takes means when there are more values than bars", () => {
    expect(sparkline([0, 2, 7, 9], 2)).toBe("▁█");
  });
});
