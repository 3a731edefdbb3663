import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { type EndedFacts, findReasons } from "../../exporter/ledger/oom-evidence.ts";

/** A process that ended at 95 % of its limit in a container of a pod. */
const life = (differs: Partial<EndedFacts> = {}): EndedFacts => ({
  limitRatio: 0.95,
  resident: 60 * MiB,
  cgroup: "/pod/api",
  parent: "/pod",
  isParentPod: true,
  firstToGo: false,
  exit: undefined,
  acquittedBy: { own: false, above: false },
  ...differs,
});

interface Risen {
  cgroup?: Record<string, number>;
  parent?: Record<string, number>;
  /** Those excepted that the other two account for; "unknown" is a kernel that does not tell. */
  node?: number | "unknown";
}

function reasons(ended: EndedFacts[], { cgroup = {}, parent = {}, node = 0 }: Risen): string[] {
  const findings = findReasons(ended, {
    cgroup: (key) => cgroup[key] ?? 0,
    parent: (key) => parent[key] ?? 0,
    node: node === "unknown" ? undefined : node,
  });
  return findings.map(({ reason, evidence }) => `${reason}: ${evidence}`);
}

/** What the parent counts are kills that no cgroup below accounts for. */
const ownKill = { cgroup: { "/pod/api": 1 } };
const killAbove = { parent: { "/pod": 1 } };

describe("one life", () => {
  test.each<[string, Partial<EndedFacts>, Risen, string]>([
    ["no counter rose, near the limit", {}, {}, "exit: none"],
    ["its cgroup's counter rose", {}, ownKill, "oom: cgroup_oom_kill"],
    [
      "its cgroup's counter rose, though it was far below the limit",
      { limitRatio: 0.1 },
      ownKill,
      "oom: cgroup_oom_kill",
    ],
    ["another cgroup's counter rose", {}, { cgroup: { "/pod/other": 1 } }, "exit: none"],
    ["only the counter above rose", {}, killAbove, "oom: parent_oom_kill"],
    [
      "only the counter above rose, and no limit is known",
      { limitRatio: undefined },
      killAbove,
      "oom: parent_oom_kill",
    ],
    ["only the counter above rose, at half of the limit", { limitRatio: 0.5 }, killAbove, "oom: parent_oom_kill"],
    [
      "only its pod's counter rose, below half of the limit: a burst",
      { limitRatio: 0.1 },
      killAbove,
      "oom: parent_oom_kill",
    ],
    [
      "only that of a slice of many services rose, below half of the limit",
      { limitRatio: 0.49, isParentPod: false },
      killAbove,
      "exit: none",
    ],
    [
      "its own counter could have risen and did not, though it was near and the machine counted a kill",
      { acquittedBy: { own: true, above: false } },
      { ...killAbove, node: 1 },
      "exit: none",
    ],
    [
      "the counter above could have risen and did not",
      { acquittedBy: { own: false, above: true } },
      { node: 1 },
      "exit: none",
    ],
    [
      "only the machine's counter rose, and no limit is known",
      { limitRatio: undefined, parent: undefined },
      { node: 1 },
      "exit: none",
    ],
    [
      "it ended by itself, whatever the counters say",
      { exit: { code: 1, signal: undefined } },
      { ...ownKill, ...killAbove, node: 1 },
      "exit: none",
    ],
    [
      "another signal than that of the kernel ended it",
      { exit: { code: undefined, signal: 15 } },
      ownKill,
      "exit: none",
    ],
    ["that of the kernel ended it", { exit: { code: undefined, signal: 9 } }, ownKill, "oom: cgroup_oom_kill"],
    ["version 1 has no counter above", { parent: undefined }, { node: 1 }, "suspected_oom: node_oom_kill"],
    ["only the machine's counter rose, far below the limit", { limitRatio: 0.2 }, { node: 1 }, "exit: none"],
    [
      "only the machine's counter rose, and it was the first to go on a full machine",
      { limitRatio: 0.2, firstToGo: true },
      { node: 1 },
      "suspected_oom: node_oom_kill",
    ],
    ["no counter can be read, near the limit", { limitRatio: 0.9 }, { node: "unknown" }, "suspected_oom: near_limit"],
    ["no counter can be read, not quite near", { limitRatio: 0.89 }, { node: "unknown" }, "exit: none"],
    ["no counter can be read, no limit is known", { limitRatio: undefined }, { node: "unknown" }, "exit: none"],
    ["no cgroup is known, nothing rose", { cgroup: undefined, parent: undefined }, {}, "exit: none"],
  ])("%s", (_, facts, risen, expected) => {
    expect(reasons([life(facts)], risen)).toEqual([expected]);
  });
});

describe("a kill is given once", () => {
  test.each<[string, EndedFacts[], Risen, string[]]>([
    [
      "two lives of one cgroup, one kill: to the one that was nearer to its limit",
      [life({ limitRatio: 0.6 }), life({ limitRatio: 0.9 })],
      ownKill,
      ["exit: none", "oom: cgroup_oom_kill"],
    ],
    [
      "the same share of the limit: to the larger one",
      [life({ resident: 1 * MiB }), life({ resident: 2 * MiB })],
      ownKill,
      ["exit: none", "oom: cgroup_oom_kill"],
    ],
    [
      "two lives of one cgroup, two kills",
      [life(), life()],
      { cgroup: { "/pod/api": 2 } },
      ["oom: cgroup_oom_kill", "oom: cgroup_oom_kill"],
    ],
    [
      "the kill of one container also shows above it: not given to its neighbour",
      [life(), life({ cgroup: "/pod/other" })],
      ownKill,
      ["oom: cgroup_oom_kill", "exit: none"],
    ],
    [
      "two kills above, one of them accounted for below: the other is the neighbour's",
      [life(), life({ cgroup: "/pod/other" })],
      { cgroup: { "/pod/api": 1 }, parent: { "/pod": 1 } },
      ["oom: cgroup_oom_kill", "oom: parent_oom_kill"],
    ],
    [
      "the kill in a pod also shows on the machine: not given to a process elsewhere",
      [life(), life({ cgroup: "/job", parent: undefined })],
      killAbove,
      ["oom: parent_oom_kill", "exit: none"],
    ],
    [
      "one kill on the machine, two processes near their limits",
      [life({ parent: undefined, limitRatio: 0.91 }), life({ parent: undefined, limitRatio: 0.99 })],
      { node: 1 },
      ["exit: none", "suspected_oom: node_oom_kill"],
    ],
  ])("%s", (_, ended, risen, expected) => {
    expect(reasons(ended, risen)).toEqual(expected);
  });
});

test("nothing ended, nothing is found", () => {
  expect(reasons([], ownKill)).toEqual([]);
});
