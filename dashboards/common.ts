// What every board has: its frame, and how old its data are.

import { DashboardBuilder, DashboardCursorSync } from "@grafana/grafana-foundation-sdk/dashboard";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { colours } from "../catalog/appearance.ts";
import { sampleIntervalSeconds, scrapeIntervalSeconds, staleAfterIntervals } from "../catalog/defaults.ts";
import { dashboardUids } from "../catalog/links.ts";
import { rules } from "../detection/rules.ts";
import { otherBoards, runbooks, tag, toBoard } from "./links.ts";
import { at, stat, steps } from "./looks.ts";
import { dataAge } from "./queries.ts";
import { datasource } from "./variables.ts";

/** An empty board. */
export const board = (
  name: keyof typeof dashboardUids,
  title: string,
  question: string,
  from: string,
  refresh: string,
) =>
  new DashboardBuilder(`leakwatch / ${title}`)
    .uid(dashboardUids[name])
    .description(question)
    .tags([tag, "generated"])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .timezone("browser")
    .time({ from, to: "now" })
    .refresh(refresh)
    .link(otherBoards())
    .link(runbooks())
    .withVariable(datasource());

/** Late after a few missed passes and scrapes together, stale where the alert fires. */
const late = staleAfterIntervals * sampleIntervalSeconds + 2 * scrapeIntervalSeconds;

export const dataAgeStat = () =>
  stat(
    "Data age",
    `How long ago the exporter last looked, the slowest of them. Good: below ${late} s. Red: what stands beside it is old. Click for the board about the exporter.`,
  )
    .unit(units.Seconds)
    .noValue("no exporter is scraped")
    .thresholds(
      steps([
        { value: null, color: colours.fine },
        { value: late, color: colours.watch },
        { value: rules.health.staleSample, color: colours.now },
      ]),
    )
    // of now, also on a board that looks ahead
    .timeFrom("5m")
    .hideTimeOverride(true)
    .withTarget(at(dataAge, "age"))
    .dataLinks([link(toBoard("exporter", "Is the data current?"))]);

/** The SDK wants a builder, and its own for links adds a board link's keys. */
export const link = <T>(value: T) => ({ build: () => value as never });
