// Answers of Prometheus as data frames, in the shape that Grafana's Prometheus data source gives them.

import { type DataFrame, dateTime, type Field, FieldType, type TimeRange, toDataFrame } from "@grafana/data";
import {
  type Ask,
  answerTo,
  askAt,
  type Opened,
  type Question,
  questionsOf,
  type Series,
  type Stretch,
  seriesName,
} from "../../../test/support/board-queries.ts";
import type { Panel } from "../../../test/support/grafana.ts";

/** The server that handed out this page knows where Prometheus is. */
const askOnce = askAt("/prom");

/** Chromium drops what is under way when a network interface comes or goes, as those of containers do. */
export const ask: Ask = async (endpoint, parameters) => {
  for (let tries = 1; ; tries++) {
    try {
      return await askOnce(endpoint, parameters);
    } catch (error) {
      if (!(error instanceof TypeError) || tries === 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

/** Frames of all targets of a panel. Throws what Prometheus complains of. */
export async function framesOf(panel: Panel, opened: Opened): Promise<DataFrame[]> {
  const all = questionsOf(panel, opened).map(async (question) => framesFrom(question, await answerTo(question, ask)));
  return (await Promise.all(all)).flat();
}

function framesFrom(question: Question, found: Series[]): DataFrame[] {
  // as Grafana has it: without an answer there are no columns
  if (question.target.format === "table") return found.length === 0 ? [] : [tableFrame(question, found)];
  return found.map((series) => seriesFrame(question, series));
}

function tableFrame({ refId }: Question, found: Series[]): DataFrame {
  const labels = [...new Set(found.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = found.flatMap(({ metric, value, values }) =>
    (values ?? (value === undefined ? [] : [value])).map(([time, text]) => ({ metric, time, text })),
  );
  return toDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, values: rows.map(({ time }) => time * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: rows.map(({ metric }) => metric[label] ?? ""),
      })),
      { name: `Value #${refId}`, type: FieldType.number, values: rows.map(({ text }) => numberOf(text)) },
    ],
  });
}

/** A step that has no sample breaks the line. */
function seriesFrame({ refId, step, target }: Question, series: Series): DataFrame {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [time, text] of series.values ?? (series.value === undefined ? [] : [series.value])) {
    const before = times.at(-1);
    if (step !== undefined && before !== undefined && time - before / 1000 > step * 1.5) {
      times.push(before + step * 1000);
      values.push(null);
    }
    times.push(time * 1000);
    values.push(numberOf(text));
  }
  const name = seriesName(target, series.metric);
  const value: Partial<Field> = {
    name: "Value",
    type: FieldType.number,
    values,
    labels: series.metric,
    config: { displayNameFromDS: name },
  };
  return toDataFrame({
    refId,
    name,
    fields: [
      { name: "Time", type: FieldType.time, values: times, config: step ? { interval: step * 1000 } : {} },
      value as Field,
    ],
  });
}

function numberOf(text: string): number | null {
  if (text === "NaN") return null;
  if (text.endsWith("Inf")) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

export function timeRangeOf({ from, to, raw }: Stretch): TimeRange {
  return { from: dateTime(from * 1000), to: dateTime(to * 1000), raw };
}
