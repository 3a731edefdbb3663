// The exporter in a container of its own: beside an app in a pod, and with the host's files mounted.

import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { Container, targetCommand } from "../support/container.ts";
import { ExporterContainer, onlyTargets } from "../support/exporter-process.ts";
import { listFds, newGroup, startTime, statusField, Target } from "../support/targets.ts";

const hostProcesses = "--volume=/proc:/host/proc:ro";
const hostCgroups = "--volume=/sys/fs/cgroup:/host/sys/fs/cgroup:ro";
const cgroupfs = "--path.cgroupfs=/host/sys/fs/cgroup";
const limited = ["--memory=128m", "--memory-swap=128m"];
const unprivileged = ["--user=65532:65532", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only"];

describe("beside an app in a pod", () => {
  test("sees the app, its container and its limit through several restarts", async () => {
    const group = newGroup("app");
    const pod = newPod();
    const exporter = new ExporterContainer([pod, hostCgroups], [cgroupfs]);
    const app = new Container([pod, ...limited], targetCommand("hog.ts", "--hold=10", `--group=${group}`));
    let started = 0;
    for (let restarts = 0; restarts <= 3; restarts++) {
      if (restarts > 0) app.restart();
      const scrape = await exporter.until(`life ${restarts}`, (found) => {
        return (found.value("leakwatch_process_start_time_seconds", { group }) ?? 0) > started && found;
      });
      started = scrape.value("leakwatch_process_start_time_seconds", { group }) as number;
      expect(scrape.all("leakwatch_process_info", { group })).toMatchObject([
        { labels: { slot: "0", container_id: app.id } },
      ]);
      expect(scrape.sum("leakwatch_group_restarts_total", { group })).toBe(restarts);
      expect(scrape.value("leakwatch_process_memory_limit_bytes", { group })).toBe(128 * MiB);
      expect(scrape.value("leakwatch_process_memory_limit_info", { group, source: "cgroup" })).toBe(1);
    }
    const { labels } = (await exporter.scrape()).all("leakwatch_cgroup_info", { container_id: app.id })[0] ?? {};
    const cgroup = labels?.["cgroup"] ?? "";
    expect((await exporter.scrape()).value("leakwatch_cgroup_memory_limit_bytes", { cgroup })).toBe(128 * MiB);
  });

  test("leaves the pause process and itself out", async () => {
    const pod = newPod();
    new Container([pod], targetCommand("hog.ts"));
    const exporter = new ExporterContainer([pod], [], "sampling: { max_age: 0s }");
    const groups = await exporter.until("the app", (scrape) => {
      const names = scrape.all("leakwatch_group_processes").map(({ labels }) => labels["group"]);
      return names.includes("hog.ts") && names;
    });
    expect(groups).toEqual(["hog.ts"]);
  });

  test("without any right reads memory, limit and descriptors, and names what it cannot read", async () => {
    const group = newGroup("app");
    const pod = newPod();
    const app = new Container([pod, ...limited], targetCommand("hog.ts", "--hold=10", "--fds=20", `--group=${group}`));
    const exporter = new ExporterContainer(
      [pod, hostCgroups, ...unprivileged],
      [cgroupfs],
      `${onlyTargets}\nsmaps: { enabled: true, interval: 1s }`,
    );
    expect(statusField(exporter.container.pid, "Uid")).toBe(65_532);
    expect(statusField(exporter.container.pid, "CapEff")).toBe(0);
    await exporter.until("all 10 MiB", (scrape) => {
      return (scrape.value("leakwatch_process_anonymous_memory_bytes", { group }) ?? 0) > 10 * MiB;
    });
    app.freeze();

    const scrape = await exporter.scrape();
    expect(scrape.value("leakwatch_process_resident_memory_bytes", { group })).toBe(statusField(app.pid, "VmRSS"));
    expect(scrape.value("leakwatch_process_memory_limit_bytes", { group })).toBe(128 * MiB);
    expect(scrape.all("leakwatch_process_proportional_memory_bytes")).toEqual([]);
    expect(unreadable(scrape)).toContainEqual({ file: "smaps_rollup", reason: "permission" });
    const ready = await fetch(`${exporter.url}/-/ready`);
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining("smaps_rollup of 1 processes")]);
    // where the kernel does not give the size of the folder, listing it needs the right
    const counted = { open: scrape.value("leakwatch_process_open_fds", { group }), files: unreadable(scrape) };
    expect(counted).toMatchObject(
      kernelGivesFdCount
        ? { open: listFds(app.pid) }
        : { open: undefined, files: expect.arrayContaining([{ file: "fd", reason: "permission" }]) },
    );
  });
});

describe("with the host's files mounted at another root", () => {
  test("watches the host's processes from a pid namespace of its own", async () => {
    const target = await Target.start("hog.ts", ["--hold=50", `--group=${newGroup("host")}`]);
    await target.freeze();
    const exporter = new ExporterContainer([hostProcesses, hostCgroups], ["--path.procfs=/host/proc", cgroupfs]);
    await exporter.untilWatched(target.pid);
    const scrape = await exporter.scrape();
    expect(scrape.valueOf(target.pid, "resident_memory_bytes")).toBe(statusField(target.pid, "VmRSS"));
    expect(scrape.valueOf(target.pid, "threads")).toBe(statusField(target.pid, "Threads"));
    expect(scrape.valueOf(target.pid, "start_time_seconds")).toBe(startTime(target.pid));
    // in the host's numbering: in its own it is number 1
    expect(scrape.labelsOf(exporter.container.pid)).toBeUndefined();
  });

  test("knows other containers and their limits", async () => {
    const app = new Container(limited, targetCommand("hog.ts", `--group=${newGroup("app")}`));
    const exporter = new ExporterContainer([hostProcesses, hostCgroups], ["--path.procfs=/host/proc", cgroupfs]);
    expect(await exporter.untilWatched(app.pid)).toMatchObject({ container_id: app.id });
    expect((await exporter.scrape()).valueOf(app.pid, "memory_limit_bytes")).toBe(128 * MiB);
  });
});

describe("with a /proc that hides the processes of others", () => {
  // an administrator's hidepid, and an exporter that is no administrator
  const hidden = (hidepid: number) => [
    "sh",
    "-c",
    `mount -t proc -o hidepid=${hidepid} proc /mnt && exec su -s /bin/sh nonroot -c "$0"`,
  ];

  test.each([
    [1, "keeps the folders of others locked"],
    [2, "does not show the folders of others"],
  ])("hidepid=%i, which %s", async (hidepid) => {
    const own = newGroup("own");
    const pod = newPod();
    new Container([pod, "--user=65532"], targetCommand("hog.ts", `--group=${own}`));
    new Container([pod], targetCommand("hog.ts", `--group=${newGroup("others")}`));
    const exporter = new ExporterContainer(
      [pod, "--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined"],
      ["--path.procfs=/mnt"],
      onlyTargets,
      hidden(hidepid),
    );
    const scrape = await exporter.until("its own user's process", (found) => {
      return found.value("leakwatch_process_resident_memory_bytes", { group: own }) !== undefined && found;
    });
    expect(scrape.all("leakwatch_group_processes").map(({ labels }) => labels["group"])).toEqual([own]);
    expect(statusField(exporter.container.pid, "Uid")).toBe(65_532);
    // the pause process and that of others are counted, and told in one line
    const locked = scrape.value("leakwatch_read_errors_total", { file: "stat", reason: "permission" }) ?? 0;
    expect(locked >= 2).toBe(hidepid === 1);
    expect(exporter.log().match(/cannot read stat/g) ?? []).toHaveLength(hidepid === 1 ? 1 : 0);
  });
});

/** Docker's option to join a new pod: a pid namespace held open by a program that is known by its name. */
function newPod(): string {
  const pause = new Container([], ["sh", "-c", "exec -a sleep /pause 3600"]);
  return `--pid=container:${pause.id}`;
}

function unreadable(scrape: { all(name: string): { labels: Readonly<Record<string, string>> }[] }) {
  return scrape.all("leakwatch_unreadable_processes").map(({ labels }) => labels);
}

/** Since Linux 6.2. */
const kernelGivesFdCount = fs.statSync("/proc/self/fd").size > 0;
