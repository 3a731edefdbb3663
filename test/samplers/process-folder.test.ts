import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { TargetFiles } from "../../exporter/kernel/target-files.ts";
import { ProcessTable } from "../../exporter/memory/process-table.ts";
import { parseSmapsRollup } from "../../exporter/procfs/smaps-rollup.ts";
import { parseStat } from "../../exporter/procfs/stat.ts";
import { processFolder } from "../../exporter/samplers/process-folder.ts";
import { folderOf, ProcessReader } from "../../exporter/samplers/process-reader.ts";
import { fakeMachine } from "../support/machine.ts";

describe("processFolder", () => {
  test("is the pid while the main thread goes on", () => {
    const machine = fakeMachine();
    expect(processFolder(machine.files, machine.start({ threads: 5 }))).toBe(100);
  });

  test("is that of another thread once the main thread has ended", () => {
    const machine = fakeMachine();
    const pid = machine.start({ threads: 2 });
    machine.leaderEnds(pid);
    expect(processFolder(machine.files, pid)).toBe("100/task/5100");
  });

  test.each([
    ["is there no longer", (folder: string) => fs.rmSync(folder, { recursive: true })],
    [
      "has ended too",
      (folder: string) =>
        fs.writeFileSync(`${folder}/stat`, "5100 (api) X 1 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 7 0\n"),
    ],
    ["shows nothing readable", (folder: string) => fs.writeFileSync(`${folder}/stat`, "")],
  ])("is none where the other thread %s", (_, change) => {
    const machine = fakeMachine();
    const pid = machine.start({ threads: 2 });
    machine.leaderEnds(pid);
    change(machine.path(`proc/${pid}/task/5100`));
    expect(processFolder(machine.files, pid)).toBeUndefined();
  });

  test("is none for a zombie, whose threads nobody has to list", () => {
    const machine = fakeMachine();
    const pid = machine.start({ threads: 2 });
    machine.becomeZombie(pid);
    machine.files.listUpTo = () => expect.unreachable();
    expect(processFolder(machine.files, pid)).toBeUndefined();
  });

  test("throws for a process that is gone", () => {
    const { files } = fakeMachine();
    expect(() => processFolder(files, 4711)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** Its main thread says that it is about to end, and ends; another keeps 20 MiB. */
const leaderless = `
import ctypes, threading, time
def work():
    global kept
    kept = bytearray(20 << 20)
    time.sleep(60)
threading.Thread(target=work).start()
print("ends", flush=True)
ctypes.CDLL(None).pthread_exit(None)
`;

describe.runIf(process.platform === "linux" && hasPython)("a real process whose main thread has ended", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  test("shows memory, arguments, program, cgroup and PSS in the folder of another thread", async () => {
    const started = spawn("python3", ["-c", leaderless], { stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    await once(started.stdout, "data");
    const pid = started.pid as number;
    const files = new KernelFiles({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup" });
    await expect.poll(() => parseStat(files.text(files.proc(pid, "stat"))).state, { timeout: 10_000 }).toBe("Z");

    const folder = processFolder(files, pid);
    expect(folder).toMatch(new RegExp(`^${pid}/task/\\d+$`));
    if (folder === undefined) return;
    const targets = new TargetFiles(files);
    expect(await targets.cmdline(folder)).toContain("pthread_exit");
    expect(files.link(files.proc(folder, "exe"))).toContain("python");
    expect(files.text(files.proc(folder, "cgroup"))).toBe(files.text("/proc/self/cgroup"));
    expect(parseSmapsRollup(await targets.procText(folder, "smaps_rollup")).uss).toBeGreaterThan(20 * 2 ** 20);
    expect(await targets.cmdline(pid)).toBe("");

    const reader = new ProcessReader(files, { maxKept: 10 });
    const table = new ProcessTable();
    const handle = reader.handle(pid, parseStat(files.text(files.proc(pid, "stat"))).startTicks);
    onTestFinished(() => reader.close(handle));
    expect(reader.readStatus(handle, table, table.addRow())).toBe("read");
    expect(folderOf(handle)).toBe(folder);
  });
});
