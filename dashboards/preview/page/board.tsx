// A whole dashboard: head, variables, links, and the panels on Grafana's grid of 24 columns.

import type { GrafanaTheme2 } from "@grafana/data";
import { PanelChrome } from "@grafana/ui";
import type { Choices } from "../../../test/support/board-queries.ts";
import { all, type Dashboard, type Panel } from "../../../test/support/grafana.ts";
import type { Mark } from "./annotations.tsx";
import { type Outcome, PanelBody } from "./panel.tsx";

export const pictureWidth = 1600;
const gap = 8;
const rowHeight = 38;

export const disclaimer = "Preview drawn with @grafana/ui from the generated JSON, not a Grafana screenshot";

interface Props {
  board: Dashboard;
  choices: Choices;
  outcomes: ReadonlyMap<number, Outcome>;
  marks: Mark[];
  theme: GrafanaTheme2;
}

export function Board({ board, choices, outcomes, marks, theme }: Props) {
  const { colors } = theme;
  const page = { background: colors.background.canvas, color: colors.text.primary, width: pictureWidth, padding: gap };
  return (
    <div style={{ ...page, fontFamily: "Inter" }}>
      <div style={{ display: "flex", justifyContent: "space-between", padding: "4px 4px 8px" }}>
        <b style={{ fontSize: 18 }}>{board.title}</b>
        <span style={{ color: colors.text.secondary }}>{disclaimer}</span>
      </div>
      <div style={{ display: "flex", flexWrap: "wrap", gap: 8, padding: "0 4px 8px", fontSize: 13 }}>
        {board.templating.list
          .filter(({ hide }) => hide !== 2)
          .map(({ name, label }) => (
            <span
              key={name}
              style={{ border: `1px solid ${colors.border.medium}`, borderRadius: 2, padding: "3px 8px" }}
            >
              {label ?? name} <b>{shownChoice(choices[name]?.value)}</b>
            </span>
          ))}
        <span style={{ flex: 1 }} />
        {(board.links ?? []).map(({ title, url, tags }) => (
          <span key={`${title}${url}${tags}`} style={{ color: colors.text.link, padding: "3px 4px" }}>
            {title}
          </span>
        ))}
        <span style={{ padding: "3px 4px" }}>
          {board.time.from} → {board.time.to}
        </span>
      </div>
      <Grid panels={board.panels} outcomes={outcomes} marks={marks} theme={theme} />
    </div>
  );
}

const shownChoice = (value: string | readonly string[] | undefined) =>
  value === all ? "All" : value === undefined || value === "" ? "–" : String(value);

type GridProps = Omit<Props, "board" | "choices"> & { panels: Panel[] };

function Grid({ panels, outcomes, marks, theme }: GridProps) {
  const column = (pictureWidth - 2 * gap) / 24;
  const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * rowHeight;
  return (
    <div style={{ position: "relative", height }}>
      {panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const size = { width: w * column - gap, height: h * rowHeight - gap };
        const place = { position: "absolute" as const, left: x * column + gap / 2, top: y * rowHeight, ...size };
        if (panel.type === "row") {
          return (
            <div key={panel.id} style={{ ...place, fontWeight: 500, paddingTop: 6 }}>
              {panel.collapsed ? "▸" : "▾"} {panel.title}
            </div>
          );
        }
        const outcome = outcomes.get(panel.id);
        return (
          <div key={panel.id} style={place}>
            <PanelChrome title={panel.title ?? ""} description={panel.description ?? ""} {...size}>
              {(width: number, height: number) =>
                outcome && (
                  <PanelBody
                    panel={panel}
                    outcome={outcome}
                    marks={marks}
                    width={width}
                    height={height}
                    theme={theme}
                  />
                )
              }
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}
