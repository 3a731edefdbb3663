// Where panels stand. Grafana's page is 24 columns wide, and the SDK's own layout does not wrap: a panel that does not fit
// lands outside. Here a page is a list of lines, and a line that is not full is a mistake.

import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";

const columns = 24;

interface Line {
  readonly height: number;
  readonly panels: readonly (readonly [Builder<Panel>, number])[];
}

export interface Section {
  /** No title: no row above. */
  readonly title: string | undefined;
  /** A closed row does not query until somebody opens it. */
  readonly closed: boolean;
  readonly lines: readonly Line[];
}

/** Panels beside each other, each with its width. */
export const line = (height: number, ...panels: readonly (readonly [Builder<Panel>, number])[]): Line => ({
  height,
  panels,
});

export const top = (...lines: readonly Line[]): Section => ({ title: undefined, closed: false, lines });
export const row = (title: string, ...lines: readonly Line[]): Section => ({ title, closed: false, lines });
export const closedRow = (title: string, ...lines: readonly Line[]): Section => ({ title, closed: true, lines });

interface PlacedRow {
  id: number;
  type: "row";
  title: string;
  collapsed: boolean;
  gridPos: { x: number; y: number; w: number; h: number };
  panels: Panel[];
}

/** Panels with their places and numbers, as they stand in the JSON. */
export function placed(sections: readonly Section[]): (Panel | PlacedRow)[] {
  let y = 0;
  let id = 0;
  const place = ({ height, panels }: Line): Panel[] => {
    const width = panels.reduce((sum, [, w]) => sum + w, 0);
    if (width !== columns) throw new Error(`a line is ${width} wide, not ${columns}`);
    let x = 0;
    const line = panels.map(([builder, w]) => {
      id += 1;
      // build() returns the builder's own object: a copy, so that two uses of a panel do not share one
      const panel: Panel = { ...copied(builder.build()), id, gridPos: { x, y, w, h: height } };
      x += w;
      return panel;
    });
    y += height;
    return line;
  };
  return sections.flatMap(({ title, closed, lines }) => {
    if (title === undefined) return lines.flatMap(place);
    id += 1;
    const head: PlacedRow = {
      id,
      type: "row",
      title,
      collapsed: closed,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    };
    y += 1;
    const panels = lines.flatMap(place);
    return closed ? [{ ...head, panels }] : [head, ...panels];
  });
}

/** As it will stand in the JSON: targets carry functions, which structuredClone refuses. */
export const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
