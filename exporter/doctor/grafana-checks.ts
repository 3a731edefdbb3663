// What a Grafana server's answers mean for us.

import { humanDuration } from "../text/human.ts";
import { counted, listed, someOf } from "../text/words.ts";
import { type Check, failure, ok, type Section, unknown, warning } from "./finding.ts";
import type { GrafanaFacts } from "./grafana.ts";

export interface GrafanaQuestion {
  readonly server: GrafanaFacts;
  /** Seconds between two scrapes of our exporters; the one that we advise where no Prometheus was asked. */
  readonly scrapeInterval: number;
}

type GrafanaCheck = Check<GrafanaQuestion>;

const login = "Put user and password into --grafana-url (http://user:password@host:3000), or use --grafana-token-file.";

const reachable: GrafanaCheck = {
  id: "grafana.reachable",
  question: "Does the server answer?",
  answer({ server: { url, error, version } }) {
    if (error !== undefined) {
      return failure(
        `Grafana cannot be asked: ${error}.`,
        "Check --grafana-url: the address that a browser shows, with its path prefix if it has one.",
      );
    }
    return ok(`${url} answers${version === undefined ? "" : `: Grafana ${version}`}.`);
  },
};

const dashboards: GrafanaCheck = {
  id: "grafana.dashboards",
  question: "Are the five dashboards there, under the uids to which alerts link?",
  answer({ server: { error, dashboards: found } }) {
    if (error !== undefined) return undefined;
    const uids = (state: string) => [...found].filter(([, one]) => one === state).map(([uid]) => uid);
    if (uids("refused").length > 0) return unknown("The server does not show its dashboards to this user.", login);
    if (uids("failed").length > 0)
      return unknown(`The server answers with errors when asked for ${listed(uids("failed"))}.`, "Look at its log.");
    const missing = uids("missing");
    if (missing.length === 0) return ok(`All ${found.size} dashboards are there.`, uids("there"));
    return warning(
      missing.length === found.size
        ? `None of the ${found.size} dashboards is there.`
        : `${counted(missing.length, "dashboard is", "dashboards are")} missing: ${listed(missing)}.`,
      "Provision dashboards/generated/*.json, and keep their uids: the alerts link to them.",
      missing,
    );
  },
};

const interval: GrafanaCheck = {
  id: "grafana.interval",
  question: "Does its data source know the scrape interval?",
  answer({ server: { error, datasources }, scrapeInterval }) {
    if (error !== undefined) return undefined;
    if (datasources === undefined)
      return unknown(
        "The server does not show its data sources to this user (that needs the right datasources:read).",
        login,
      );
    if (datasources.length === 0)
      return warning(
        "It has no data source of type prometheus.",
        "Add one that points at the Prometheus that scrapes leakwatch.",
      );
    const off = datasources.filter((one) => one.interval !== scrapeInterval);
    const every = humanDuration(scrapeInterval);
    if (off.length === 0) return ok(`Its data source takes ${every} for the scrape interval, which is right.`);
    const intervals = off.map(
      ({ name, interval: one }) => `${name} ${one === undefined ? "an unreadable text" : humanDuration(one)}`,
    );
    return warning(
      `leakwatch is scraped every ${every}, but for that the data source takes: ${someOf(intervals)}. Panels that use $__rate_interval show gaps or too little.`,
      `Set its "Scrape interval" (jsonData.timeInterval) to ${every.replace(" ", "")}, if it is the one that holds leakwatch's series.`,
    );
  },
};

export const grafanaSections: readonly Section<GrafanaQuestion>[] = [
  { title: "Grafana", checks: [reachable, dashboards, interval] },
];
