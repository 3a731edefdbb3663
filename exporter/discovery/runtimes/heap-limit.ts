// The most that a runtime lets its heap hold, and what happens there. Some are a share of the memory that the runtime sees, so a setting becomes a
// number of bytes only together with that memory, and another number when the container's limit changes.

/** What manages the memory of a process. */
export type Runtime = "v8" | "jvm" | "go" | "dotnet";

/** Where the limit was set: in the arguments, in the environment, or nowhere: what the runtime's documentation says for that. */
export type HeapLimitSource = "command_line" | "environment" | "default";

/** How much, in bytes or as a share (0 to 1) of the memory that the runtime sees. */
export type HeapSize =
  | { readonly bytes: number }
  | {
      readonly share: number;
      /** The machine's memory counts, whatever the container's limit. */
      readonly ofMachine?: true;
      /** Only of a limit: there is no such heap limit where the machine's memory is all. */
      readonly ofLimit?: true;
      /** With so little memory, in bytes, it is another share of it; with more never less than that limit of the heap. */
      readonly small?: { readonly share: number; readonly heap: number };
      /** In bytes. */
      readonly atLeast?: number;
      /** With more memory than this, in bytes, it is not known. */
      readonly upTo?: number;
    }
  /** By steps: with memory from this many bytes on, so many bytes or such a share; undefined where it is not known. */
  | { readonly steps: readonly { readonly from: number; readonly bytes?: number; readonly share?: number }[] };

/** What was set. Plain data, so that two can be compared. */
export interface HeapSetting {
  readonly runtime: Runtime;
  readonly source: HeapLimitSource;
  /** A process does not outlive a hard limit. At a soft one (Go) it collects garbage all the time, and grows on if that frees too little. */
  readonly kind: "hard" | "soft";
  /** Codes with which it exits when it cannot allocate; an abort counts in any case. None where the limit is soft. */
  readonly exitCodes: readonly number[];
  readonly size: HeapSize;
}

export interface HeapLimit extends Omit<HeapSetting, "size"> {
  readonly bytes: number;
}

/** The memory that a runtime finds when it starts, in bytes. */
export interface VisibleMemory {
  /** All that the machine has; undefined where it is not known. */
  readonly machine: number | undefined;
  /** The limit of its cgroup, where it has one. */
  readonly limit: number | undefined;
  /** Is that set on its own cgroup? Not every version of a runtime finds the limit of one above. */
  readonly limitIsOwn: boolean;
  /** False where there may be a limit that we cannot see. */
  readonly isKnown: boolean;
}

/** An abort, as a shell and container engines report it: 128 and the number of SIGABRT. */
export const aborted = 134;

/** Undefined where it cannot be known. */
export function heapLimitOf({ size, ...setting }: HeapSetting, memory: VisibleMemory): HeapLimit | undefined {
  const bytes = bytesOf(size, memory);
  return bytes === undefined || !(bytes > 0) ? undefined : { ...setting, bytes };
}

function bytesOf(size: HeapSize, memory: VisibleMemory): number | undefined {
  if ("bytes" in size) return size.bytes;
  const total = "share" in size && size.ofMachine ? memory.machine : visible(memory);
  if (total === undefined) return undefined;
  if ("steps" in size) {
    const step = size.steps.findLast(({ from }) => total >= from);
    return step?.bytes ?? (step?.share === undefined ? undefined : Math.floor(step.share * total));
  }
  const { share, ofLimit, small, atLeast = 0, upTo = Number.POSITIVE_INFINITY } = size;
  if (total > upTo || (ofLimit && memory.limit === undefined)) return undefined;
  const heap =
    small === undefined
      ? share * total
      : small.share * total < small.heap
        ? small.share * total
        : Math.max(share * total, small.heap);
  return Math.floor(Math.max(heap, atLeast));
}

function visible({ machine, limit, limitIsOwn, isKnown }: VisibleMemory): number | undefined {
  if (!isKnown) return undefined;
  if (limit === undefined) return machine;
  return limitIsOwn ? limit : undefined;
}
