// The dashboards' queries against a real Prometheus that holds the made-up weeks: none fails, none is empty unless it is
// listed, legends have their labels, and the suspects table says what is true.

import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colours } from "../../catalog/appearance.ts";
import { MiB, scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { PrometheusServer } from "../../exporter/prometheus/server.ts";
import { Workspace } from "../../exporter/prometheus/workspace.ts";
import {
  type Ask,
  annotationQuestion,
  answerTo,
  askAt,
  choicesOf,
  type Opened,
  type Question,
  questionsOf,
  type Series,
  seriesName,
  stretchOf,
} from "../support/board-queries.ts";
import { type Dashboard, type Panel, panelsOf } from "../support/grafana.ts";
import { now, scantNames, syntheticWeek, truths, weekNames, writeWeek } from "../support/weeks.ts";

const folder = new URL("../../dashboards/generated/", import.meta.url);
const boards = new Map(
  ["fleet", "process", "trend", "restarts", "exporter"].map((name) => [name, readBoard(name)] as const),
);

function readBoard(name: string): Dashboard {
  return JSON.parse(fs.readFileSync(new URL(`leakwatch-${name}.json`, folder), "utf8")) as Dashboard;
}

/** Panels that find nothing, since nothing is wrong or the program does not tell. They say so in words. */
const empty: Record<(typeof weekNames)[number], readonly string[]> = {
  leaking: [],
  healthy: ["fleet: Soonest OOM A", "fleet: Alerts A", "process: Resident memory, floor, limit and projection D"],
};

/** The group that boards of one group show. */
const shown = { group: "checkout-api" };

describe.each(weekNames)("on the %s weeks", (name) => {
  const workspace = new Workspace();
  let ask: Ask;

  beforeAll(async () => {
    await writeWeek(syntheticWeek(name), workspace, workspace.path("data"));
    ask = askAt((await PrometheusServer.start(workspace, workspace.path("data"))).api.url);
  });
  afterAll(() => workspace.close());

  const open = async (board: Dashboard, values: Record<string, string> = {}): Promise<Opened> => ({
    board,
    choices: await choicesOf(board, ask, stretchOf(board, now), values),
    now,
    scrapeInterval: scrapeIntervalSeconds,
  });

  test.each([...boards])(
    "%s: each query answers, with the labels of its legend, one line for each name",
    async (id, board) => {
      const opened = await open(board, id === "process" ? shown : {});
      const { complaints, empties } = await look(board, opened, ask);
      expect(complaints).toEqual([]);
      expect(empties.map((query) => `${id}: ${query}`)).toEqual(
        empty[name].filter((query) => query.startsWith(`${id}: `)),
      );
    },
  );

  test.each([...boards])("%s: each annotation answers", async (id, board) => {
    const opened = await open(board, id === "process" ? shown : {});
    for (const annotation of board.annotations.list.filter(({ expr }) => expr)) {
      await expect(answerTo(annotationQuestion(annotation, opened), ask), annotation.name).resolves.toBeInstanceOf(
        Array,
      );
    }
  });

  test.each([...truths(name).keys()])("process: the queries answer for %j", async (group) => {
    const board = boards.get("process") as Dashboard;
    const { complaints, empties } = await look(board, await open(board, { group }), ask);
    expect(complaints).toEqual([]);
    expect(empties).not.toContain("Verdict A");
  });

  test("fleet: the suspects table has one row for each group, and what it says is true", async () => {
    const board = boards.get("fleet") as Dashboard;
    const columns = await suspects(board, await open(board), ask);
    const rows = [...truths(name)].map(([group, truth]) => {
      const value = (column: string) => cellOf(columns, column, group);
      const growth = value("Growth per hour") / MiB;
      return {
        group,
        verdict: value("Verdict"),
        growth: truth.growth === undefined ? undefined : within(growth, truth.growth, 0.08),
        hoursLeft:
          truth.hoursLeft === undefined ? undefined : within(value("Time to OOM") / 3600, truth.hoursLeft, 0.08),
        restarts: value("Restarts 24 h"),
      };
    });
    expect(rows).toEqual(
      [...truths(name)].map(([group, { verdict, growth, hoursLeft, restartsPerDay }]) => ({
        group,
        verdict: verdictCode[verdict],
        growth,
        hoursLeft,
        restarts: restartsPerDay,
      })),
    );
  });
});

/** Panels without any answer there: they must say why in words. A young Prometheus must not look like an ill one. */
const silent: Record<Exclude<(typeof scantNames)[number], "nothing">, readonly string[]> = {
  "first-hour": [
    "fleet: Alerts",
    "process: Growth against traffic, one dot per hour",
    "process: Growth per hour, quiet and busy",
    "process: Time in garbage collection",
    "process: Heap by space",
    "trend: Growth by hour of the day (UTC)",
    "restarts: Shortest median life",
  ],
  lone: [
    "fleet: Soonest OOM",
    "fleet: Used of the limit",
    "process: Growth against traffic, one dot per hour",
    "process: Growth per hour, quiet and busy",
    "process: Time in garbage collection",
    "process: Heap by space",
    "trend: Peak and baseline of each life",
    "restarts: Shortest median life",
    "restarts: Memory just before each end, as a share of the limit",
    "exporter: Not readable now, by file and reason",
    "exporter: Read errors per second, by file and reason",
  ],
  newborn: [
    "fleet: Soonest OOM",
    "fleet: Used of the limit",
    "fleet: Alerts",
    "process: Growth against traffic, one dot per hour",
    "process: Growth per hour, quiet and busy",
    "process: Time in garbage collection",
    "process: Heap by space",
    "trend: Memory floor",
    "trend: One hour",
    "trend: One day",
    "trend: Seven days",
    "trend: Growth per hour",
    "trend: This week against last week",
    "trend: Peak and baseline of each life",
    "trend: Growth by hour of the day (UTC)",
    "restarts: Shortest median life",
    "restarts: Lives ended, hour by hour",
    "restarts: Uptime",
    "restarts: Memory just before each end, as a share of the limit",
    "exporter: Not readable now, by file and reason",
    "exporter: Read errors per second, by file and reason",
  ],
};

/** Panels that answer even if nothing is watched: with a 0, a name that says what is missing, what should be, or about Prometheus. */
const answered = [
  "fleet: Firing alerts",
  "process: Version",
  "process: Resident memory against heap",
  "process: Requests and memory",
  "exporter: Age of the samples",
  "exporter: Scrape interval, real and believed",
  "exporter: Rule groups",
];

/** What the numbers at the top of the process board say instead, all in grey. */
const instead: Record<"lone" | "newborn", Record<string, string>> = {
  lone: { "Time to OOM": "no limit known", "OOM at": "no limit known", "Memory limit": "no limit known" },
  newborn: {
    Verdict: "insufficient data",
    "Time to OOM": "too young",
    "OOM at": "too young",
    Confidence: "–",
    "Growth per hour, over …": "–",
    "Memory limit": "no limit known",
    "Next step": "Wait: it is too young to judge",
  },
};

describe.each(scantNames)("where there is little to show: %s", (name) => {
  const workspace = new Workspace();
  let ask: Ask;
  /** Answers to the questions of each panel, by board and title. */
  const answers = new Map<string, { panel: Panel; found: Series[] }>();

  beforeAll(async () => {
    await writeWeek(syntheticWeek(name), workspace, workspace.path("data"));
    ask = askAt((await PrometheusServer.start(workspace, workspace.path("data"))).api.url);
  });
  afterAll(() => workspace.close());

  test.each([...boards])("%s: each query answers", async (id, board) => {
    const choices = await choicesOf(board, ask, stretchOf(board, now));
    const opened: Opened = { board, choices, now, scrapeInterval: scrapeIntervalSeconds };
    expect((await look(board, opened, ask)).complaints).toEqual([]);
    for (const panel of panelsOf(board).filter(({ type }) => type !== "text")) {
      const found = await Promise.all(questionsOf(panel, opened).map((question) => answerTo(question, ask)));
      answers.set(`${id}: ${panel.title}`, { panel, found: found.flat() });
    }
  });

  test("what finds nothing says so in words", () => {
    const empty = [...answers].filter(([, { found }]) => found.length === 0);
    expect(empty.filter(([, { panel }]) => !panel.fieldConfig?.defaults.noValue)).toEqual([]);
    if (name === "nothing") {
      expect([...answers.keys()].filter((title) => !empty.some(([one]) => one === title))).toEqual(answered);
    } else expect(empty.map(([title]) => title)).toEqual(silent[name]);
  });

  if (!(name in instead)) return;
  test("the process board has words where there are no numbers", () => {
    for (const [title, text] of Object.entries(instead[name as keyof typeof instead])) {
      const { panel, found } = answers.get(`process: ${title}`) as { panel: Panel; found: Series[] };
      expect([...new Set(found.map((series) => wordFor(panel, series)))], title).toEqual([
        `${text}, ${colours.unknown}`,
      ]);
    }
  });
});

interface Mapping {
  type: string;
  options: Record<string, { text: string; color?: string }>;
}

/** The text and colour that a panel has for the newest value; the value itself where it has none. */
function wordFor({ fieldConfig }: Panel, { values = [], value = values.at(-1) }: Series): string {
  const mappings = (fieldConfig?.defaults["mappings"] ?? []) as Mapping[];
  const number = String(Number(value?.[1].replace("Inf", "Infinity")));
  const found = mappings.find(({ type, options }) => type === "value" && number in options)?.options[number];
  return found === undefined ? number : `${found.text}, ${found.color}`;
}

/** The truth itself where the value is near it, so that a failure shows the value. */
const within = (value: number, truth: number, tolerance: number) =>
  Math.abs(value - truth) <= tolerance * truth ? truth : value;

/** Asks everything that a board shows, closed rows too. */
async function look(board: Dashboard, opened: Opened, ask: Ask): Promise<{ complaints: string[]; empties: string[] }> {
  const complaints: string[] = [];
  const empties: string[] = [];
  for (const panel of panelsOf(board)) {
    const names: string[] = [];
    for (const question of questionsOf(panel, opened)) {
      const where = `${panel.title} ${question.refId}`;
      try {
        const found = await answerTo(question, ask);
        if (found.length === 0) empties.push(where);
        complaints.push(...missingLabels(question, found).map((label) => `${where}: a series has no label ${label}`));
        // columns of a table are told apart by their labels
        if (question.target.format !== "table" && panel.type !== "table") {
          names.push(...found.map(({ metric }) => seriesName(question.target, metric)));
        }
      } catch (error) {
        complaints.push(`${where}: ${(error as Error).message}: ${question.query}`);
      }
    }
    const twice = names.filter((name, i) => names.indexOf(name) !== i);
    complaints.push(...twice.map((name) => `${panel.title}: two series are called ${name}`));
  }
  return { complaints, empties };
}

function missingLabels({ target }: Question, found: readonly Series[]): string[] {
  const wanted = [...(target.legendFormat ?? "").matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label]) => label as string);
  return wanted.filter((label) => found.some(({ metric }) => metric[label] === undefined));
}

/** Answers by the title of the column that shows them. */
async function suspects(board: Dashboard, opened: Opened, ask: Ask): Promise<Map<string, Series[]>> {
  const panel = panelsOf(board).find(({ title }) => title === "Suspects");
  if (panel === undefined) throw new Error("the fleet board has no panel named Suspects");
  const organize = panel.transformations?.find(({ id }) => id === "organize");
  const titles = organize?.options["renameByName"] as Record<string, string>;
  const columns = new Map<string, Series[]>();
  for (const question of questionsOf(panel, opened)) {
    const title = titles[`Value #${question.refId}`];
    if (title !== undefined) columns.set(title, await answerTo(question, ask));
  }
  return columns;
}

/** NaN where the column has no cell for the group. Two cells would be two rows. */
function cellOf(columns: ReadonlyMap<string, readonly Series[]>, column: string, group: string): number {
  const cells = (columns.get(column) ?? []).filter(({ metric }) => metric["group"] === group);
  if (cells.length > 1) throw new Error(`${column} has ${cells.length} rows for ${group}`);
  return Number(cells[0]?.value?.[1] ?? Number.NaN);
}
