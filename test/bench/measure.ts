// Measuring: scrapes over HTTP, what they and the kernel say, and what many numbers come to.

import { readFileSync } from "node:fs";
import http from "node:http";
import { KiB, MiB } from "../../catalog/defaults.ts";

/** How a scrape asks: for plain text, or for what Prometheus asks for. */
export const modes = ["plain", "gzip"] as const;
export type Mode = (typeof modes)[number];

const headers: Record<Mode, http.OutgoingHttpHeaders> = {
  plain: { accept: "text/plain;version=0.0.4", "accept-encoding": "identity" },
  gzip: {
    accept:
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "accept-encoding": "gzip",
  },
};

export interface Scrape {
  /** From the request to the last byte of the answer. */
  milliseconds: number;
  body: Buffer;
}

/** One connection to one exporter, kept open as a scraper keeps it. */
export class Scraper {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  scrape(mode: Mode): Promise<Scrape> {
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const request = http.get(this.url, { agent: this.agent, headers: headers[mode], timeout: 30_000 }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) {
            resolve({ milliseconds: performance.now() - started, body: Buffer.concat(parts) });
          } else reject(new Error(`${this.url} answered ${response.statusCode}`));
        });
      });
      request.on("timeout", () => request.destroy(new Error(`${this.url} does not answer`)));
      request.on("error", reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** In MiB. */
export interface Memory {
  anonymous: number;
  resident: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const field = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * KiB) / MiB;
  return { anonymous: field("RssAnon"), resident: field("VmRSS") };
}

/** Value of a series without labels; NaN when the text does not have it. */
export function seriesValue(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Lines that are a series, and not a comment. */
export function countSeries(text: string): number {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}

/** The value below which this share of all values lies. NaN when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]) => quantile(values, 0.5);
