// From the state of the watch to exposition text, family by family.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Labels, Metric } from "../../catalog/metric.ts";
import {
  cgroupMetrics,
  groupMetrics,
  growthLabels,
  judgeMetrics,
  nodeMetrics,
  outsideMetrics,
  processInfo,
  processMetrics,
} from "../../catalog/metrics.ts";
import { verdictCode } from "../../catalog/verdicts.ts";
import type { Containers } from "../discovery/containers/containers.ts";
import type { GroupAccount } from "../ledger/ledger.ts";
import { columnCount, columns } from "../memory/process-table.ts";
import type { Life } from "../model/life.ts";
import type { State } from "../model/state.ts";
import type { WatchedCgroup } from "../samplers/cgroups.ts";
import { cutPath } from "../text/visible.ts";
import { type Format, familyHeader, labelText } from "./format.ts";
import { formatNumber, TextBuffer } from "./text-buffer.ts";

/** Series written between two pauses in which other work can run. */
const seriesPerSlice = 8192;

/** What is served, and where an engine or a cluster describes containers. */
interface Served extends State<GroupAccount> {
  readonly containers: Containers | undefined;
}

/** The unchanging parts of a process' series, as bytes. */
interface LifeTexts {
  version: number;
  group: string;
  slot: number;
  labels: Uint8Array;
  infoLine: Uint8Array;
  limitInfoLine: Uint8Array;
  /** With a window or a verdict more in the labels, by that. */
  growth: Map<string, Uint8Array>;
  verdict: Map<string, Uint8Array>;
  /** Undefined where its runtime has no limit that is known. */
  heapInfoLine: Uint8Array | undefined;
}

/** Those of a cgroup, which never change. */
interface CgroupTexts {
  labels: Uint8Array;
  infoLine: Uint8Array;
  /** With one event more in the labels. */
  ofEvent: Map<string, Uint8Array>;
}

export class Renderer {
  private readonly state: Served;
  private buffer = new TextBuffer(0);
  private readonly texts = new WeakMap<Life, LifeTexts>();
  private readonly cgroupTexts = new WeakMap<WatchedCgroup, CgroupTexts>();
  private readonly heads = new Map<string, Uint8Array>();
  private written = 0;

  constructor(state: Served) {
    this.state = state;
  }

  /** Writes all series but those of the exporter itself. Nothing may change the state meanwhile. */
  async render(format: Format, into: TextBuffer): Promise<void> {
    this.buffer = into;
    await this.processes(format);
    await this.groups(format);
    await this.cgroups(format);
    this.node(format);
  }

  private async processes(format: Format): Promise<void> {
    const lives = [...this.state.groups.values()].sort(byName).flatMap((group) => group.lives());
    const texts = lives.map((life) => this.textsOf(life));
    const rows = lives.map(({ row }) => row * columnCount);
    for (const [col, metric] of columns.entries()) {
      const { values } = this.state.table;
      const head = this.head(metric);
      let empty = true;
      for (let i = 0; i < rows.length; i++) {
        const value = values[(rows[i] as number) + col] as number;
        if (Number.isNaN(value)) continue;
        if (empty) this.buffer.text(familyHeader(metric, format));
        empty = false;
        this.buffer.series(head, (texts[i] as LifeTexts).labels, value);
      }
      await this.pauseAfter(rows.length);
    }
    if (lives.length === 0) return;
    await this.judged(format, lives, texts);
    this.buffer.text(familyHeader(processInfo.process, format));
    for (const { infoLine } of texts) this.buffer.raw(infoLine);
    await this.pauseAfter(rows.length);
    this.buffer.text(familyHeader(processInfo.memoryLimit, format));
    for (const { limitInfoLine } of texts) this.buffer.raw(limitInfoLine);
    await this.pauseAfter(rows.length);
    const heapInfoLines = texts.flatMap(({ heapInfoLine }) => heapInfoLine ?? []);
    if (heapInfoLines.length > 0) this.buffer.text(familyHeader(processInfo.heapLimit, format));
    for (const heapInfoLine of heapInfoLines) this.buffer.raw(heapInfoLine);
    await this.pauseAfter(heapInfoLines.length);
  }

  /** What the judge says with a label more. */
  private async judged(format: Format, lives: readonly Life[], texts: readonly LifeTexts[]): Promise<void> {
    const growth = this.head(judgeMetrics.growth);
    const { values } = this.state.table;
    let empty = true;
    for (const [i, window] of growthLabels.entries()) {
      for (const [index, life] of lives.entries()) {
        const value = values[life.row * columnCount + columns.length + i] as number;
        if (Number.isNaN(value)) continue;
        if (empty) this.buffer.text(familyHeader(judgeMetrics.growth, format));
        empty = false;
        this.buffer.series(
          growth,
          labelsOf((texts[index] as LifeTexts).growth, window, life, judgeMetrics.growth),
          value,
        );
      }
      await this.pauseAfter(lives.length);
    }
    empty = true;
    const verdict = this.head(judgeMetrics.verdict);
    for (const [index, life] of lives.entries()) {
      const word = life.group.slots[life.slot]?.finding?.word;
      if (word === undefined) continue;
      if (empty) this.buffer.text(familyHeader(judgeMetrics.verdict, format));
      empty = false;
      const labels = labelsOf((texts[index] as LifeTexts).verdict, word, life, judgeMetrics.verdict);
      this.buffer.series(verdict, labels, verdictCode[word]);
    }
    await this.pauseAfter(lives.length);
  }

  private textsOf(life: Life): LifeTexts {
    const known = this.texts.get(life);
    const { group, slot, identity } = life;
    if (known?.version === life.labelVersion && known.group === group.name && known.slot === slot) return known;
    const name = { group: group.name, slot: String(slot) };
    const made: LifeTexts = {
      version: life.labelVersion,
      group: group.name,
      slot,
      labels: Buffer.from(labelText(processMetrics.residentMemory, name)),
      infoLine: line(processInfo.process, {
        ...name,
        pid: String(life.pid),
        exe: cutPath(identity.exe ?? ""),
        cgroup: life.cgroup?.label ?? "",
        container_id: identity.containerId ?? "",
        pod_uid: identity.podUid ?? "",
        version: identity.version ?? "",
      }),
      limitInfoLine: line(processInfo.memoryLimit, { ...name, source: life.limitSource }),
      growth: new Map(),
      verdict: new Map(),
      heapInfoLine:
        life.heapLimit &&
        line(processInfo.heapLimit, { ...name, runtime: life.heapLimit.runtime, source: life.heapLimit.source }),
    };
    this.texts.set(life, made);
    return made;
  }

  private async groups(format: Format): Promise<void> {
    const accounts = [...this.state.ledger].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const { metric, samples } of groupFamilies) {
      this.family(
        format,
        metric,
        accounts.flatMap(([group, account]) => [...samples(group, account, this.state)]),
      );
      await this.pauseAfter(accounts.length);
    }
  }

  private async cgroups(format: Format): Promise<void> {
    const cgroups = [...this.state.cgroups].sort((a, b) => (a.path < b.path ? -1 : 1));
    const { info, container, pressureWaiting, pressureStalled, events, ...gauges } = cgroupMetrics;
    if (cgroups.length > 0) this.buffer.text(familyHeader(info, format));
    for (const cgroup of cgroups) this.buffer.raw(this.textsOfCgroup(cgroup).infoLine);
    this.family(
      format,
      container,
      cgroups.flatMap(({ label, containerId }): Sample<typeof container>[] => {
        const found = this.state.containers?.peek(containerId);
        if (found === undefined) return [];
        const labels = {
          cgroup: label,
          container_id: containerId ?? "",
          pod_uid: found.podUid,
          pod_namespace: found.namespace,
          pod_name: found.pod,
          container_name: found.container,
          workload: found.workload,
          image: found.image,
          app_version: found.version,
        };
        return [[labels, 1]];
      }),
    );
    for (const [name, metric] of Object.entries(gauges) as [
      keyof typeof gauges,
      (typeof gauges)[keyof typeof gauges],
    ][]) {
      this.ofCgroups(format, metric, cgroups, ({ memory }) => memory?.[name]);
    }
    this.ofCgroups(format, outsideMetrics.severity, cgroups, (cgroup) => this.state.outsideFinding(cgroup)?.severity);
    this.ofCgroups(format, outsideMetrics.timeToOom, cgroups, (cgroup) => this.state.outsideFinding(cgroup)?.timeToOom);
    await this.pauseAfter(16 * cgroups.length);
    this.ofCgroups(format, pressureWaiting, cgroups, ({ memory }) => memory?.pressure?.waiting);
    this.ofCgroups(format, pressureStalled, cgroups, ({ memory }) => memory?.pressure?.stalled);
    this.eventsOfCgroups(format, cgroups);
    await this.pauseAfter(8 * cgroups.length);
  }

  private ofCgroups(
    format: Format,
    metric: Metric,
    cgroups: readonly WatchedCgroup[],
    measured: (cgroup: WatchedCgroup) => number | undefined,
  ): void {
    const head = this.head(metric);
    let empty = true;
    for (const cgroup of cgroups) {
      const value = measured(cgroup);
      if (value === undefined || Number.isNaN(value)) continue;
      if (empty) this.buffer.text(familyHeader(metric, format));
      empty = false;
      this.buffer.series(head, this.textsOfCgroup(cgroup).labels, value);
    }
  }

  private eventsOfCgroups(format: Format, cgroups: readonly WatchedCgroup[]): void {
    const metric = cgroupMetrics.events;
    const head = this.head(metric);
    let empty = true;
    for (const cgroup of cgroups) {
      const { ofEvent } = this.textsOfCgroup(cgroup);
      for (const [event, count] of cgroup.memory?.events ?? []) {
        if (!knownEvents.has(event)) continue;
        const labels = ofEvent.get(event) ?? Buffer.from(labelText(metric, { cgroup: cgroup.label, event }));
        ofEvent.set(event, labels);
        if (empty) this.buffer.text(familyHeader(metric, format));
        empty = false;
        this.buffer.series(head, labels, count);
      }
    }
  }

  private textsOfCgroup(cgroup: WatchedCgroup): CgroupTexts {
    const known = this.cgroupTexts.get(cgroup);
    if (known !== undefined) return known;
    const { label, version, containerId = "", podUid = "" } = cgroup;
    const made: CgroupTexts = {
      labels: Buffer.from(labelText(cgroupMetrics.usage, { cgroup: label })),
      infoLine: line(cgroupMetrics.info, {
        cgroup: label,
        version: String(version),
        container_id: containerId,
        pod_uid: podUid,
      }),
      ofEvent: new Map(),
    };
    this.cgroupTexts.set(cgroup, made);
    return made;
  }

  private node(format: Format): void {
    this.family(format, nodeMetrics.memory, [[{}, this.state.nodeMemory]]);
    this.family(format, nodeMetrics.oomKills, [[{}, this.state.nodeOomKills]]);
  }

  /** A family whose series are few enough for plain strings; what is not known has no series. */
  private family<M extends Metric>(format: Format, metric: M, samples: readonly Sample<M>[]): void {
    const known = samples.filter(([, value]) => value !== undefined && !Number.isNaN(value));
    if (known.length === 0) return;
    this.buffer.text(familyHeader(metric, format));
    for (const [labels, value] of known) {
      this.buffer.text(`${metric.name}${labelText(metric, labels)} ${formatNumber(value as number)}\n`);
    }
  }

  private head(metric: Metric): Uint8Array {
    const known = this.heads.get(metric.name) ?? Buffer.from(metric.name);
    this.heads.set(metric.name, known);
    return known;
  }

  private async pauseAfter(series: number): Promise<void> {
    this.written += series;
    if (this.written < seriesPerSlice) return;
    this.written = 0;
    await nextTurn();
  }
}

/** What is served of each group, family by family. */
interface GroupFamily {
  readonly metric: Metric;
  samples(group: string, account: GroupAccount, state: Served): Iterable<Sample<Metric>>;
}

const single = (
  metric: Metric,
  value: (account: GroupAccount, group: string, state: Served) => number | undefined,
): GroupFamily => ({
  metric,
  samples: (group, account, state) => [[{ group }, value(account, group, state)]],
});

const byReason = (metric: Metric, counts: (account: GroupAccount) => Record<string, number>): GroupFamily => ({
  metric,
  samples: (group, account) =>
    Object.entries(counts(account)).map(([reason, count]) => [{ group, reason }, count] as const),
});

const workersOnly = ({ metric, samples }: GroupFamily): GroupFamily => ({
  metric,
  samples: (group, account, state) => (account.hasWorkers ? samples(group, account, state) : []),
});

const groupFamilies: readonly GroupFamily[] = [
  single(groupMetrics.processes, ({ podUid }, group, { groups, containers }) => {
    const running = groups.get(group)?.processes ?? 0;
    // a service that was moved or scaled down is not missed here
    return running === 0 && podUid !== undefined && containers?.hasPod(podUid) === false ? undefined : running;
  }),
  byReason(groupMetrics.restarts, ({ restarts }) => restarts),
  workersOnly(byReason(groupMetrics.workerExits, ({ workerExits }) => workerExits)),
  workersOnly(single(groupMetrics.workerExitsGrowing, ({ workerExitsGrowing }) => workerExitsGrowing)),
  {
    metric: groupMetrics.verdict,
    samples: (group, _account, { groups }) => {
      const word = groups.get(group)?.finding?.word;
      return word === undefined ? [] : [[{ group, verdict: word }, verdictCode[word]] as const];
    },
  },
  single(groupMetrics.severity, (_account, group, { groups }) => groups.get(group)?.finding?.severity),
  single(groupMetrics.growing, (_account, group, { groups }) => groups.get(group)?.growing),
  single(groupMetrics.livesEnded, ({ livesEnded }) => livesEnded),
  single(groupMetrics.livesEndedGrowing, ({ livesEndedGrowing }) => livesEndedGrowing),
  single(groupMetrics.oomKills, ({ oomKills }) => oomKills),
  {
    metric: groupMetrics.oomGrowth,
    samples: (group, { lastOomGrowth }) =>
      lastOomGrowth.map(({ group: grew, ratio }) => [{ group, grew }, ratio] as const),
  },
  single(groupMetrics.lastRestart, ({ lastRestart }) => lastRestart),
  single(groupMetrics.lastEndMemoryLimit, ({ lastEnd }) => lastEnd?.limitRatio),
  {
    metric: groupMetrics.lastEnd,
    samples: (group, { lastEnd }) =>
      lastEnd === undefined ? [] : [[{ group, reason: lastEnd.reason, evidence: lastEnd.evidence }, 1] as const],
  },
];

/** Made when they are first written. */
function labelsOf(
  known: Map<string, Uint8Array>,
  value: string,
  { group, slot }: Life,
  metric: typeof judgeMetrics.growth | typeof judgeMetrics.verdict,
): Uint8Array {
  let labels = known.get(value);
  if (labels === undefined) {
    const name = { group: group.name, slot: String(slot) };
    labels = Buffer.from(labelText(metric as Metric, { ...name, [metric.labels[2] as string]: value }));
    known.set(value, labels);
  }
  return labels;
}

type Sample<M extends Metric> = readonly [labels: Labels<M>, value: number | undefined];

const knownEvents = new Set(["low", "high", "max", "oom", "oom_kill", "oom_group_kill"]);

const line = <M extends Metric>(metric: M, labels: Labels<M>) =>
  Buffer.from(`${metric.name}${labelText(metric, labels)} 1\n`);

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
