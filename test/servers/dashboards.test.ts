// The dashboards' queries against a real Prometheus that holds a day of exported series, on each clock that there are boards for: none
// fails, none is empty unless it is listed, legends have their labels, and the suspects table says what is true.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demo, MiB } from "../../catalog/defaults.ts";
import { dashboardUids } from "../../catalog/links.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import { Clock, life } from "../../dashboards/clock.ts";
import { dashboards, demoDashboards } from "../../dashboards/index.ts";
import { stopEverything } from "../bench/programs.ts";
import { PrometheusServer, prometheusProgram } from "../bench/prometheus.ts";
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
import { exportedDay, hoursLeft, services } from "../support/exported-day.ts";
import { type Dashboard, panelsOf } from "../support/grafana.ts";

/** By their names. */
function boardsOf({ speed }: Clock): Map<string, Dashboard> {
  const made = Object.values(speed === 1 ? dashboards() : demoDashboards(speed)).map(
    (json) => JSON.parse(json) as Dashboard,
  );
  return new Map(
    Object.entries(dashboardUids).map(([name, uid]) => [name, made.find((board) => board.uid === uid) as Dashboard]),
  );
}

const now = Math.floor(Date.now() / 60_000) * 60;

/** There was no last week, and no worker was killed. */
const empty = ["trend: This week against last week B", "restarts: Recycled workers B"];

/** The group that boards of one group show. */
const shown = { group: "checkout-api" };

const open = async (
  board: Dashboard,
  ask: Ask,
  clock: Clock,
  values: Record<string, string> = {},
): Promise<Opened> => ({
  board,
  choices: await choicesOf(board, ask, stretchOf(board, now), values),
  now,
  scrapeInterval: clock.scrapeInterval,
});

// its files too
afterAll(stopEverything);

describe.each([1, ...demo.speeds])("on a day, %i times faster than life", (speed) => {
  const clock = new Clock(speed);
  const boards = boardsOf(clock);
  let server: PrometheusServer;
  let ask: Ask;

  beforeAll(async () => {
    server = await PrometheusServer.start(prometheusProgram("prometheus").path);
    for (const body of exportedDay(now, clock)) await server.write(body);
    ask = askAt(server.url);
  });
  afterAll(() => server?.stop());

  test.each([...boards])(
    "%s: each query answers, with the labels of its legend, one line for each name",
    async (id, board) => {
      const { complaints, empties } = await look(
        board,
        await open(board, ask, clock, id === "process" ? shown : {}),
        ask,
      );
      expect(complaints).toEqual([]);
      expect(empties.map((query) => `${id}: ${query}`)).toEqual(empty.filter((query) => query.startsWith(`${id}: `)));
    },
  );

  test.each([...boards])("%s: each annotation answers", async (id, board) => {
    const opened = await open(board, ask, clock, id === "process" ? shown : {});
    for (const annotation of board.annotations.list.filter(({ expr }) => expr)) {
      await expect(answerTo(annotationQuestion(annotation, opened), ask), annotation.name).resolves.toBeInstanceOf(
        Array,
      );
    }
  });

  test("fleet: the suspects table has one row for each group, and what it says is true", async () => {
    const board = boards.get("fleet") as Dashboard;
    const columns = await suspects(board, await open(board, ask, clock), ask);
    for (const service of services) {
      const value = (column: string) => cellOf(columns, column, service.group);
      expect(value("Verdict")).toBe(verdictCode[service.verdict]);
      expect(value("Growth per hour") / MiB).toBeCloseTo((service.perHour / MiB) * speed, 3); // of real time
      const left = hoursLeft(service);
      if (left === undefined) expect(value("Time to OOM")).toBe(Number.POSITIVE_INFINITY);
      else expect(value("Time to OOM") / clock.seconds("1h")).toBeCloseTo(left, 1);
      expect(value("Restarts 24 h")).toBe(service.verdict === "leaking" ? 1 : 0);
    }
  });
});

describe("on a server that knows nothing", () => {
  let server: PrometheusServer;

  beforeAll(async () => {
    server = await PrometheusServer.start(prometheusProgram("prometheus").path);
  });
  afterAll(() => server?.stop());

  test.each([...boardsOf(life)])("%s: each query answers", async (_, board) => {
    const ask = askAt(server.url);
    expect((await look(board, await open(board, ask, life), ask)).complaints).toEqual([]);
  });
});

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
  return Number(cells[0]?.value?.[1].replace("Inf", "Infinity") ?? Number.NaN);
}
