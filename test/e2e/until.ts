// Waiting for what other processes do.

import { setTimeout as wait } from "node:timers/promises";

/** Asks again and again until the answer is yes. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { within = 120_000 }: { within?: number } = {},
): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${within / 1000} s in vain: ${what}`);
    await wait(200);
  }
}
