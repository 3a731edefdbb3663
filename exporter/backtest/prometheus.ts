// The rules over traces in a real Prometheus. The traces become blocks of its database, each rule is asked for as a range
// query, and what it records becomes further blocks for the rules that read it. Alerts go through the same states as in
// the builtin engine, since a query knows nothing of `for`.

import type { RuleGroup } from "../../alerts/rule.ts";
import { isAlert } from "../../alerts/rule.ts";
import { processMetrics, recentMetrics } from "../../catalog/metrics.ts";
import { slotRecordings } from "../../catalog/recordings.ts";
import { maximumPoints, type PrometheusApi, type RangeResult, sampleValue } from "../prometheus/api.ts";
import { PrometheusServer } from "../prometheus/server.ts";
import { Workspace } from "../prometheus/workspace.ts";
import type { Column, Samples, Vector } from "../promql/series.ts";
import { type Episode, runAlert } from "../rule-engine/alert-state.ts";
import { gridOf, recorded } from "../rule-engine/engine.ts";
import { nameOf, type PlannedRule, planRules, roundsOf } from "../rule-engine/plan.ts";
import { CommandError } from "../terminal/command-error.ts";
import { BlockWriter, blockHours } from "./blocks.ts";
import { extentOf, tracedGroups } from "./builtin.ts";
import { exposedSeries } from "./exposed.ts";
import { inOrder } from "./in-order.ts";
import { type TraceReport, traceReport } from "./report.ts";
import { requirePrograms } from "./required-programs.ts";
import type { Trace } from "./traces.ts";

const week = 7 * 86_400;

/**
 * Traces may begin at 0, which is no time for a database. All are moved by whole weeks into the week of this Unix time, so
 * that hours, days and weeks begin where they did. It is the first one in a block of the greatest length.
 */
const anchor = Math.ceil((12 * blockHours * 3600) / week) * week;

/** Traces are taken in batches of about so many samples: they bound the disk and the memory that a batch takes. */
const batchSamples = 4_000_000;
/** Points of one answer, roughly: some 20 MB of text. Conditions of alerts are seldom true, so their answers are small. */
const answerPoints = { recording: 600_000, alert: 2_400_000 } as const;
/** Queries at a time. */
const atOnce = 2;

/** `onRules` is told how many there are, once per batch, and then of each. Throws CommandError. */
export async function prometheusEngine(
  groups: readonly RuleGroup[],
  traces: readonly Trace[],
  onRules: (total: number) => () => void,
): Promise<TraceReport[]> {
  requirePrograms("prometheus", "promtool");
  const rounds = roundsOf(planRules(tracedGroups(groups)));
  const batches = batchesOf(traces);
  const advance = onRules(batches.length * rounds.flat().length);
  const reports = new Map<string, TraceReport>();
  for (const batch of batches) {
    for (const report of await evaluateBatch(rounds, batch, advance)) reports.set(report.id, report);
  }
  const empty = { episodes: [], series: new Map() };
  return traces.map(({ id }) => reports.get(id) ?? traceReport(id, empty));
}

function batchesOf(traces: readonly Trace[]): Trace[][] {
  const batches: Trace[][] = [];
  let samples = Number.POSITIVE_INFINITY;
  for (const trace of traces) {
    const more = trace.members.reduce((sum, { times }) => sum + times.length, 0);
    if (more === 0) continue;
    if (samples + more > batchSamples) {
      batches.push([]);
      samples = 0;
    }
    batches.at(-1)?.push(trace);
    samples += more;
  }
  return batches;
}

/** A trace in the database, and what its rules gave so far. */
interface Placed {
  readonly trace: Trace;
  /** Seconds from the trace's clock to the database's. */
  readonly shift: number;
  /** On the database's clock. */
  readonly from: number;
  readonly to: number;
  readonly episodes: Episode[];
  readonly timeToOom: Samples[];
}

function placed(trace: Trace): Placed {
  const [from, to] = extentOf(trace);
  const shift = anchor - Math.floor(from / week) * week;
  return { trace, shift, from: from + shift, to: to + shift, episodes: [], timeToOom: [] };
}

async function evaluateBatch(
  rounds: readonly PlannedRule[][],
  traces: readonly Trace[],
  advance: () => void,
): Promise<TraceReport[]> {
  const workspace = new Workspace();
  try {
    const batch = new Batch(workspace, traces.map(placed), rounds.flat());
    await batch.writeTraces();
    for (const round of rounds) await batch.evaluate(round, advance);
    return batch.reports();
  } finally {
    workspace.close();
  }
}

class Batch {
  private readonly workspace: Workspace;
  private readonly data: string;
  private readonly traces: ReadonlyMap<string, Placed>;
  private readonly processes: number;
  private readonly isRead: (planned: PlannedRule) => boolean;

  constructor(workspace: Workspace, traces: readonly Placed[], plan: readonly PlannedRule[]) {
    this.workspace = workspace;
    this.data = workspace.path("data");
    this.traces = new Map(traces.map((one) => [one.trace.id, one]));
    this.processes = traces.reduce((sum, { trace }) => sum + trace.members.length, 0);
    const read = new Set(plan.flatMap(({ reads }) => reads));
    this.isRead = (planned) => read.has(planned);
  }

  async writeTraces(): Promise<void> {
    const blocks = new BlockWriter(this.workspace, this.data);
    for (const { trace, shift } of this.traces.values()) {
      for (const [name, series] of exposedSeries(trace)) {
        for (const samples of series) await blocks.add(movedSamples(name, samples, shift), shift);
      }
    }
    await blocks.end();
  }

  async evaluate(round: readonly PlannedRule[], advance: () => void): Promise<void> {
    const server = await PrometheusServer.start(this.workspace, this.data);
    const blocks = new BlockWriter(this.workspace, this.data);
    for (const planned of round) {
      if (isAlert(planned.rule)) await this.alert(planned, server.api, blocks);
      else await this.record(planned, server.api, blocks);
      advance();
    }
    await server.stop();
    await blocks.end();
  }

  reports(): TraceReport[] {
    return [...this.traces.values()].map(({ trace, shift, episodes, timeToOom }) =>
      traceReport(trace.id, {
        episodes: episodes.map(({ start, end, ...rest }) => ({
          ...rest,
          start: start - shift,
          end: end === undefined ? undefined : end - shift,
        })),
        series: new Map([
          [
            slotRecordings.timeToOom.name,
            timeToOom.map((samples) => ({ ...samples, times: Float64Array.from(samples.times, (t) => t - shift) })),
          ],
        ]),
      }),
    );
  }

  private async record(planned: PlannedRule, api: PrometheusApi, blocks: BlockWriter): Promise<void> {
    const { rule } = planned;
    const name = nameOf(rule);
    for await (const { times, results } of this.answers(planned, api, answerPoints.recording)) {
      for (const [one, columns] of this.byTrace(results, times)) {
        for (const samples of recorded(name, rule.labels ?? {}, columns, times)) {
          if (this.isRead(planned)) await blocks.add(samples);
          if (name === slotRecordings.timeToOom.name) one.timeToOom.push(samples);
        }
      }
    }
  }

  private async alert(planned: PlannedRule, api: PrometheusApi, blocks: BlockWriter): Promise<void> {
    const { rule } = planned;
    if (!isAlert(rule)) return;
    const found: RangeResult[] = [];
    for await (const { results } of this.answers(planned, api, answerPoints.alert)) found.push(...results);
    for (const one of this.traces.values()) {
      const own = found.filter(({ metric }) => metric["group"] === one.trace.id);
      if (own.length === 0) continue;
      const times = gridOf(planned.interval, one.from, one.to);
      const { episodes, series } = runAlert(rule, columnsOf(own, one, times), times);
      one.episodes.push(...episodes);
      if (this.isRead(planned)) for (const samples of series) await blocks.add(samples);
    }
  }

  /** A rule's values, stretch by stretch in the order of time, with the grid of each stretch. */
  private async *answers({ rule, interval }: PlannedRule, api: PrometheusApi, points: number) {
    const all = [...this.traces.values()];
    const grid = gridOf(interval, Math.min(...all.map(({ from }) => from)), Math.max(...all.map(({ to }) => to)));
    const length = Math.max(60, Math.min(maximumPoints, Math.floor(points / this.processes)));
    const stretches = Array.from({ length: Math.ceil(grid.length / length) }, (_, i) =>
      grid.subarray(i * length, (i + 1) * length),
    );
    yield* inOrder(stretches, atOnce, async (times) => {
      const [from, to] = [times[0] as number, times[times.length - 1] as number];
      try {
        return { times, results: await api.range(rule.expr, from, to, interval) };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        throw new CommandError(`${nameOf(rule)}: ${error.message}`, 1, { cause: error });
      }
    });
  }

  /** A query goes on for some time after a trace has ended, the rules of a process that is gone do not. */
  private byTrace(results: readonly RangeResult[], times: Float64Array): Map<Placed, Vector> {
    const found = new Map<Placed, Column[]>();
    for (const result of results) {
      const one = this.traces.get(result.metric["group"] ?? "");
      if (one === undefined) continue;
      found.set(one, [...(found.get(one) ?? []), ...columnsOf([result], one, times)]);
    }
    return found;
  }
}

/** Start times are times too, and move with the clock. */
function movedSamples(name: string, samples: Samples, shift: number): Samples {
  if (name !== processMetrics.startTime.name && name !== recentMetrics.youngStart.name) return samples;
  return { ...samples, values: Float64Array.from(samples.values, (start) => start + shift) };
}

/** Results on a grid, as far as it lies within the trace. */
function columnsOf(results: readonly RangeResult[], { from, to }: Placed, times: Float64Array): Vector {
  const first = times[0] as number;
  const step = times.length > 1 ? (times[1] as number) - first : 1;
  return results.map(({ metric, values }) => {
    const column = new Float64Array(times.length).fill(Number.NaN);
    for (const [t, text] of values) {
      if (t < from || t > to) continue;
      column[Math.round((t - first) / step)] = sampleValue(text);
    }
    return { labels: metric, values: column };
  });
}
