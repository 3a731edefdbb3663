// From builders to the JSON that is committed.

import type { Dashboard, DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { copied, placed, type Section } from "./layout.ts";

/** The whole dashboard: what the builder knows, and the panels in their places. */
export function finished(builder: DashboardBuilder, ...sections: readonly Section[]): Dashboard {
  const dashboard = copied(builder.build());
  dashboard.panels = placed(sections) as NonNullable<Dashboard["panels"]>;
  dashboard.annotations = { list: [], ...dashboard.annotations };
  // The SDK hides links and annotations in a menu unless this is taken away.
  for (const hidden of [...(dashboard.links ?? []), ...(dashboard.annotations.list ?? [])]) {
    delete (hidden as { placement?: string }).placement;
  }
  return dashboard;
}

export const asJson = (dashboard: Dashboard) => `${JSON.stringify(dashboard, undefined, 2)}\n`;
