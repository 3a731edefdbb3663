// Seconds and bytes. Time 0 is a Monday 00:00 UTC, as in the corpus.

export { MiB } from "../support/fixtures.ts";

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Processes are computed twice as often as they are scraped, so that they die between two scrapes too. */
export const step = 30;
export const scrapeInterval = 60;
export const page = 4096;
