// Real processes that do to the exporter what any user of the machine may do. It must go on, and be right about all others.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { ExporterProcess, logged, temporaryFolder } from "../support/exporter-process.ts";
import type { Scrape } from "../support/scrape.ts";
import { newGroup, procFile, statusField, Target } from "../support/targets.ts";

const script = fileURLToPath(new URL("./targets/hostile.py", import.meta.url));
const isVersion1 = fs.existsSync("/sys/fs/cgroup/memory");
const cgroupMount = isVersion1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
const [limitName, eventsName] = isVersion1
  ? ["memory.limit_in_bytes", "memory.oom_control"]
  : ["memory.max", "memory.events"];

/** As root of a host without its cgroup mount: those of all others are read through their roots. */
const throughTargets = { config: "sampling: { interval: 500ms, max_age: 0s }", args: ["--path.cgroupfs=/nonexistent"] };

/** Starts the script, in a process group of its own, and resolves with the pid that it wants to be watched. */
async function hostile(args: readonly string[], launcher: readonly string[] = []): Promise<number> {
  const [program = "", ...rest] = [...launcher, "/usr/bin/env", "python3", script, ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  onTestFinished(() => endGroup(child));
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await logged(child, () => output, /(ready)/);
  return child.pid as number;
}

/** Its file system is taken away when it has ended. */
async function holdMemoryLock(): Promise<number> {
  const folder = temporaryFolder();
  onTestFinished(() => void spawnSync("umount", ["--lazy", folder]));
  return hostile(["memory-lock", folder]);
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-(child.pid as number), "SIGKILL");
  await ended;
}

/** A cgroup that is removed when the test is over, and a launcher that starts a program in it. */
function ownCgroup(limit?: number): { folder: string; launcher: string[] } {
  const folder = path.join(cgroupMount, newGroup("hostile"));
  if (!isVersion1) fs.writeFileSync(path.join(cgroupMount, "cgroup.subtree_control"), "+memory");
  fs.mkdirSync(folder);
  onTestFinished(async () => {
    await expect.poll(() => fs.readFileSync(path.join(folder, "cgroup.procs"), "utf8"), { timeout: 30_000 }).toBe("");
    fs.rmdirSync(folder);
  });
  if (limit !== undefined) fs.writeFileSync(path.join(folder, limitName as string), String(limit));
  return { folder, launcher: ["/bin/sh", "-c", `echo $$ > ${folder}/cgroup.procs; exec "$@"`, "sh"] };
}

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const ownNamespaces = [...nobody, "unshare", "--user", "--map-root-user", "--mount"];

const limitSourceOf = (scrape: Scrape, pid: number) => {
  const labels = scrape.labelsOf(pid);
  const line = scrape.text
    .split("\n")
    .find(
      (one) =>
        one.startsWith("leakwatch_process_memory_limit_info{") &&
        one.includes(`group="${labels?.["group"]}",slot="${labels?.["slot"]}"`),
    );
  return /source="(\w+)"/.exec(line ?? "")?.[1];
};

describe("what a process puts where its cgroup's files would be", () => {
  test("is not read, and the others' files are", async () => {
    const innocent = ownCgroup(256 * MiB);
    const target = await Target.start("hog.ts", ["--hold=1"], innocent.launcher);
    const exporter = await ExporterProcess.start(throughTargets);
    await exporter.untilWatched(target.pid);
    const kinds = ["fifo", "zero", "shadow", "folder", "socket", "huge", "counters", "fuse"];
    const forgers = await Promise.all(
      kinds.map((kind) => {
        const { folder, launcher } = ownCgroup();
        const files = [limitName, eventsName, "memory.stat"].flatMap((name) => [
          path.join(folder, name as string),
          path.join(cgroupMount, name as string),
        ]);
        // where the device is root's alone, only a container's root can do this
        const namespaces = kind === "fuse" ? ["unshare", "--mount"] : ownNamespaces;
        return hostile(["mounts", kind, cgroupMount, ...files], [...launcher, ...namespaces]);
      }),
    );
    for (const pid of forgers) await exporter.untilWatched(pid);
    const scrape = await exporter.until("all of them named", (found) =>
      forgers.every((pid) => limitSourceOf(found, pid) !== undefined) ? found : undefined,
    );
    expect(scrape.valueOf(target.pid, "memory_limit_bytes")).toBe(256 * MiB);
    expect(forgers.map((pid) => limitSourceOf(scrape, pid))).toEqual(kinds.map(() => "unknown"));
    expect(scrape.text).toMatch(
      new RegExp(`^leakwatch_unreadable_processes\\{file="cgroup",reason="untrusted"\\} ${kinds.length}$`, "m"),
    );
    expect(scrape.text).not.toMatch(/300000000|root:/);
    expect(exporter.log()).toContain("not a cgroup file");
    expect(exporter.log()).not.toMatch(/300000000|root:/);
    expect((await fetch(`${exporter.url}/-/healthy`)).status).toBe(200);
  });
});

describe("processes that keep their memory lock for ever", () => {
  test("are watched without their arguments, while all others are watched with theirs, until the exporter ends", async () => {
    const holders = [await holdMemoryLock(), await holdMemoryLock()];
    for (const pid of holders) {
      await expect.poll(() => fs.readFileSync(`/proc/${pid}/stat`, "utf8"), { timeout: 30_000 }).toMatch(/\) D /);
    }
    const target = await Target.start("hog.ts", ["--grow=8"]);
    const exporter = await ExporterProcess.start({ config: "sampling: { interval: 500ms, max_age: 0s }" });
    for (const pid of holders) {
      expect(await exporter.untilWatched(pid)).toMatchObject({ group: expect.stringMatching(/^python3/) });
    }
    // the other one looks like it, and was not asked
    const scrape = await exporter.until("held up readings", (found) =>
      /^leakwatch_held_up_reads 1$/m.test(found.text) ? found : undefined,
    );
    expect(scrape.text).toMatch(/^leakwatch_unreadable_processes\{file="cmdline",reason="timeout"\} \d+$/m);
    expect(scrape.valueOf(holders[0] as number, "resident_memory_bytes")).toBeGreaterThan(MiB);
    expect(await exporter.untilWatched(target.pid)).toMatchObject({ group: "hog.ts" });
    const late = await Target.start("hog.ts", ["--hold=1"]);
    expect(await exporter.untilWatched(late.pid)).toMatchObject({ group: "hog.ts" });
    const before = (await exporter.scrape()).valueOf(target.pid, "resident_memory_bytes") as number;
    await exporter.until(
      "growth",
      (found) => (found.valueOf(target.pid, "resident_memory_bytes") ?? 0) > before + 8 * MiB,
    );
    exporter.signal("SIGTERM");
    expect(await exporter.ended()).toBe(0);
  });
});

describe("a process with 4 GiB of arguments", () => {
  test("is watched, and takes no memory here", async () => {
    const pid = await hostile(["arguments"], nobody);
    expect(fs.statSync(`/proc/${pid}`).uid).toBe(65_534);
    const exporter = await ExporterProcess.start({ config: "sampling: { interval: 500ms, max_age: 0s }" });
    await exporter.untilWatched(pid);
    for (let scrapes = 0; scrapes < 5; scrapes++) await exporter.scrape();
    expect(statusField(exporter.pid, "VmHWM")).toBeLessThan(200 * MiB);
    expect((await exporter.scrape()).text).not.toContain("xxxxxxxx");
  });
});

describe("an exporter with 256 descriptors", () => {
  test("answers its scraper while others open as many connections as they like", async () => {
    const target = await Target.start("hog.ts");
    const exporter = await ExporterProcess.start({
      config: "sampling: { interval: 500ms, max_age: 0s }",
      launcher: ["/bin/sh", "-c", 'ulimit -n 256; exec "$@"', "sh"],
    });
    expect(procFile(exporter.pid, "limits")).toMatch(/^Max open files +256 +256 /m);
    await exporter.untilWatched(target.pid);
    const { port, hostname } = new URL(exporter.url);
    const sockets = Array.from({ length: 300 }, () => net.connect(Number(port), hostname).on("error", () => undefined));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, "connect"), once(socket, "close")])));
    const lines = () => exporter.log().split("\n").length;
    const before = lines();
    const metric = (text: string) => Number(/^leakwatch_samples_total (\d+)$/m.exec(text)?.[1]);
    // the connection that a scraper has keeps its place
    const first = metric((await exporter.scrape()).text);
    await expect
      .poll(async () => metric((await exporter.scrape()).text), { timeout: 30_000 })
      .toBeGreaterThan(first + 5);
    expect(lines() - before).toBeLessThan(10);
  });
});
