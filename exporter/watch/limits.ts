// What ends a process: its memory limit, wherever that comes from, its runtime's own, and the limits of its descriptors and threads.

import type { Config } from "../config/config.ts";
import { heapLimitOf, type VisibleMemory } from "../discovery/runtimes/heap-limit.ts";
import type { Failures } from "../failures.ts";
import type { KernelFiles } from "../kernel/files.ts";
import type { TargetFiles } from "../kernel/target-files.ts";
import { column, type ProcessTable } from "../memory/process-table.ts";
import type { Life, LimitSource } from "../model/life.ts";
import { parseOpenFilesLimit, parseProcessesLimit } from "../procfs/limits.ts";
import { ThreadsLimits } from "../samplers/threads-limits.ts";
import type { Node } from "./node.ts";
import { isGone, type Readings } from "./readings.ts";

export class Limits {
  readonly threads: ThreadsLimits;
  private readonly files: KernelFiles;
  private readonly readings: Readings;
  private readonly table: ProcessTable;
  private readonly node: Node;

  constructor(options: {
    files: KernelFiles;
    failures: Failures;
    targetFiles: TargetFiles;
    readings: Readings;
    node: Node;
  }) {
    this.files = options.files;
    this.readings = options.readings;
    this.table = options.readings.table;
    this.node = options.node;
    this.threads = new ThreadsLimits(options.files, options.failures, options.targetFiles);
  }

  /** Of descriptors and threads. `now` is in seconds since boot. */
  read(life: Life, now: number): void {
    try {
      const text = this.files.text(this.files.proc(life.pid, "limits"));
      this.table.set(life.row, column.maxFds, parseOpenFilesLimit(text).soft ?? Number.NaN);
      const own = life.ignoresProcessesLimit ? undefined : parseProcessesLimit(text).soft;
      const least = Math.min(own ?? Number.POSITIVE_INFINITY, this.threads.least(life.pid, life.cgroup, now));
      this.table.set(life.row, column.maxThreads, Number.isFinite(least) ? least : Number.NaN);
      this.readings.readable(life, "limits");
    } catch (error) {
      if (!isGone(error)) this.readings.notReadable(life, "limits", error);
    }
  }

  /** The memory limit of each life: configured, of a cgroup, or the machine's memory; and that of its runtime's heap. */
  apply(lives: Iterable<Life>, config: Config): void {
    for (const life of lives) {
      const [bytes, source] = this.limitOf(life, config);
      this.table.set(life.row, column.memoryLimit, bytes);
      if (source !== life.limitSource) {
        life.limitSource = source;
        life.labelVersion++;
      }
      this.applyHeapLimit(life, config);
      const problem = life.cgroup?.problem;
      if (problem !== undefined) life.unreadable.set("cgroup", problem);
      else this.readings.readable(life, "cgroup");
    }
  }

  /** A share of the memory is another number of bytes when the container's limit has changed. */
  private applyHeapLimit(life: Life, config: Config): void {
    const { heap } = life.identity;
    const before = life.heapLimit;
    const limit = heap && heapLimitOf(heap, this.visibleMemory(life, config));
    life.heapLimit = limit;
    this.table.set(life.row, column.heapLimit, limit?.bytes ?? Number.NaN);
    if (limit?.runtime !== before?.runtime || limit?.source !== before?.source) life.labelVersion++;
  }

  /** What its runtime finds; a configured limit is ours alone. */
  private visibleMemory({ cgroup }: Life, { unseenMemoryLimit: told }: Config): VisibleMemory {
    const machine = this.node.memory;
    const isUnseen = isUnseenFromHere(cgroup);
    const bytes = cgroup?.limit?.bytes ?? (isUnseen ? told : undefined);
    return {
      machine,
      limit: bytes !== undefined && bytes > (machine ?? Number.NaN) ? undefined : bytes,
      limitIsOwn: cgroup?.limit?.source !== "ancestor",
      isKnown: bytes !== undefined || !isUnseen || cgroup?.path === "/",
    };
  }

  private limitOf(
    { configuredLimit, cgroup }: Life,
    { unseenMemoryLimit: told }: Config,
  ): readonly [bytes: number, source: LimitSource] {
    if (configuredLimit !== undefined) return [configuredLimit, "config"];
    const node = this.node.memory ?? Number.NaN;
    if (cgroup?.limit !== undefined && !(cgroup.limit.bytes > node)) return [cgroup.limit.bytes, cgroup.limit.source];
    // in a cgroup whose files we cannot see there may be a limit: the machine's memory would promise too much
    const isUnseen = isUnseenFromHere(cgroup);
    const mayHaveOne = cgroup !== undefined && isUnseen && cgroup.path !== "/";
    if (told !== undefined && isUnseen) return [told, "config"];
    return mayHaveOne ? [Number.NaN, "unknown"] : [node, "node"];
  }
}

const isUnseenFromHere = (cgroup: Life["cgroup"]): boolean => cgroup?.at === undefined && cgroup?.isShown !== true;
