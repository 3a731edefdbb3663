// How containers end and how often they are restarted, as the Kubernetes API and an engine say, beside what their processes show.

import { describe, expect, onTestFinished, test } from "vitest";
import { MiB } from "../../../catalog/defaults.ts";
import { defaultConfig } from "../../../exporter/config/config.ts";
import { Exporter } from "../../../exporter/exporter.ts";
import { createLogger } from "../../../exporter/log.ts";
import { bootTime, type FakeMachine, fakeMachine } from "../../support/machine.ts";
import { FakeEngine } from "./fake-engine.ts";
import { containerId } from "./pod-list.ts";

const podUid = "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10";
const ids = ["1a", "2b", "3c", "4d"].map(containerId) as [string, string, string, string];

interface Status {
  id: string;
  restartCount: number;
  /** Id of the container before it, and why that ended. */
  last?: { id: string; reason: "OOMKilled" | "Error"; finishedAt: number };
}

/** A pod with one container, as the API describes it. */
const podWith = ({ id, restartCount, last }: Status) => ({
  metadata: { name: "fast-0", namespace: "shop", uid: podUid },
  spec: { containers: [{ name: "fast", image: "fast:1" }] },
  status: {
    containerStatuses: [
      {
        ...{ name: "fast", containerID: `containerd://${id}`, restartCount },
        lastState: last && {
          terminated: {
            ...{
              containerID: `containerd://${last.id}`,
              reason: last.reason,
              exitCode: last.reason === "Error" ? 1 : 137,
            },
            finishedAt: new Date(last.finishedAt * 1000).toISOString(),
          },
        },
      },
    ],
  },
});

async function started(machine: FakeMachine, source: { listPods?: () => Promise<string>; dockerSocket?: string }) {
  const exporter = new Exporter({
    roots: { root: machine.root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" },
    config: defaultConfig,
    log: createLogger("error", "logfmt", () => {}),
    clock: machine.clock,
    ...source,
  });
  onTestFinished(() => exporter.stop());
  await exporter.start();
  return {
    exporter,
    /** So many passes, five seconds after each other. */
    async passes(count: number) {
      for (let i = 0; i < count; i++) {
        machine.clock.advance(5);
        await exporter.scrape("text");
        await exporter.watcher.containers?.refreshIfDue(); // what it was asked by the pass
      }
    },
    /** What is counted of a group that is not only a name. */
    told(group: string) {
      const { restarts, lastEnd, livesEnded } = exporter.watcher.ledger.account(group);
      const counted = Object.entries(restarts).filter(([, count]) => count > 0);
      return { restarts: Object.fromEntries(counted), evidence: lastEnd?.evidence, livesEnded };
    },
  };
}

/** Everything of an API server that answers with this pod. */
function apiServer(first: Status) {
  let status = first;
  return {
    listPods: async () => JSON.stringify({ kind: "PodList", items: [podWith(status)] }),
    says: (next: Status) => {
      status = next;
    },
  };
}

const unixOf = (machine: FakeMachine) => bootTime + machine.clock.seconds;

describe("the Kubernetes API", () => {
  const cgroupOf = (id: string) => `/kubepods/burstable/pod${podUid}/${id}`;

  test("says that a container was OOM-killed which burst between two passes, far from its limit", async () => {
    const machine = fakeMachine({ cgroups: 1 });
    machine.cgroup(cgroupOf(ids[0]), { limit: 256 * MiB });
    const burst = machine.start({ argv: ["/burst"], cgroup: cgroupOf(ids[0]), resident: 45 * MiB });
    const api = apiServer({ id: ids[0], restartCount: 0 });
    const { passes, told } = await started(machine, api);
    await passes(4);
    machine.oomKill(burst);
    machine.removeCgroup(cgroupOf(ids[0]));
    await passes(2);
    const last = { id: ids[0], reason: "OOMKilled" as const, finishedAt: unixOf(machine) - 8 };
    api.says({ id: ids[1], restartCount: 1, last });
    machine.cgroup(cgroupOf(ids[1]), { limit: 256 * MiB });
    machine.start({ argv: ["/burst"], cgroup: cgroupOf(ids[1]), resident: 45 * MiB });
    await passes(30);
    expect(told("shop/fast-0/fast/burst")).toEqual({
      restarts: { oom: 1 },
      evidence: "container_state",
      livesEnded: 1,
    });
  });

  test("counts a container that ends half a second after each start, and says why", async () => {
    const machine = fakeMachine();
    const api = apiServer({ id: ids[0], restartCount: 0 });
    const { exporter, passes, told } = await started(machine, api);
    await passes(13);
    for (const [restartCount, id] of [
      [2, ids[1]],
      [5, ids[2]],
      [7, ids[3]],
    ] as const) {
      const last = { id: ids[0], reason: "OOMKilled" as const, finishedAt: unixOf(machine) };
      api.says({ id, restartCount, last });
      await passes(13);
    }
    await passes(3);
    expect(told("shop/fast-0/fast")).toEqual({ restarts: { oom: 7 }, evidence: "container_state", livesEnded: 7 });
    const text = (await exporter.scrape("text")).buffer.written().toString();
    expect(text).toContain('leakwatch_group_restarts_total{group="shop/fast-0/fast",reason="oom"} 7\n');
    expect(text).toContain('leakwatch_group_processes{group="shop/fast-0/fast"} 0\n');
  });

  test("is not counted again where processes show the same", async () => {
    const machine = fakeMachine();
    const api = apiServer({ id: ids[0], restartCount: 0 });
    const start = (id: string) => machine.start({ argv: ["/api"], cgroup: cgroupOf(id) });
    let pid = start(ids[0]);
    const { passes, told } = await started(machine, api);
    await passes(13);
    for (const [i, id] of ids.entries()) {
      if (i === 0) continue;
      machine.stop(pid);
      const last = { id: ids[i - 1] as string, reason: "Error" as const, finishedAt: unixOf(machine) };
      await passes(1);
      pid = start(id);
      api.says({ id, restartCount: i, last });
      await passes(20);
    }
    expect(told("shop/fast-0/fast/api").restarts).toEqual({ exit: 3 });
    expect(told("shop/fast-0/fast").restarts).toEqual({});
  });
});

describe("an engine", () => {
  const cgroup = `/system.slice/docker-${ids[0]}.scope`;
  const says = (engine: FakeEngine, restarts: number, Status: string, State: object) => {
    engine.list = [{ Id: ids[0], Names: ["/api"], Status }];
    engine.details.set(ids[0], { State, RestartCount: restarts });
  };
  const running = { Running: true };
  const ended = (machine: FakeMachine, OOMKilled: boolean) => ({
    ...{ Running: true, Restarting: true, OOMKilled, ExitCode: OOMKilled ? 137 : 1 },
    FinishedAt: new Date(unixOf(machine) * 1000).toISOString(),
  });

  test("counts a container that ends soon after each start, under the name that its process had once", async () => {
    const machine = fakeMachine();
    const engine = await FakeEngine.start();
    says(engine, 0, "Up 3 hours", running);
    const pid = machine.start({ argv: ["/api"], cgroup });
    const { passes, told } = await started(machine, { dockerSocket: engine.socket });
    await passes(7);
    machine.stop(pid);
    // it has been started six times, and waits for the next
    says(engine, 7, "Restarting (1) 1 second ago", ended(machine, false));
    await passes(20);
    expect(told("api")).toEqual({ restarts: { exit: 6 }, evidence: "container_state", livesEnded: 7 });
  });

  test("does not pass an earlier end off as the last one", async () => {
    const machine = fakeMachine();
    const engine = await FakeEngine.start();
    says(engine, 0, "Up 3 hours", running);
    let pid = machine.start({ argv: ["/api"], cgroup });
    const { passes, told } = await started(machine, { dockerSocket: engine.socket });
    await passes(2);
    machine.stop(pid);
    says(engine, 1, "Restarting (137) 1 second ago", ended(machine, true));
    await passes(2);
    says(engine, 1, "Up 2 seconds", running);
    pid = machine.start({ argv: ["/api"], cgroup });
    await passes(20);
    expect(told("api").restarts).toEqual({ oom: 1 });
    machine.stop(pid);
    says(engine, 2, "Up 1 second", running); // it was started again at once: the engine forgets how it ended
    machine.start({ argv: ["/api"], cgroup });
    await passes(20);
    expect(told("api").restarts).toEqual({ oom: 1, exit: 1 });
  });
});
