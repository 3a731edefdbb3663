// Seconds and bytes. Time 0 is a Monday 00:00 UTC, as in the corpus.

export { MiB } from "../support/fixtures.ts";

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Of services that say nothing else. */
export const scrapeInterval = 60;
/** Processes are computed twice as often as they are scraped, so that they die between two scrapes too. */
export const stepOf = (interval: number) => interval / 2;
export const step = stepOf(scrapeInterval);
export const page = 4096;
