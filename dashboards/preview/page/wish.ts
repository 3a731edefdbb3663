// What the page is asked for, in its address.

export interface Wish {
  /** Name of its file. */
  board: string;
  theme: "dark" | "light";
  /** Seconds. */
  now: number;
  /** Values of variables that are not to be the first or all. */
  values: Record<string, string>;
  /** Ends of the range that are not to be the board's own. */
  time: { from?: string; to?: string };
  /** The data source's scrape interval, in seconds. */
  scrapeInterval: number;
}

export const addressOf = (wish: Wish) => `/?wish=${encodeURIComponent(JSON.stringify(wish))}`;

export function wishFrom(query: string): Wish {
  return JSON.parse(new URLSearchParams(query).get("wish") ?? "{}") as Wish;
}
