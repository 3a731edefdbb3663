// Each check on facts: what it says, and whether that is fine.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { examine, exitCodeOf } from "../../exporter/doctor/finding.ts";
import type { MachineFacts, SeenProcess, WatchedProcess } from "../../exporter/doctor/machine.ts";
import { machineSections, ruleSections } from "../../exporter/doctor/machine-checks.ts";
import { finding, machineFacts, pause, seenProcess, watchedProcess } from "./facts.ts";

const sections = [...machineSections, ...ruleSections];
const find = (id: string, facts: Partial<MachineFacts> = {}) => finding(sections, id, machineFacts(facts));
const targets = (...watched: Partial<WatchedProcess>[]): SeenProcess[] =>
  watched.map((one, i) => seenProcess({ pid: 7 + i, watched: watchedProcess(one) }));
const shut = (file: string) => ({ unreadable: new Map([[file, "permission"]]) }) as Partial<WatchedProcess>;

test("a pod where all is well has nothing but ok", () => {
  const findings = examine(sections, machineFacts());
  expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
  expect(exitCodeOf(findings)).toBe(0);
});

test("ids are unique, and every problem comes with advice", () => {
  const ids = sections.flatMap(({ checks }) => checks.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  const bad = examine(
    sections,
    machineFacts({
      processes: targets({ limitSource: "node", ...shut("status") }),
      hidepid: "2",
      kernel: { release: undefined, fdCount: "list", countsOomKills: false },
      maxKept: 0,
      rules: [{ name: "api", fits: 0, takes: 0 }],
      ignores: [0],
    }),
  ).filter(({ status }) => status === "warning" || status === "failure");
  expect(bad.length).toBeGreaterThan(6);
  for (const { id, advice } of bad) expect(advice, id).toMatch(/[a-z)]\.$/);
});

describe("processes", () => {
  test.each<[string, SeenProcess[]]>([
    ["alone in its namespace", []],
    ["with nobody but the holder of the namespace", [pause]],
    ["with another leakwatch only, as in `docker exec`", [seenProcess({ kind: "leakwatch" })]],
  ])("%s it has nothing to watch", (_, processes) => {
    expect(find("processes.seen", { processes })).toMatchObject({
      status: "failure",
      advice: expect.stringContaining("shareProcessNamespace: true"),
    });
  });

  test("names what is seen, and what does not count", () => {
    const processes = [seenProcess(), seenProcess({ pid: 8 }), seenProcess({ pid: 9, name: "nginx" })];
    expect(find("processes.seen", { processes, kernelThreads: 60, zombies: 1 })?.sentence).toBe(
      "3 processes can be seen: api (2) and nginx. Not counted: 60 kernel threads and 1 ended but not reaped.",
    );
  });

  test("a configuration that leaves everything out cannot work", () => {
    const processes = [seenProcess({ watched: undefined })];
    expect(find("processes.watched", { processes, unmatched: "ignore" })).toMatchObject({
      status: "failure",
      advice: "Give a rule in `groups` that fits a process, or set `unmatched: watch`.",
    });
  });

  test("a configuration that leaves something out is fine", () => {
    const processes = [seenProcess(), seenProcess({ pid: 8, watched: undefined })];
    expect(find("processes.watched", { processes })).toMatchObject({
      status: "ok",
      sentence: "1 of 2 processes is watched, in 1 group. The configuration leaves out 1.",
    });
  });

  test.each([
    [false, "ok"],
    [true, "warning"],
  ] as const)("a program whose path is hidden matters to rules with exe or port (%s)", (rulesNeedRights, status) => {
    expect(
      find("processes.named", { processes: [seenProcess({ showsProgram: false })], rulesNeedRights })?.status,
    ).toBe(status);
  });

  test.each([
    ["an ordinary user does not see the others", false, "warning"],
    ["SYS_PTRACE overrides it", true, "ok"],
  ] as const)("hidepid: %s", (_, ptrace, status) => {
    const credentials = { uid: 0, effectiveUid: 0, ptrace, namespacePids: [1] };
    expect(find("processes.hidden", { hidepid: "invisible", credentials })).toMatchObject({
      status,
      sentence: expect.stringContaining("hidepid=invisible"),
    });
  });
});

describe("PID 1", () => {
  test.each<[string, Partial<MachineFacts>, string, string]>([
    ["the pause process of a pod", {}, "ok", "PID 1 is pause: the namespace is shared and outlives restarts."],
    ["the host's", { kernelThreads: 80, processes: [seenProcess()] }, "ok", "This is the host's PID namespace"],
    ["systemd in a container", { processes: [seenProcess({ pid: 1, name: "systemd" })] }, "ok", "PID 1 is systemd"],
    ["the app, joined by leakwatch", { processes: [seenProcess({ pid: 1 })] }, "warning", "PID 1 is api: when it ends"],
    ["leakwatch, joined by the app", { ownPid: 1, processes: [seenProcess()] }, "warning", "PID 1 is leakwatch: when"],
    [
      "leakwatch, joined by nobody",
      { ownPid: 1, processes: [] },
      "ok",
      "PID 1 is leakwatch: the PID namespace is its own",
    ],
    [
      "an exporter, which doctor joined",
      { processes: [seenProcess({ pid: 1, kind: "leakwatch" }), seenProcess()] },
      "warning",
      "PID 1 is leakwatch: when",
    ],
    ["not to be seen", { processes: [seenProcess()] }, "unknown", "PID 1 cannot be seen"],
  ])("%s", (_, facts, status, sentence) => {
    expect(find("namespace.first", facts)).toMatchObject({ status, sentence: expect.stringContaining(sentence) });
  });

  test("seen from another namespace through the host's procfs", () => {
    const credentials = { uid: 0, effectiveUid: 0, ptrace: true, namespacePids: [4242, 1] };
    expect(find("namespace.first", { kernelThreads: 80, credentials, procfs: "/host/proc" })?.sentence).toBe(
      "This is the host's PID namespace: kernel threads can be seen. leakwatch runs in a namespace of its own and sees it through /host/proc.",
    );
  });
});

describe("rights", () => {
  test.each([
    [0, true, "as root with SYS_PTRACE: it may read every file"],
    [0, false, "as root without SYS_PTRACE: descriptors and smaps_rollup"],
    [1000, false, "as uid 1000: memory, threads, names, cgroups and limits of every process"],
  ])("uid %d, SYS_PTRACE %s", (uid, ptrace, says) => {
    const credentials = { uid, effectiveUid: uid, ptrace, namespacePids: [] };
    expect(find("rights.user", { credentials })).toMatchObject({
      status: "ok",
      sentence: expect.stringContaining(says),
    });
  });

  test("memory that cannot be read of some, and of all", () => {
    const some = find("rights.memory", { processes: targets({}, shut("status")) });
    expect(some).toMatchObject({
      status: "warning",
      sentence: "Memory cannot be read for 1 of 2 processes: permission denied.",
    });
    const all = find("rights.memory", { processes: [], closed: new Map([["permission", 3]]) });
    expect(all).toMatchObject({
      status: "failure",
      sentence: "Memory cannot be read for all 3 processes: permission denied (3).",
    });
  });

  test("descriptors of another user's process: whose, and which user would do", () => {
    expect(find("rights.descriptors", { processes: targets({}, shut("fd")) })).toMatchObject({
      status: "warning",
      sentence:
        "Open descriptors can be counted for 1 of 2 processes. The others: permission denied. Descriptor leaks of the others are not seen.",
      advice: "Run leakwatch as uid 1000, or as root with SYS_PTRACE; SYS_PTRACE gives nothing to another user.",
      details: ["api, uid 1000"],
    });
  });

  test("descriptors of root's process: no other user would do", () => {
    const processes = [seenProcess({ uid: 0, watched: watchedProcess(shut("fd")) })];
    expect(find("rights.descriptors", { processes })?.advice).toMatch(/^Run leakwatch as root with SYS_PTRACE;/);
  });

  test.each([
    [true, "warning"],
    [false, "ok"],
  ] as const)("smaps_rollup matters when it is asked for (%s)", (smapsEnabled, status) => {
    expect(find("rights.smaps", { processes: targets(shut("smaps_rollup")), smapsEnabled })).toMatchObject({
      status,
      sentence: expect.stringContaining("for no process. The reason: permission denied."),
    });
  });
});

describe("cgroups and limits", () => {
  const cgroup = watchedProcess().cgroup as NonNullable<WatchedProcess["cgroup"]>;

  test.each([
    [{ version: 2, hybrid: false }, "ok", "Memory is counted by cgroup version 2."],
    [{ version: 1, hybrid: true }, "ok", "hybrid"],
    [{ version: undefined, hybrid: false }, "warning", "shows no cgroups"],
  ] as const)("%o", (version, status, says) => {
    expect(find("cgroups.version", { cgroups: { ...version, mounts: [] } })).toMatchObject({
      status,
      sentence: expect.stringContaining(says),
    });
  });

  test("cgroups that no mount shows", () => {
    const unseen = { cgroup: { ...cgroup, reachedBy: undefined }, limitSource: "unknown" } as const;
    const facts = {
      processes: targets(unseen, { cgroup: { ...cgroup, reachedBy: "target's root" } }),
      cgroups: { version: 2, hybrid: false, mounts: [] },
    } as const;
    expect(find("cgroups.visible", facts)).toMatchObject({
      status: "warning",
      sentence:
        "The cgroup files of 1 of 2 processes can be reached. 1 of them through the target's own root. No cgroup mount stands below /sys/fs/cgroup.",
      details: ["/pod/api"],
    });
    expect(find("limits.targets", facts)).toMatchObject({
      status: "warning",
      sentence: "Memory limits of 2 processes: 1 of their own cgroup, 1 unknown.",
      advice: expect.stringMatching(/^Make their cgroup files visible/),
    });
  });

  test("limits: whose they are", () => {
    const processes = targets({}, { limitSource: "ancestor" }, { limitSource: "config" });
    expect(find("limits.targets", { processes })).toMatchObject({
      status: "ok",
      sentence: "Memory limits of 3 processes: 1 of their own cgroup, 1 of a cgroup above, 1 from the configuration.",
    });
    expect(
      find("limits.targets", { processes: targets({ limitSource: "node" }, { limitSource: "node" }) }),
    ).toMatchObject({
      status: "warning",
      sentence: "None of 2 processes has a memory limit: the machine's memory counts instead.",
    });
  });

  test.each([
    ["room", 50 * MiB, "ok"],
    ["hardly any room", 90 * MiB, "warning"], // of 96 MiB
    ["nobody knows how much room", undefined, "ok"],
  ] as const)("our own limit leaves %s", (_, ownUsage, status) => {
    expect(find("limits.own", { ownUsage })).toMatchObject({
      status,
      sentence: expect.stringContaining("leakwatch itself may use 96.0 MiB, set by its own cgroup."),
    });
  });
});

describe("kernel", () => {
  const cgroup = watchedProcess().cgroup as NonNullable<WatchedProcess["cgroup"]>;

  test("without an OOM counter a killed main process is a guess", () => {
    const kernel = { release: "4.9.0", fdCount: "list", countsOomKills: false } as const;
    expect(find("kernel.oom_kills", { kernel })?.status).toBe("warning");
    expect(find("kernel.descriptors", { kernel })).toMatchObject({
      status: "ok",
      sentence: expect.stringContaining("(Linux 4.9.0)"),
    });
  });

  test("memory events and pressure that no cgroup has", () => {
    const processes = targets({ cgroup: { ...cgroup, hasEvents: false, hasPressure: false } });
    expect(find("kernel.memory_events", { processes })?.status).toBe("warning");
    expect(find("kernel.pressure", { processes })?.advice).toContain("psi=1");
  });

  test("version 1 is not asked for pressure", () => {
    expect(find("kernel.pressure", { cgroups: { version: 1, hybrid: false, mounts: [] } })).toBeUndefined();
  });

  test.each([
    [4, "ok"],
    [3, "warning"],
  ] as const)("two processes want 4 descriptors; %d may be kept", (maxKept, status) => {
    expect(find("descriptors.own", { processes: targets({}, {}), maxKept })?.status).toBe(status);
  });
});

describe("rules of the configuration", () => {
  test("one that fits nothing, and one that comes too late", () => {
    const rules = [
      { name: "all", fits: 3, takes: 3 },
      { name: "api", fits: 2, takes: 0 },
      { name: "db", fits: 0, takes: 0 },
    ];
    expect(find("config.groups", { rules })).toMatchObject({
      status: "warning",
      details: ["groups[1] (api) comes too late: earlier rules take all 2", "groups[2] (db) fits no process"],
    });
    expect(find("config.groups", { rules: rules.slice(0, 1) })?.status).toBe("ok");
    expect(find("config.groups")).toBeUndefined();
  });

  test("an entry of ignore that fits nothing", () => {
    expect(find("config.ignore", { ignores: [1, 0] })?.sentence).toBe("ignore[1] fits no process now.");
    expect(find("config.ignore", { ignores: [1, 2] })?.status).toBe("ok");
  });
});
