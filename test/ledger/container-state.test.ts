import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import type { HeapLimit } from "../../exporter/discovery/runtimes/heap-limit.ts";
import { type ContainerState, isOfEndAfter, reasonByState } from "../../exporter/ledger/container-state.ts";

const set = { source: "command_line", kind: "hard", bytes: 100 * MiB } as const;
const node: HeapLimit = { ...set, runtime: "v8", exitCodes: [134] };
const java: HeapLimit = { ...set, runtime: "jvm", exitCodes: [3, 134] };

const state = (differs: Partial<ContainerState>): ContainerState => ({
  oomKilled: false,
  exitCode: undefined,
  signal: undefined,
  finishedAt: undefined,
  ...differs,
});

const suspected = { reason: "suspected_oom", evidence: "node_oom_kill" };
const exited = { reason: "exit", evidence: "none" };
const certain = { reason: "oom", evidence: "cgroup_oom_kill" };

describe("what an engine says of the end", () => {
  test.each<[string, Partial<ContainerState>, typeof exited, HeapLimit | undefined, number, unknown]>([
    [
      "OOMKilled, though it was small a moment before",
      { oomKilled: true, exitCode: 137 },
      exited,
      undefined,
      45,
      "oom: container_state",
    ],
    [
      "another end, though the machine counted a kill",
      { exitCode: 143 },
      suspected,
      undefined,
      90,
      "exit: container_state",
    ],
    ["a plain exit, and nothing pointed at memory", { exitCode: 1 }, exited, undefined, 20, undefined],
    [
      "a plain exit, but its own cgroup counted a kill: of a worker",
      { exitCode: 1 },
      certain,
      undefined,
      20,
      undefined,
    ],
    ["V8's abort, with the heap full", { exitCode: 134 }, exited, node, 90, "suspected_oom: heap_limit"],
    ["the same, told by the signal", { signal: 6 }, exited, node, 90, "suspected_oom: heap_limit"],
    ["an abort with most of the heap free: an assertion", { exitCode: 134 }, exited, node, 60, undefined],
    ["an abort of a program whose heap limit is not known", { exitCode: 134 }, exited, undefined, 90, undefined],
    ["Java's exit for lack of heap", { exitCode: 3 }, exited, java, 110, "suspected_oom: heap_limit"],
    ["exit code 3 of something else", { exitCode: 3 }, exited, node, 110, undefined],
  ])("%s", (_, told, found, heap, residentMib, expected) => {
    const finding = reasonByState(state(told), found, heap, residentMib * MiB);
    expect(finding && `${finding.reason}: ${finding.evidence}`).toBe(expected);
  });
});

test("is of this end only if it came after the process was last seen to run", () => {
  expect(isOfEndAfter(state({ finishedAt: 1000 }), 1003)).toBe(true); // clocks differ a little
  expect(isOfEndAfter(state({ finishedAt: 1000 }), 1060)).toBe(false);
  expect(isOfEndAfter(state({}), 1060)).toBe(true);
});
