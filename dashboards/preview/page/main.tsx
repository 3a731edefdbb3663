// Draws the dashboard that the address asks for, and says `document.body.dataset.state = "ready"` when it is there.

import "@fontsource/inter/400.css";
import "@fontsource/inter/500.css";
import { createTheme, ThemeContext } from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import { GlobalStyles } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { choicesOf, filledIn, type Opened, stretchOf } from "../../../test/support/board-queries.ts";
import type { Dashboard, Panel } from "../../../test/support/grafana.ts";
import { marksOf } from "./annotations.tsx";
import { Board } from "./board.tsx";
import { withSettings } from "./fields.ts";
import { ask, framesOf } from "./frames.ts";
import type { Outcome } from "./panel.tsx";
import { registerTransformers, transformed } from "./transform.ts";
import { wishFrom } from "./wish.ts";

const wish = wishFrom(location.search);
Date.now = () => wish.now * 1000; // "two hours ago" is counted from the moment that the board shows
const theme = createTheme({ colors: { mode: wish.theme } });

try {
  await initPluginTranslations("grafana-ui").catch(() => undefined);
  registerTransformers();
  const generated = (await (await fetch(`/boards/${wish.board}`)).json()) as Dashboard;
  const board = withOpenRows({ ...generated, time: { ...generated.time, ...wish.time } });
  const stretch = stretchOf(board, wish.now);
  const choices = await choicesOf(board, ask, stretch, wish.values);
  const opened = { board, choices, now: wish.now, scrapeInterval: wish.scrapeInterval };
  const marks = await marksOf(board, opened);
  const outcomes = new Map<number, Outcome>();
  await Promise.all(
    board.panels
      .filter(({ type }) => type !== "row")
      .map(async (panel) => {
        outcomes.set(panel.id, await outcomeOf(panel, opened));
      }),
  );
  createRoot(document.getElementById("root") as HTMLElement).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board
        board={{ ...board, panels: board.panels.map((panel) => withTexts(panel, opened)) }}
        choices={choices}
        outcomes={outcomes}
        marks={marks}
        theme={theme}
      />
    </ThemeContext.Provider>,
  );
  setTimeout(() => finish("ready"), 1500); // charts are drawn after their container was measured
} catch (error) {
  document.body.textContent = String((error as Error).stack);
  finish("failed");
}

function finish(state: string): void {
  document.body.dataset["state"] = state;
}

/** Closed rows are opened, so that the picture shows everything: what is below moves down. */
function withOpenRows(board: Dashboard): Dashboard {
  const panels: Panel[] = [];
  let shift = 0;
  for (const panel of board.panels) {
    const y = panel.gridPos.y + shift;
    panels.push({ ...panel, gridPos: { ...panel.gridPos, y } });
    if (panel.type !== "row" || panel.collapsed !== true || !panel.panels?.length) continue;
    const first = Math.min(...panel.panels.map(({ gridPos }) => gridPos.y));
    const inner = panel.panels.map((one) => ({
      ...one,
      gridPos: { ...one.gridPos, y: one.gridPos.y - first + y + 1 },
    }));
    panels.push(...inner);
    shift += Math.max(...inner.map(({ gridPos }) => gridPos.y + gridPos.h)) - (y + 1);
  }
  return { ...board, panels };
}

/** Variables stand in titles and texts too. */
function withTexts(panel: Panel, opened: Opened): Panel {
  const filled = (text: unknown) => (typeof text === "string" ? filledIn(text, opened) : text);
  const { title, options } = panel;
  return {
    ...panel,
    ...(title === undefined ? {} : { title: filled(title) as string }),
    ...(panel.type === "text" ? { options: { ...options, content: filled(options?.["content"]) } } : {}),
  };
}

async function outcomeOf(panel: Panel, opened: Opened): Promise<Outcome> {
  const stretch = stretchOf(opened.board, wish.now, panel);
  try {
    const found = await transformed(panel, await framesOf(panel, opened));
    return { frames: withSettings(panel, found, theme), stretch };
  } catch (error) {
    console.error(`${panel.title}: ${(error as Error).message}`);
    return { frames: [], stretch, error: (error as Error).message };
  }
}
