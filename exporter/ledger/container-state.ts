// What a container engine or the Kubernetes API says of a container that ended. They asked the kernel how its main process ended, and know more
// than its memory a moment before can say.

import type { HeapLimit } from "../discovery/runtimes/heap-limit.ts";
import type { Finding } from "./oom-evidence.ts";

export interface ContainerState {
  readonly oomKilled: boolean;
  /** Undefined where it is not told; 128 and the number of the signal where one ended it. */
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  /** Unix seconds; undefined where it is not told. */
  readonly finishedAt: number | undefined;
}

/** Clocks of an engine, an API and ours differ by some seconds at most. */
const clocksDiffer = 5;

/** Is it the state of an end that came after `since` (Unix seconds)? One container may have ended before. */
export const isOfEndAfter = ({ finishedAt }: ContainerState, since: number): boolean =>
  finishedAt === undefined || finishedAt >= since - clocksDiffer;

/** Where such states come from. */
export interface ContainerStates {
  /** Undefined where it is not known that there is such a container. */
  peek(containerId: string): unknown;
  /** Undefined until the engine says so. */
  endOf(containerId: string): ContainerState | undefined;
  /** Its main process ended: the engine is asked soon. */
  ended(containerId: string): void;
}

/** A heap is near its limit from this share of it on: what else the process holds is more than the rest. */
const heapIsFull = 0.7;
const sigabrt = 6;

/** The reason of an end, by the state if that knows it. `resident` is what the process held before, in bytes. */
export function reasonByState(
  state: ContainerState,
  found: { reason: string; evidence: string },
  heap: HeapLimit | undefined,
  resident: number,
): Finding | undefined {
  if (state.oomKilled) return { reason: "oom", evidence: "container_state" };
  if (heap !== undefined && ranOutOfHeap(state, heap, resident)) {
    return { reason: "suspected_oom", evidence: "heap_limit" };
  }
  // what only the machine's counter or the nearness to the limit suspects is answered by the engine
  if (found.reason === "suspected_oom") return { reason: "exit", evidence: "container_state" };
  return undefined;
}

/** Did it end itself as its runtime does that cannot allocate, with most of its heap in use? */
export function ranOutOfHeap(
  { exitCode, signal }: Pick<ContainerState, "exitCode" | "signal">,
  heap: HeapLimit,
  resident: number,
): boolean {
  if (heap.kind === "soft") return false;
  const gaveUp = signal === sigabrt || (exitCode !== undefined && heap.exitCodes.includes(exitCode));
  return gaveUp && resident >= heapIsFull * heap.bytes;
}
