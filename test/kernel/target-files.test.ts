// Everything that a target can put where a file of the kernel's is expected, and reads that never come back.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { failureReason, KernelFiles, TimeoutError, UntrustedFileError } from "../../exporter/kernel/files.ts";
import { readsHeldUp, TargetFiles } from "../../exporter/kernel/target-files.ts";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-target-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
});

function sparseFile(name: string): void {
  fs.writeFileSync(name, "");
  fs.truncateSync(name, 10 * 2 ** 30);
}

const file = (name: string) => path.join(folder, name);
const deviceOf = (name: string) => fs.statSync(name).dev;
const roots = { procfs: "/proc", cgroupfs: "/sys/fs/cgroup" };

describe("behindRoot", () => {
  const read = (name: string, options: { device?: number; mostBytes?: number } = {}) =>
    new TargetFiles(new KernelFiles(roots)).behindRoot(file(name), {
      device: options.device ?? deviceOf(folder),
      mostBytes: options.mostBytes ?? 4096,
    });

  test("reads a regular file of the expected device", async () => {
    fs.writeFileSync(file("memory.max"), "67108864\n");
    expect(await read("memory.max")).toBe("67108864\n");
  });

  test("reads a file of the kernel, whose size is 0", async () => {
    const files = new TargetFiles(new KernelFiles(roots));
    const text = await files.behindRoot("/proc/self/status", {
      device: deviceOf("/proc/self/status"),
      mostBytes: 65_536,
    });
    expect(text).toContain(`\nPid:\t${process.pid}\n`);
  });

  test.each([
    ["a FIFO", (name: string) => execFileSync("mkfifo", [name])],
    ["a folder", (name: string) => fs.mkdirSync(name)],
    ["a link to an endless device", (name: string) => fs.symlinkSync("/dev/zero", name)],
    ["a link to a secret", (name: string) => fs.symlinkSync("/etc/shadow", name)],
    ["a link to itself", (name: string) => fs.symlinkSync(name, name)],
    ["ten gigabytes", sparseFile],
    ["a little more than is read", (name: string) => fs.writeFileSync(name, "x".repeat(4097))],
  ])("refuses %s, and says nothing of what it holds", async (_, make) => {
    make(file("memory.max"));
    const error = await read("memory.max").catch((thrown: Error) => thrown);
    expect(failureReason(error)).toBe("untrusted");
    expect((error as Error).message).not.toMatch(/root:|xxxx/);
  });

  test("refuses a socket", async () => {
    const server = net.createServer().listen(file("memory.max"));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    expect(failureReason(await read("memory.max").catch((error: Error) => error))).toBe("untrusted");
  });

  test("refuses a regular file of another file system, also behind a link on the way", async () => {
    fs.symlinkSync("/proc/self", file("cgroup"));
    await expect(read("cgroup/status", { mostBytes: 65_536 })).rejects.toThrow(UntrustedFileError);
    fs.writeFileSync(file("memory.max"), "1\n");
    await expect(read("memory.max", { device: deviceOf("/proc") })).rejects.toThrow("not a cgroup file");
  });

  test("leaves no descriptor open", async () => {
    fs.mkdirSync(file("folder"));
    execFileSync("mkfifo", [file("fifo")]);
    fs.writeFileSync(file("memory.max"), "1\n");
    const before = fs.readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 20; i++) {
      await Promise.allSettled(["folder", "fifo", "memory.max", "absent"].map((name) => read(name)));
    }
    expect(fs.readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 2);
  });
});

describe("cmdline", () => {
  test("is that of the process, as far as 128 KiB", async () => {
    const own = await new TargetFiles(new KernelFiles(roots)).cmdline(process.pid);
    expect(own).toBe(fs.readFileSync("/proc/self/cmdline", "utf8"));
    fs.mkdirSync(file("proc/7"), { recursive: true });
    fs.writeFileSync(file("proc/7/cmdline"), "x".repeat(10 * 2 ** 20));
    const copy = new TargetFiles(new KernelFiles({ ...roots, root: folder }));
    expect(await copy.cmdline(7)).toBe("x".repeat(128 * 1024));
  });

  test("throws what the file system says of a process that is gone", async () => {
    const copy = new TargetFiles(new KernelFiles({ ...roots, root: folder }));
    await expect(copy.cmdline(7)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("readings that are held up", () => {
  /** Opens that wait until they are let go of, for pids from 100 on. */
  class Held extends KernelFiles {
    readonly letGo: (() => void)[] = [];
    override async openOffLoop(name: string, flags: number): Promise<number> {
      const pid = Number(name.split("/")[2]);
      if (pid >= 100) await new Promise<void>((resolve) => this.letGo.push(resolve));
      return super.openOffLoop("/proc/self/stat", flags);
    }
  }
  /** A busy machine reads a file within a second. */
  const held = (seconds = 1) => {
    const files = new Held(roots);
    return { files, targets: new TargetFiles(files, { atOnce: 2, seconds }) };
  };
  const reasons = (results: readonly PromiseSettledResult<string>[]) =>
    results.map((result) => (result.status === "fulfilled" ? "read" : failureReason(result.reason)));

  test("end after a time, while others are read", async () => {
    const { files, targets } = held();
    const results = await Promise.allSettled([100, 1, 2, 3, 4].map((pid) => targets.procText(pid, "stat")));
    expect(reasons(results)).toEqual(["timeout", "read", "read", "read", "read"]);
    expect([targets.heldUp, readsHeldUp()]).toEqual([1, 1]);
    for (const go of files.letGo) go();
    await expect.poll(() => targets.heldUp).toBe(0);
    expect(readsHeldUp()).toBe(0);
  });

  test("take no more than their places: then all others are refused at once, and none waits for ever", async () => {
    const { files, targets } = held();
    const results = await Promise.allSettled([100, 101, 102, 103, 1].map((pid) => targets.procText(pid, "stat")));
    expect(reasons(results)).toEqual(["timeout", "timeout", "timeout", "timeout", "timeout"]);
    expect(targets.heldUp).toBe(2);
    expect(files.letGo).toHaveLength(2);
    await expect(targets.procText(1, "stat")).rejects.toThrow(TimeoutError);
    for (const go of files.letGo) go();
    await expect.poll(() => targets.heldUp).toBe(0);
    expect(await targets.procText(1, "stat")).toContain(`${process.pid} `);
  });

  test("that come back within their time are read, in turn", async () => {
    const { files, targets } = held(60);
    const all = Promise.allSettled([100, 101, 102, 103].map((pid) => targets.procText(pid, "stat")));
    for (let i = 1; i <= 4; i++) {
      await expect.poll(() => files.letGo.length).toBeGreaterThan(0);
      files.letGo.shift()?.();
    }
    expect(reasons(await all)).toEqual(["read", "read", "read", "read"]);
  });
});
