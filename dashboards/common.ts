// What every board has: its frame, and how old its data are.

import { DashboardBuilder, DashboardCursorSync } from "@grafana/grafana-foundation-sdk/dashboard";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { colours } from "../catalog/appearance.ts";
import { staleAfterIntervals } from "../catalog/defaults.ts";
import { dashboardUids } from "../catalog/links.ts";
import type { Clock, Span } from "./clock.ts";
import { otherBoards, runbooks, tag, toBoard } from "./links.ts";
import { at, stat, steps } from "./looks.ts";
import { dataAge } from "./queries.ts";
import { datasource } from "./variables.ts";

/** Nobody reads faster, in seconds. */
const leastRefresh = 5;

/** An empty board that shows the last `from` of life. */
export const board = (
  clock: Clock,
  name: keyof typeof dashboardUids,
  title: string,
  question: string,
  from: Span,
  refresh: Span,
) =>
  new DashboardBuilder(`leakwatch / ${title}`)
    .uid(dashboardUids[name])
    .description(clock.speed === 1 ? question : `${question} ${ofDemo(clock)}`)
    .tags([tag, "generated"])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .timezone("browser")
    .time({ from: `now-${clock.time(from)}`, to: "now" })
    .refresh(clock.time(refresh, leastRefresh))
    .link(otherBoards())
    .link(runbooks())
    .withVariable(datasource());

/** Titles keep the time of life. */
const ofDemo = (clock: Clock) =>
  `A demo, ${clock.speed} times faster than life: what is called an hour takes ${clock.seconds("1h")} s. Growth is per hour of real time.`;

/** Late after a few missed passes and scrapes together, which a faster clock does not hurry; stale where the alert fires. */
export const dataAgeStat = (clock: Clock) => {
  const late = staleAfterIntervals * clock.sampleInterval + 2 * clock.scrapeInterval;
  const stale = Math.max(clock.rules.health.staleSample, 2 * late);
  return (
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
          { value: stale, color: colours.now },
        ]),
      )
      // of now, also on a board that looks ahead
      .timeFrom("5m")
      .hideTimeOverride(true)
      .withTarget(at(dataAge, "age"))
      .dataLinks([link(toBoard("exporter", "Is the data current?"))])
  );
};

/** The SDK wants a builder, and its own for links adds a board link's keys. */
export const link = <T>(value: T) => ({ build: () => value as never });
