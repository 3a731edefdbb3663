// All boards, by the file that each is written to.

import type { dashboardUids } from "../catalog/links.ts";
import { Clock, life } from "./clock.ts";
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
export const dashboards = () => boardsOn(life, "dashboards/generated");

/** The same boards under the same uids, for a demo that runs so many times faster than life. */
export const demoDashboards = (speed: number) => boardsOn(new Clock(speed), "compose/generated/demo/dashboards");

const boardsOn = (clock: Clock, folder: string): Record<string, string> =>
  Object.fromEntries(
    Object.values(boards).map((board) => {
      const dashboard = board(clock);
      return [`${folder}/${dashboard.uid}.json`, asJson(dashboard)];
    }),
  );
