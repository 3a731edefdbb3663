// Ways from board to board, to the runbooks, and back in time.

import { DashboardLinkBuilder, DashboardLinkType } from "@grafana/grafana-foundation-sdk/dashboard";
import { exporterLabels, serviceLabels } from "../catalog/labels.ts";
import { dashboardUids, defaultBases } from "../catalog/links.ts";
import type { Clock } from "./clock.ts";

export const folder = "leakwatch";
export const tag = "leakwatch";

/** The drop-down to the other boards, which keeps the time and what is chosen. */
export const otherBoards = () =>
  new DashboardLinkBuilder("leakwatch boards")
    .type(DashboardLinkType.Dashboards)
    .tags([tag])
    .asDropdown(true)
    .keepTime(true)
    .includeVars(true);

export const runbooks = () =>
  new DashboardLinkBuilder("Runbooks")
    .type(DashboardLinkType.Link)
    .icon("doc")
    .tooltip("What to do, alert by alert")
    .url(defaultBases.runbooks)
    .targetBlank(true);

/** The same board with a day before now and a day after it, for projections. */
export const lookAhead = (clock: Clock) =>
  new DashboardLinkBuilder("Look ahead 24 h")
    .type(DashboardLinkType.Link)
    .icon("bolt")
    .tooltip("A day back and a day ahead: the projection is to the right of now")
    .url(`/d/${dashboardUids.process}?from=now-${clock.time("24h")}&to=now%2B${clock.time("24h")}`)
    .includeVars(true);

/** A link inside a panel. Grafana's data link is a title and an address; the builder would add a board link's other keys. */
export interface DataLink {
  title: string;
  url: string;
  targetBlank?: boolean;
}

/** To another board, about the group of the row or series that was clicked. Names are encoded: they may hold anything. */
export const aboutGroup = (board: keyof typeof dashboardUids, title: string, source: "fields" | "labels"): DataLink => {
  const from = source === "fields" ? "__data.fields" : "__field.labels";
  const labels = serviceLabels.map((label) => `var-${label}=\${${from}.${label}:percentencode}`);
  return {
    title,
    url: `/d/${dashboardUids[board]}?\${datasource:queryparam}&${labels.join("&")}&\${__url_time_range}`,
  };
};

/** To another board with everything that is chosen here. */
export const toBoard = (board: keyof typeof dashboardUids, title: string): DataLink => ({
  title,
  url: `/d/${dashboardUids[board]}?\${datasource:queryparam}&${exporterLabels.map((label) => `\${${label}:queryparam}`).join("&")}&\${__url_time_range}`,
});

export const runbook = (page: string) => `${defaultBases.runbooks}/${page}.md`;
