import { describe, expect, test } from "vitest";
import { type Ask, choicesOf, type Opened, questionsOf, stretchOf } from "../support/board-queries.ts";
import type { Dashboard, Panel, Variable } from "../support/grafana.ts";

const now = 1_000_000;
const board = (list: Variable[] = []) =>
  ({ time: { from: "now-24h", to: "now" }, templating: { list } }) as unknown as Dashboard;
const panel = (more: Partial<Panel>) => ({ gridPos: { x: 0, y: 0, w: 24, h: 8 }, ...more }) as Panel;

describe("stretchOf", () => {
  test.each([
    ["the board's range", {}, now - 86_400, now],
    ["a range of its own", { timeFrom: "7d" }, now - 604_800, now],
    ["the same, a week ago", { timeShift: "1w" }, now - 86_400 - 604_800, now - 604_800],
  ])("a panel shows %s", (_, more, from, to) => {
    expect(stretchOf(board(), now, panel(more))).toMatchObject({ from, to });
  });

  test("a board may look ahead", () => {
    expect(stretchOf({ time: { from: "now-1h", to: "now+24h" } }, now)).toMatchObject({ to: now + 86_400 });
  });
});

describe("choicesOf", () => {
  test("a variable is asked for with the choice before it, and is the first of what is there", async () => {
    const asked: Record<string, string>[] = [];
    const ask: Ask = async (endpoint, parameters) => {
      asked.push(parameters);
      return endpoint === "label/job/values" ? ["api", "web"] : ["one", "two"];
    };
    const variables = [
      { name: "job", type: "query", query: "label_values(up, job)" },
      { name: "group", type: "query", query: { query: 'label_values(up{job=~"$job"}, group)' } },
    ] as Variable[];
    const choices = await choicesOf(board(variables), ask, stretchOf(board(), now), { job: "web" });
    expect(choices["group"]?.value).toBe("one");
    expect(asked[1]?.["match[]"]).toBe('up{job=~"web"}');
  });

  test("a query's result is cut to what the pattern of the variable finds in it", async () => {
    const ask: Ask = async () => ({ result: [{ metric: { group: 'a "b"' }, value: [now, "3"] }] });
    const worst = {
      name: "worst",
      type: "query",
      query: "query_result(topk(1, x))",
      regex: '/^\\{group="(.*)"\\} .*$/',
    };
    const choices = await choicesOf(board([worst as Variable]), ask, stretchOf(board(), now));
    expect(choices["worst"]?.options).toEqual(['a "b"']);
  });
});

test("instant targets ask about one moment, others step by at least the panel's interval, hidden ones do not ask", () => {
  const opened: Opened = { board: board(), choices: {}, now, scrapeInterval: 15 };
  const targets = [
    { refId: "A", expr: "x", instant: true },
    { refId: "B", expr: "x[$__interval]" },
    { refId: "C", expr: "x", hide: true },
  ];
  const asked = questionsOf(panel({ interval: "10m", targets }), opened);
  expect(asked.map(({ query, step }) => [query, step])).toEqual([
    ["x", undefined],
    ["x[600s]", 600],
  ]);
});
