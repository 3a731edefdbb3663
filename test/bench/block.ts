// The longest stretch in which sampling lets nothing else run, as the exporter reports it for each pass, and what the
// machine does to a program that is always ready to run.

import { startOurs } from "./exporters.ts";
import { BareReads, type Farm } from "./farm.ts";
import type { Finding } from "./limits.ts";
import { median, quantile, seriesValue } from "./measure.ts";
import { show, table } from "./table.ts";

/** The first passes take in and name every process; they are shown, and not judged. */
const warmUp = 20;

export async function measureBlock(farm: Farm, scrapes: number): Promise<Finding[]> {
  const exporter = await startOurs();
  const idle = new BareReads(farm);
  const seen = { block: [] as number[], noise: [] as number[] };
  let spent = 0;
  for (let i = 0; i < warmUp + scrapes; i++) {
    const text = (await exporter.scraper.scrape("plain")).body.toString();
    const milliseconds = (name: string) => seriesValue(text, name) * 1000;
    const pass = milliseconds("leakwatch_sample_duration_seconds_total") - spent;
    spent += pass;
    seen.block.push(milliseconds("leakwatch_sample_longest_block_seconds"));
    if (i >= warmUp) seen.noise.push(await idle.spin(pass)); // exposed to the machine for as long as the pass was
  }
  await exporter.stop();
  await idle.stop();

  const block = seen.block.slice(warmUp);
  report([
    ["a pass over 4,000 processes", block],
    [`the first ${warmUp} passes`, seen.block.slice(0, warmUp)],
    ["a program that does nothing (noise)", seen.noise],
  ]);
  return [0.5, 0.95].map((share) => {
    const noise = quantile(seen.noise, share);
    const how = `${share === 0.5 ? "median" : "p95"} (noise ${show(noise)})`;
    return { limit: "block", how, value: quantile(block, share), noise };
  });
}

function report(rows: readonly (readonly [string, readonly number[]])[]): void {
  const head = ["longest block, ms", "median", "p95", "highest"];
  const cells = rows.map(([what, values]) => [
    what,
    ...[median(values), quantile(values, 0.95), Math.max(...values)].map(show),
  ]);
  console.log(`\n${table([head, ...cells])}`);
}
