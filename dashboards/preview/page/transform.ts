// Transformations: Grafana's own, and timeSeriesTable, which is part of its server's front end and not of its packages.

import {
  type DataFrame,
  type DataTransformerConfig,
  FieldType,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { firstValueFrom } from "rxjs";
import type { Panel } from "../../../test/support/grafana.ts";

export function registerTransformers(): void {
  const byId = new Map(Object.values(standardTransformers).map((one) => [one.id, one]));
  standardTransformersRegistry.setInit(
    () =>
      [...byId.values()].map((transformation) => ({
        id: transformation.id,
        name: transformation.name,
        transformation,
        aliasIds: [],
      })) as never,
  );
}

export async function transformed({ transformations = [] }: Panel, frames: DataFrame[]): Promise<DataFrame[]> {
  let current = frames;
  for (const { id, options } of transformations as DataTransformerConfig[]) {
    current =
      id === "timeSeriesTable"
        ? timeSeriesTable(current, Object.keys(options as object))
        : await firstValueFrom(transformDataFrame([{ id, options }], current, { interpolate: (text) => text }));
  }
  return current;
}

/** One row for each series of these queries: its labels, and the series itself as a small picture. */
function timeSeriesTable(frames: DataFrame[], refIds: string[]): DataFrame[] {
  const isTimed = (frame: DataFrame) => frame.fields[0]?.type === FieldType.time && frame.fields.length === 2;
  const asked = refIds.length > 0 ? refIds : [...new Set(frames.filter(isTimed).map(({ refId }) => refId ?? ""))];
  const tables = asked.flatMap((refId) => {
    const series = frames.filter((frame) => frame.refId === refId && isTimed(frame));
    return series.length === 0 ? [] : [tableOf(refId, series)];
  });
  return [...frames.filter((frame) => !asked.includes(frame.refId ?? "") || !isTimed(frame)), ...tables];
}

function tableOf(refId: string, series: DataFrame[]): DataFrame {
  const labelsOf = (frame: DataFrame) => frame.fields[1]?.labels ?? {};
  const names = [...new Set(series.flatMap((frame) => Object.keys(labelsOf(frame))))].sort();
  return {
    refId,
    length: series.length,
    fields: [
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        config: {},
        values: series.map((frame) => labelsOf(frame)[name] ?? ""),
      })),
      {
        name: `Trend #${refId}`,
        type: FieldType.frame,
        config: {},
        values: series.map((frame) => ({ ...frame, value: frame.fields[1]?.values.at(-1) ?? null })),
      },
    ],
  };
}
