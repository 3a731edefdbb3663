import { describe, expect, test } from "vitest";
import { ProcessTree } from "../../exporter/detect/process-tree.ts";
import { fakeMachine } from "../support/machine.ts";

/** A machine on which processes have parents. */
function family() {
  const machine = fakeMachine();
  const tree = (root: number) =>
    new ProcessTree({ root: machine.root, procfs: "/proc", cgroupfs: "/sys/fs/cgroup" }, root);
  const born = (pid: number, parent: number) => {
    machine.start({ pid });
    machine.write(`proc/${pid}/stat`, `${pid} (api) S ${parent} ${pid} ${pid} 0 -1 4194304${" 0".repeat(12)} 1000 0\n`);
  };
  return { machine, tree, born };
}

describe("the tree of a process", () => {
  test("is the process and its descendants, whatever the order of pids, and nobody else", async () => {
    const { tree, born } = family();
    born(300, 1);
    born(200, 300); // the pids have begun anew since
    born(100, 200);
    born(400, 1);
    expect((await tree(300).pids()).sort()).toEqual([100, 200, 300]);
  });

  test("takes in children that are born later", async () => {
    const { tree, born } = family();
    born(300, 1);
    const files = tree(300);
    expect(await files.pids()).toEqual([300]);
    born(301, 300);
    born(302, 1);
    expect(await files.pids()).toEqual([300, 301]);
  });

  test("keeps a process that has lost its parent", async () => {
    const { machine, tree, born } = family();
    born(300, 1);
    born(301, 300);
    const files = tree(300);
    await files.pids();
    machine.stop(300);
    born(301, 1);
    expect(await files.pids()).toEqual([301]);
    expect(files.pidsSeen).toEqual([301]);
  });
});
