// Lines where something happened: restarts, kills, deploys.

import type { GrafanaTheme2 } from "@grafana/data";
import type { UPlotConfigBuilder } from "@grafana/ui";
import { useLayoutEffect } from "react";
import { annotationQuestion, answerTo, type Opened } from "../../../test/support/board-queries.ts";
import type { Annotation, Dashboard } from "../../../test/support/grafana.ts";
import { ask } from "./frames.ts";

export interface Mark {
  /** Milliseconds. */
  at: number;
  color: string;
}

export async function marksOf({ annotations }: Dashboard, opened: Opened): Promise<Mark[]> {
  const shown = (annotations.list ?? []).filter(({ enable, expr }) => enable && expr);
  return (await Promise.all(shown.map((annotation) => marks(annotation, opened)))).flat();
}

/** Neighbours that are no more than a step apart are one. */
async function marks(annotation: Annotation, opened: Opened): Promise<Mark[]> {
  const question = annotationQuestion(annotation, opened);
  const color = (annotation as { iconColor?: string }).iconColor ?? "red";
  return (await answerTo(question, ask)).flatMap(({ values = [] }) => {
    const times = values
      .filter(([, value]) => annotation.useValueForTime || Number(value) > 0)
      .map(([time, value]) => (annotation.useValueForTime ? Number(value) : time * 1000));
    return times
      .filter((at, i) => i === 0 || at - (times[i - 1] as number) > question.step * 1000)
      .filter((at) => at >= question.from * 1000)
      .map((at) => ({ at, color }));
  });
}

/** As a dashed line with a small triangle below it. */
export function Marks({ config, marks, theme }: { config: UPlotConfigBuilder; marks: Mark[]; theme: GrafanaTheme2 }) {
  useLayoutEffect(() => {
    config.addHook("draw", (plot) => {
      const { ctx, bbox, scales } = plot;
      ctx.save();
      ctx.lineWidth = 1;
      for (const { at, color } of marks) {
        if (at < (scales["x"]?.min ?? 0) || at > (scales["x"]?.max ?? 0)) continue;
        const x = plot.valToPos(at, "x", true);
        const bottom = bbox.top + bbox.height;
        ctx.strokeStyle = theme.visualization.getColorByName(color);
        ctx.fillStyle = ctx.strokeStyle;
        ctx.setLineDash([4, 3]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bottom);
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.beginPath();
        ctx.moveTo(x, bottom);
        ctx.lineTo(x - 5, bottom + 7);
        ctx.lineTo(x + 5, bottom + 7);
        ctx.fill();
      }
      ctx.restore();
    });
  }, [config, marks, theme]);
  return null;
}
