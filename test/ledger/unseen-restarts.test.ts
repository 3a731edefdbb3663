// A container that ends before anybody looks is counted by its engine, and never twice.

import { describe, expect, test } from "vitest";
import type { Container } from "../../exporter/discovery/containers/container.ts";
import type { ContainerState } from "../../exporter/ledger/container-state.ts";
import { Ledger } from "../../exporter/ledger/ledger.ts";
import { type RestartCounts, UnseenRestarts } from "../../exporter/ledger/unseen-restarts.ts";

const plain: Container = {
  ...{ id: "c1", podUid: "", namespace: "", pod: "", workload: "shop", container: "api", image: "", version: "" },
  ...{ isJob: false, restarts: 0 },
};
const killed: ContainerState = { oomKilled: true, exitCode: 137, signal: 9, finishedAt: undefined };
const failed: ContainerState = { oomKilled: false, exitCode: 1, signal: undefined, finishedAt: undefined };

/** Lists that a test dictates, a minute after each other, and the passes after each. */
class Machine implements RestartCounts {
  readonly ledger = new Ledger();
  readonly ends = new Map<string, ContainerState>();
  readonly unseen: UnseenRestarts;
  private readonly source = { interval: { usual: 60 } };
  private containers = new Map<string, Container>();
  private seconds = 1000;
  private listedAt: number | undefined;

  constructor({ takesUnknown = true } = {}) {
    this.unseen = new UnseenRestarts({
      containers: this,
      ledger: this.ledger,
      isRunning: () => false,
      takesUnknown: () => takesUnknown,
    });
  }

  *lists() {
    if (this.listedAt !== undefined)
      yield { source: this.source, listedAt: this.listedAt, containers: this.containers };
  }

  peek(id: string): Container | undefined {
    return this.containers.get(id);
  }

  endOf(id: string): ContainerState | undefined {
    return this.ends.get(id);
  }

  /** Unix time of the next list, in seconds. */
  get nextList(): number {
    return 1_700_000_060 + this.seconds;
  }

  list(...changes: Partial<Container>[]): void {
    this.seconds += 60;
    this.listedAt = 1_700_000_000 + this.seconds;
    this.containers = new Map(changes.map((change) => [change.id ?? plain.id, { ...plain, ...change }]));
  }

  passes(count: number): void {
    for (let i = 0; i < count; i++) {
      this.unseen.update({ now: this.seconds, unix: 1_700_000_000 + this.seconds });
      this.seconds += 5;
    }
  }

  restarts(group = "shop/api"): Record<string, number> {
    const counted = Object.entries(this.ledger.account(group).restarts).filter(([, count]) => count > 0);
    return Object.fromEntries(counted);
  }
}

/** So many passes are waited for the engine to say how a container ended. */
const enough = 10;

function listing(...lists: Partial<Container>[][]): Machine {
  const machine = new Machine();
  for (const list of lists) {
    machine.list(...list);
    machine.passes(enough);
  }
  return machine;
}

describe("restarts that only the engine has seen", () => {
  test("are counted from the first list on, which is no news", () => {
    expect(listing([{ restarts: 7 }]).restarts()).toEqual({});
    expect(listing([{ restarts: 7 }], [{ restarts: 7 }]).restarts()).toEqual({});
    expect(listing([{ restarts: 7 }], [{ restarts: 9 }], [{ restarts: 10 }]).restarts()).toEqual({ exit: 3 });
  });

  test("are counted from the first number on, where the first list has none", () => {
    expect(listing([{ restarts: undefined }], [{ restarts: 7 }], [{ restarts: 8 }]).restarts()).toEqual({ exit: 1 });
  });

  test("are all news of a container that was made after the first list", () => {
    expect(listing([], [{ restarts: 3 }]).restarts()).toEqual({ exit: 3 });
  });

  test("begin anew in another container, and after a start by hand", () => {
    const one = { restarts: 4 };
    expect(listing([one], [{ id: "c2", restarts: 1 }]).restarts()).toEqual({ exit: 1 });
    expect(listing([one], [{ restarts: 0 }], [{ restarts: 1 }]).restarts()).toEqual({ exit: 1 });
  });

  test("go on in a container that a list did not have", () => {
    expect(listing([{ restarts: 4 }], [], [{ restarts: 5 }]).restarts()).toEqual({ exit: 1 });
  });

  test("go on in a pod's container, which has another id each time; another pod begins anew", () => {
    const of = (podUid: string, id: string, restarts: number) => ({ podUid, id, restarts });
    const machine = listing(
      [of("p1", "c1", 5)],
      [of("p1", "c1", 6), of("p1", "c2", 6)],
      [of("p1", "c2", 8), of("p1", "c4", 8)],
    );
    expect(machine.restarts()).toEqual({ exit: 3 });
    machine.list(of("p2", "c5", 1));
    machine.passes(enough);
    expect(machine.restarts()).toEqual({ exit: 4 });
  });

  test("of a time in which nobody could be asked are no news", () => {
    const machine = listing([{ restarts: 1 }]);
    machine.passes(60);
    machine.list({ restarts: 9 });
    machine.passes(enough);
    expect(machine.restarts()).toEqual({});
    machine.list({ restarts: 10 });
    machine.passes(enough);
    expect(machine.restarts()).toEqual({ exit: 1 });
  });

  test.each<[string, ContainerState | undefined, object]>([
    ["oom, where the engine says so", killed, { restarts: { oom: 2 }, evidence: "container_state" }],
    ["exit, where it says another", failed, { restarts: { exit: 2 }, evidence: "container_state" }],
    ["exit, where it does not say in time", undefined, { restarts: { exit: 2 }, evidence: "none" }],
  ])("have a reason: %s", (_, state, expected) => {
    const machine = listing([{}]);
    machine.list({ restarts: 2 });
    if (state !== undefined) machine.ends.set("c1", state);
    machine.passes(enough);
    const { lastEnd, livesEnded } = machine.ledger.account("shop/api");
    expect({ restarts: machine.restarts(), evidence: lastEnd?.evidence }).toEqual(expected);
    expect(livesEnded).toBe(2);
  });

  test("wait for the engine to say how the container ended", () => {
    const machine = listing([{}]);
    machine.list({ restarts: 1 });
    machine.passes(4);
    expect(machine.restarts()).toEqual({});
    machine.ends.set("c1", killed);
    machine.passes(1);
    expect(machine.restarts()).toEqual({ oom: 1 });
  });

  test("do not take the reason of an earlier end", () => {
    const machine = listing([{}]);
    const finishedAt = machine.nextList - 20;
    machine.list({ restarts: 1 });
    machine.ends.set("c1", { ...killed, finishedAt });
    machine.passes(enough);
    machine.list({ restarts: 2 });
    machine.passes(enough);
    expect(machine.restarts()).toEqual({ oom: 1, exit: 1 });
  });

  test("belong to the group that its main process last had", () => {
    const machine = listing([{}]);
    machine.unseen.showed("c1", "shop/api/server.js", "end");
    machine.list({ restarts: 1 });
    machine.passes(enough);
    expect(machine.restarts("shop/api/server.js")).toEqual({ exit: 1 });
    expect(machine.restarts()).toEqual({});
  });

  test("are not counted of what no rule names, where only rules say what is watched", () => {
    const machine = new Machine({ takesUnknown: false });
    machine.list({});
    machine.passes(enough);
    machine.list({ restarts: 2 });
    machine.passes(enough);
    expect([...machine.ledger]).toEqual([]);
    machine.unseen.showed("c1", "api", "end");
    machine.list({ restarts: 3 });
    machine.passes(enough);
    expect(machine.restarts("api")).toEqual({ exit: 1 });
  });

  test("are kept for a day after the last one, though no process was ever seen", () => {
    const machine = listing([{}], [{ restarts: 1 }]);
    expect(machine.ledger.account("shop/api").goneSince).toBeGreaterThan(1000);
  });
});

describe("restarts that processes show too", () => {
  const shows = (machine: Machine) => machine.unseen.showed("c1", "shop/api", "restart");

  test("are left to them, whether they come before the list or after", () => {
    const machine = listing([{}]);
    shows(machine);
    machine.list({ restarts: 1 });
    machine.passes(enough);
    machine.list({ restarts: 2 });
    machine.passes(1);
    shows(machine);
    machine.passes(enough);
    expect(machine.restarts()).toEqual({});
  });

  test("are waited for, though it is known at once how the container ended", () => {
    const machine = listing([{}]);
    machine.list({ restarts: 1 });
    machine.ends.set("c1", killed);
    machine.passes(2); // a process shows in the first, under its final name in the second
    shows(machine);
    machine.passes(enough);
    expect(machine.restarts()).toEqual({});
  });

  test("are the part of them that is not added", () => {
    const machine = listing([{}]);
    shows(machine);
    machine.list({ restarts: 3 });
    machine.passes(1);
    shows(machine);
    machine.passes(enough);
    expect(machine.restarts()).toEqual({ exit: 1 });
  });

  test("and no list counts were by hand, and are not held against the next", () => {
    const machine = listing([{}]);
    shows(machine);
    for (let list = 0; list < 3; list++) {
      machine.list({});
      machine.passes(enough);
    }
    machine.list({ restarts: 1 });
    machine.passes(enough);
    expect(machine.restarts()).toEqual({ exit: 1 });
  });
});
