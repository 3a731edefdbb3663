// The dashboards on the clock of the demo: what looks back a week there looks back some hours here, else a demo of some minutes
// would have nothing to show. Only times in queries and ranges change, each divided by the speed.

import { duration } from "../alerts/promql.ts";
import { dashboards } from "../dashboards/index.ts";

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `15m`, `1h30m`; not the `15m` in the name of a series, before which stands a letter. */
const times = /(?<![\w.])((?:\d+(?:ms|[smhdw]))+)(?!\w)/g;

/** Text of each board, by its file name. */
export function fastBoards(speed: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(dashboards()).map(([file, text]) => {
      const board: unknown = JSON.parse(text, (key, value) => fasterAt(key, value, speed));
      return [file.replace(/^.*\//, ""), `${JSON.stringify(board, null, 1)}\n`];
    }),
  );
}

/** Seconds: `>= 600 < 1200`, `time() - 600`. Smaller numbers in comparisons are counts. */
const seconds = /((?:[<>]=?|time\(\) -) )(\d{2,})(?![\w.])/g;

/** Where a board keeps times: queries, ranges, the least step of a panel. */
const inside = ["expr", "query", "definition", "from", "to", "timeFrom", "timeShift", "interval", "step"];

function fasterAt(key: string, value: unknown, speed: number): unknown {
  return inside.includes(key) && typeof value === "string" ? faster(value, speed) : value;
}

/** Strings in quotes are labels and stay. At least a second: Grafana asks for no shorter steps. */
export function faster(text: string, speed: number): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`]+/g, (part) =>
    /^["`]/.test(part)
      ? part
      : part
          .replaceAll(times, (time) => duration(Math.max(1, Math.round(secondsOf(time) / speed))))
          .replaceAll(seconds, (_, before, count) => `${before}${Math.max(1, Math.round(Number(count) / speed))}`),
  );
}

const secondsOf = (time: string) =>
  [...time.matchAll(/(\d+)(ms|[smhdw])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
