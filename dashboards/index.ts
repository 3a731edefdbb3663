// All boards, by the file that each is written to.

import type { dashboardUids } from "../catalog/links.ts";
import { exporter } from "./exporter.ts";
import { asJson } from "./finish.ts";
import { fleet } from "./fleet.ts";
import { process } from "./process.ts";
import { restarts } from "./restarts.ts";
import { trend } from "./trend.ts";

const boards = { fleet, process, trend, restarts, exporter } as const satisfies Record<
  keyof typeof dashboardUids,
  unknown
>;

/** Text by path below the root. */
export const dashboards = (): Record<string, string> =>
  Object.fromEntries(
    Object.values(boards).map((board) => {
      const dashboard = board();
      return [`dashboards/generated/${dashboard.uid}.json`, asJson(dashboard)];
    }),
  );
