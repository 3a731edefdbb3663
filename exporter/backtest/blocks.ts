// Samples into blocks of a Prometheus' database: written as OpenMetrics text with timestamps, which promtool turns into
// blocks. While it works on one part, the next is written.
// https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format

import fs from "node:fs";
import { selectorText } from "../prometheus/selector.ts";
import type { Workspace } from "../prometheus/workspace.ts";
import type { Samples } from "../promql/series.ts";

/** Text per run of promtool: so much disk is taken for each, and a run takes some seconds. */
const partBytes = 128 * 1024 * 1024;
/** Text is written out in pieces of about so many characters. */
const pieceLength = 512 * 1024;
/** Runs of promtool at a time. */
const atOnce = 2;

/**
 * promtool makes a block per stretch of this length, from multiples of it, and reads the whole text for each. This is the
 * longest that it knows: 2 h × 3⁹.
 */
export const blockHours = 2 * 3 ** 9;

export class BlockWriter {
  private readonly workspace: Workspace;
  private readonly data: string;
  private part: { file: string; fd: number; bytes: number } | undefined;
  private parts = 0;
  private text = "";
  private readonly running = new Set<Promise<void>>();

  /** `data` is the database's folder. */
  constructor(workspace: Workspace, data: string) {
    this.workspace = workspace;
    this.data = data;
  }

  /** Times are seconds, `shift` is added to them. Samples of a series must be added in the order of their times. */
  async add({ labels, times, values }: Samples, shift = 0): Promise<void> {
    const series = selectorText(labels["__name__"] ?? "", labels);
    for (let i = 0; i < times.length; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) continue;
      this.text += `${series} ${valueText(value)} ${(times[i] as number) + shift}\n`;
      if (this.text.length >= pieceLength) this.writePiece();
    }
    if ((this.part?.bytes ?? 0) >= partBytes) await this.endPart();
  }

  /** Resolves when everything that was added is in blocks. */
  async end(): Promise<void> {
    await this.endPart();
    await Promise.all(this.running);
  }

  private writePiece(): void {
    this.part ??= this.newPart();
    this.part.bytes += fs.writeSync(this.part.fd, this.text);
    this.text = "";
  }

  private newPart() {
    const file = this.workspace.path(`samples-${this.parts++}.om`);
    return { file, fd: fs.openSync(file, "w"), bytes: 0 };
  }

  private async endPart(): Promise<void> {
    if (this.part === undefined && this.text === "") return;
    this.text += "# EOF\n";
    this.writePiece();
    const { file, fd } = this.part as { file: string; fd: number };
    this.part = undefined;
    fs.closeSync(fd);
    const run = this.ingest(file).finally(() => this.running.delete(run));
    run.catch(() => undefined); // told by whoever waits for it
    this.running.add(run);
    if (this.running.size >= atOnce) await Promise.race(this.running);
  }

  private async ingest(file: string): Promise<void> {
    const blocks = ["create-blocks-from", `--max-block-duration=${blockHours}h`, "openmetrics"];
    await this.workspace.run("promtool", ["tsdb", ...blocks, file, this.data]);
    fs.rmSync(file);
  }
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
