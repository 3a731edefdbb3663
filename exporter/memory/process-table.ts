// The numbers of all watched processes in one array of rows: written by the samplers, read by the exposition, the web
// page and the ledger. One array keeps a thousand processes in a few cache-friendly pages and makes no garbage.

import { growthLabels, judgeMetrics, processMetrics } from "../../catalog/metrics.ts";
import { statusFields } from "../procfs/status.ts";

/** The metrics in the order of the columns; the first ones are those of `statusFields`. */
export const columns = [
  processMetrics.virtualMemory,
  processMetrics.peakResidentMemory,
  processMetrics.residentMemory,
  processMetrics.anonymousMemory,
  processMetrics.fileMemory,
  processMetrics.sharedMemory,
  processMetrics.swap,
  processMetrics.threads,
  processMetrics.openFds,
  judgeMetrics.floor,
  judgeMetrics.headroom,
  judgeMetrics.severity,
  judgeMetrics.leakGrowth,
  judgeMetrics.confidence,
  judgeMetrics.timeToOom,
  judgeMetrics.timeToFdLimit,
  judgeMetrics.timeToThreadLimit,
  processMetrics.maxFds,
  processMetrics.maxThreads,
  processMetrics.startTime,
  processMetrics.memoryLimit,
  processMetrics.heapLimit,
  processMetrics.proportionalMemory,
  processMetrics.uniqueMemory,
] as const;

/** Values in a row: behind the columns growth by window, one metric, told apart by a label. */
export const columnCount = columns.length + growthLabels.length;

/** Column of a metric. */
export const column = {
  residentMemory: columns.indexOf(processMetrics.residentMemory),
  peakResidentMemory: columns.indexOf(processMetrics.peakResidentMemory),
  anonymousMemory: columns.indexOf(processMetrics.anonymousMemory),
  sharedMemory: columns.indexOf(processMetrics.sharedMemory),
  swap: columns.indexOf(processMetrics.swap),
  threads: columns.indexOf(processMetrics.threads),
  openFds: columns.indexOf(processMetrics.openFds),
  floor: columns.indexOf(judgeMetrics.floor),
  headroom: columns.indexOf(judgeMetrics.headroom),
  severity: columns.indexOf(judgeMetrics.severity),
  leakGrowth: columns.indexOf(judgeMetrics.leakGrowth),
  confidence: columns.indexOf(judgeMetrics.confidence),
  timeToOom: columns.indexOf(judgeMetrics.timeToOom),
  timeToFdLimit: columns.indexOf(judgeMetrics.timeToFdLimit),
  timeToThreadLimit: columns.indexOf(judgeMetrics.timeToThreadLimit),
  maxFds: columns.indexOf(processMetrics.maxFds),
  maxThreads: columns.indexOf(processMetrics.maxThreads),
  startTime: columns.indexOf(processMetrics.startTime),
  memoryLimit: columns.indexOf(processMetrics.memoryLimit),
  heapLimit: columns.indexOf(processMetrics.heapLimit),
  proportionalMemory: columns.indexOf(processMetrics.proportionalMemory),
  uniqueMemory: columns.indexOf(processMetrics.uniqueMemory),
} as const;

if (statusFields.length !== column.openFds) throw new Error("the first columns must be those of statusFields");

const firstRows = 64;

export class ProcessTable {
  /** Row-major; NaN is a value that is not known, and has no series. */
  values = new Float64Array(firstRows * columnCount);
  private readonly free: number[] = [];
  private used = 0;

  /** A row of its own, all values unknown. */
  addRow(): number {
    const row = this.free.pop() ?? this.used++;
    if ((row + 1) * columnCount > this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.clearRow(row);
    return row;
  }

  /** Gives the row to the next process. */
  freeRow(row: number): void {
    this.free.push(row);
  }

  clearRow(row: number): void {
    this.values.fill(Number.NaN, row * columnCount, (row + 1) * columnCount);
  }

  /** What the judge said of a process is no longer known. */
  clearJudged(row: number): void {
    this.values.fill(Number.NaN, row * columnCount + column.floor, row * columnCount + column.timeToThreadLimit + 1);
    this.values.fill(Number.NaN, row * columnCount + columns.length, (row + 1) * columnCount);
  }

  /** What is read at every pass, or made from it, is no longer known; limits and the start time still are. */
  clearReadings(row: number): void {
    this.values.fill(Number.NaN, row * columnCount, row * columnCount + column.timeToThreadLimit + 1);
    this.values.fill(Number.NaN, row * columnCount + columns.length, (row + 1) * columnCount);
  }

  get(row: number, col: number): number {
    return this.values[row * columnCount + col] as number;
  }

  set(row: number, col: number, value: number): void {
    this.values[row * columnCount + col] = value;
  }
}
