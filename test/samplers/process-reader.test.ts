import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { column, ProcessTable } from "../../exporter/memory/process-table.ts";
import { parseStat } from "../../exporter/procfs/stat.ts";
import { detectFdCountMethod, ProcessReader } from "../../exporter/samplers/process-reader.ts";
import { fakeMachine } from "../support/machine.ts";

describe("detectFdCountMethod", () => {
  // the listing itself holds a descriptor that the size does not
  test.each([
    ["Linux 6.2 and later", 23, 24, "size"],
    ["before 6.2, where the size is 0", 0, 24, "list"],
    ["a copy of /proc on disk, where the size is that of a folder", 4096, 24, "list"],
    ["few descriptors", 1, 2, "size"],
  ] as const)("%s", (_, size, listed, method) => {
    class OwnFds extends KernelFiles {
      override size = () => size;
      override list = () => Array.from({ length: listed }, (__, fd) => String(fd));
    }
    expect(detectFdCountMethod(new OwnFds({ procfs: "/proc", cgroupfs: "" }))).toBe(method);
  });

  test("a procfs that does not show us", () => {
    expect(detectFdCountMethod(new KernelFiles({ procfs: "/nowhere", cgroupfs: "" }))).toBe("list");
  });
});

describe("a machine made of files", () => {
  function reading(options: { maxKept?: number; fdCountMethod?: "size" | "list" } = {}) {
    const machine = fakeMachine();
    const pid = machine.start({ resident: 40 * MiB, fds: 5 });
    const reader = new ProcessReader(machine.files, { maxKept: 10, ...options });
    const table = new ProcessTable();
    const row = table.addRow();
    const handle = reader.handle(pid, 100_000); // the machine's clock begins 1000 s after its boot
    return { machine, pid, reader, table, row, handle };
  }

  test("counts descriptors by listing where the size of the folder says nothing", () => {
    const { reader, handle, table, row } = reading();
    reader.readFdCount(handle, table, row);
    expect(table.get(row, column.openFds)).toBe(5);
    expect(reader.kept).toBe(0);
  });

  test("counts them by the size of the folder where it says so, and keeps that open", () => {
    const { machine, pid, reader, handle, table, row } = reading({ fdCountMethod: "size" });
    reader.readFdCount(handle, table, row);
    expect(table.get(row, column.openFds)).toBe(fs.statSync(machine.path(`proc/${pid}/fd`)).size);
    expect(reader.kept).toBe(1);
  });

  // the size is shown to everybody, the list only to the same user
  test.each([
    ["it may not be opened", 10, "EACCES"],
    ["no descriptor is left to keep", 0, undefined],
  ])("asks for the size by name where %s", (_, maxKept, code) => {
    const { machine, pid, reader, handle, table, row } = reading({ maxKept, fdCountMethod: "size" });
    machine.files.open = () => {
      throw Object.assign(new Error("open"), { code });
    };
    reader.readFdCount(handle, table, row);
    expect(table.get(row, column.openFds)).toBe(fs.statSync(machine.path(`proc/${pid}/fd`)).size);
    expect(reader.kept).toBe(0);
  });

  test("has no count where it may not be known, rather than the last one", () => {
    const { machine, reader, handle, table, row } = reading();
    reader.readFdCount(handle, table, row);
    machine.files.deny(/\/fd$/);
    expect(() => reader.readFdCount(handle, table, row)).toThrow("EACCES");
    expect(table.get(row, column.openFds)).toBeNaN();
  });

  test("reads a status file that is larger than its buffer, of a process with thousands of groups", () => {
    const { machine, pid, reader, handle, table, row } = reading();
    const status = fs.readFileSync(machine.path(`proc/${pid}/status`), "utf8");
    const groups = `Groups:\t${Array.from({ length: 5000 }, (_, i) => 100_000 + i).join(" ")} \n`;
    machine.write(`proc/${pid}/status`, status.replace("VmPeak", `${groups}VmPeak`));
    expect(groups.length).toBeGreaterThan(4 * 8192);
    expect(reader.readStatus(handle, table, row)).toBe("read");
    expect(table.get(row, column.residentMemory)).toBe(40 * MiB);
    expect(table.get(row, column.threads)).toBe(1); // the last line that is read
  });

  test("keeps one descriptor open, closes it, and can be asked again", () => {
    const { reader, handle, table, row } = reading();
    for (let i = 0; i < 3; i++) reader.readStatus(handle, table, row);
    expect(reader.kept).toBe(1);
    reader.close(handle);
    reader.close(handle);
    expect(reader.kept).toBe(0);
    expect(reader.readStatus(handle, table, row)).toBe("read");
  });

  test.each([
    ["that it keeps open", 10],
    ["that it opens anew", 0],
  ])("sees that a file %s is that of another process with the same pid", (_, maxKept) => {
    const { machine, pid, reader, table, row } = reading({ maxKept });
    const handle = reader.handle(pid, 99_999);
    expect(reader.readStatus(handle, table, row)).toBe("gone");
    machine.stop(pid);
    expect(reader.readStatus(reader.handle(pid, 100_000), table, row)).toBe("gone");
  });

  test("says when the name has changed, once", () => {
    const { machine, pid, reader, handle, table, row } = reading();
    expect(reader.readStatus(handle, table, row)).toBe("read");
    machine.exec(pid, ["/usr/bin/other"]);
    expect(reader.readStatus(handle, table, row)).toBe("renamed");
    expect(reader.readStatus(handle, table, row)).toBe("read");
  });

  test("keeps the last numbers while the last threads are ending", () => {
    const { machine, pid, reader, handle, table, row } = reading();
    reader.readStatus(handle, table, row);
    machine.leaderEnds(pid, { threads: 2 });
    expect(reader.readStatus(handle, table, row)).toBe("read");
    fs.rmSync(machine.path(`proc/${pid}/task/${pid + 5000}`), { recursive: true });
    expect(reader.readStatus(handle, table, row)).toBe("no memory");
    expect(table.get(row, column.residentMemory)).toBe(40 * MiB);
  });

  test("leaves the last numbers of a zombie, for the ledger", () => {
    const { machine, pid, reader, handle, table, row } = reading();
    reader.readStatus(handle, table, row);
    machine.becomeZombie(pid);
    expect(reader.readStatus(handle, table, row)).toBe("zombie");
    expect(table.get(row, column.residentMemory)).toBe(40 * MiB);
  });
});

describe.runIf(process.platform === "linux")("a real process", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  test("is read from its open file as long as it lives, and gone after that", async () => {
    child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const pid = child.pid as number;
    const files = new KernelFiles({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup" });
    const reader = new ProcessReader(files, { maxKept: 10 });
    const table = new ProcessTable();
    const row = table.addRow();
    const handle = reader.handle(pid, parseStat(files.text(files.proc(pid, "stat"))).startTicks);
    expect(reader.readStatus(handle, table, row)).toBe("read");
    reader.readFdCount(handle, table, row);
    expect(table.get(row, column.residentMemory)).toBeGreaterThan(0);
    expect(table.get(row, column.openFds)).toBe(fs.readdirSync(`/proc/${pid}/fd`).length);

    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    expect(reader.readStatus(handle, table, row)).toBe("gone");
    reader.close(handle);
    expect(reader.kept).toBe(0);
  });
});
