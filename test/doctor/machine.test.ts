// What is observed on captured machines and on machines made of files, and what is concluded from it.

import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import type { Config } from "../../exporter/config/config.ts";
import { defaultConfig } from "../../exporter/config/config.ts";
import { parseConfig } from "../../exporter/config/load.ts";
import { examine } from "../../exporter/doctor/finding.ts";
import { observeMachine } from "../../exporter/doctor/machine.ts";
import { machineSections, ruleSections } from "../../exporter/doctor/machine-checks.ts";
import { FixtureFiles } from "../support/fixtures.ts";
import { type FakeMachine, fakeMachine } from "../support/machine.ts";

const sections = [...machineSections, ...ruleSections];

async function doctor(
  files: Parameters<typeof observeMachine>[0]["files"],
  config: Config = defaultConfig,
  pid?: number,
) {
  const facts = await observeMachine({
    files,
    config,
    maxKept: 100,
    program: "/opt/leakwatch/main.js",
    ...(pid && { pid }),
  });
  const findings = examine(sections, facts);
  return {
    facts,
    says: (id: string) => findings.find((finding) => finding.id === id),
    worse: findings.filter(({ status }) => status !== "ok").map(({ id, status }) => `${id} ${status}`),
  };
}

describe("captured machines", () => {
  test("debian12-host-v1: a host, no limits, one zombie", async () => {
    const { says, worse } = await doctor(new FixtureFiles("debian12-host-v1"));
    expect(says("processes.seen")?.sentence).toMatch(
      /^17 processes can be seen: .* Not counted: 2 kernel threads and 1 ended but not reaped\.$/s, // a name there has a newline
    );
    expect(says("processes.seen")?.details).toContain("postgres (8)");
    expect(says("namespace.first")?.sentence).toBe("This is the host's PID namespace: kernel threads can be seen.");
    expect(says("limits.targets")).toMatchObject({
      status: "warning",
      sentence: "None of 17 processes has a memory limit: the machine's memory counts instead.",
    });
    expect(worse).toEqual(["limits.targets warning"]);
  });

  test("docker-cgroup-v1: through docker's own mount only the sidecar's cgroup is seen", async () => {
    const { says, worse } = await doctor(new FixtureFiles("docker-cgroup-v1"), defaultConfig, 39);
    expect(says("namespace.first")?.sentence).toBe("PID 1 is pause: the namespace is shared and outlives restarts.");
    expect(says("rights.user")?.sentence).toContain("as root without SYS_PTRACE");
    expect(says("cgroups.version")?.sentence).toContain("version 1");
    expect(says("cgroups.visible")?.sentence).toMatch(/^The cgroup files of 1 of 7 processes can be reached\./);
    expect(says("limits.own")?.sentence).toBe("leakwatch itself may use 64.0 MiB, set by its own cgroup.");
    expect(says("limits.targets")?.sentence).toBe("Memory limits of 7 processes: 1 of their own cgroup, 6 unknown.");
    expect(worse).toEqual(["cgroups.visible warning", "limits.targets warning"]);
  });

  test("docker-cgroup-v1: through the host's mount everything is", async () => {
    const files = new FixtureFiles("docker-cgroup-v1", { cgroupfs: "/host/sys/fs/cgroup" });
    const { says, worse } = await doctor(files, defaultConfig, 39);
    expect(says("limits.targets")?.sentence).toBe("Memory limits of 7 processes: 7 of their own cgroup.");
    expect(worse).toEqual([]);
  });

  test("docker-cgroup-v1: smaps_rollup of another user's three processes", async () => {
    const config = { ...defaultConfig, smaps: { ...defaultConfig.smaps, enabled: true } };
    const { says } = await doctor(new FixtureFiles("docker-cgroup-v1"), config, 39);
    expect(says("rights.smaps")).toMatchObject({
      status: "warning",
      sentence: "smaps_rollup (PSS and USS) can be read for 4 of 7 processes. The others: no such file (3).",
      advice: expect.stringContaining("as uid 1000"),
    });
  });

  test("cgroup-v2-nested: limits at two levels, and pressure", async () => {
    const { says, worse } = await doctor(new FixtureFiles("cgroup-v2-nested"), defaultConfig, 122);
    expect(says("cgroups.version")?.sentence).toBe("Memory is counted by cgroup version 2.");
    expect(says("kernel.pressure")?.status).toBe("ok");
    expect(says("kernel.memory_events")?.status).toBe("ok");
    expect(says("kernel.descriptors")?.sentence).toMatch(/listing.*\(Linux 6\.1\.0-56-cloud-amd64\)\.$/);
    expect(worse).toEqual([]);
  });

  test("cgroup-v2-private-namespace: a sidecar that sees its own cgroup only, and the whole pod by the host's mount", async () => {
    const own = await doctor(new FixtureFiles("cgroup-v2-private-namespace"), defaultConfig, 6);
    expect(own.worse).toEqual(["cgroups.visible warning", "limits.targets warning"]);
    const files = new FixtureFiles("cgroup-v2-private-namespace", { cgroupfs: "/host/sys/fs/cgroup" });
    const { says, worse } = await doctor(files, defaultConfig, 6);
    expect(says("cgroups.visible")?.sentence).toMatch(/^The cgroup files of all 5 processes can be reached\./);
    expect(worse).toEqual([]);
  });
});

describe("a machine made of files", () => {
  const inPod = (): FakeMachine => {
    const machine = fakeMachine();
    machine.cgroup("/pod", { limit: 512 * MiB });
    machine.cgroup("/pod/api", { limit: 128 * MiB });
    machine.start({ pid: 1, argv: ["/pause"], cgroup: "/pod" });
    return machine;
  };

  test("we, the pause process and another leakwatch are no targets", async () => {
    const machine = inPod();
    machine.start({ argv: ["/usr/bin/node", "/opt/leakwatch/main.js", "serve"], cgroup: "/pod" });
    const { facts, says } = await doctor(machine.files);
    expect(facts.processes.map(({ kind }) => kind)).toEqual(["pause", "leakwatch"]);
    expect(says("processes.seen")?.status).toBe("failure");
  });

  test("a program that is only given leakwatch's name as an argument is a target", async () => {
    const machine = inPod();
    machine.start({ argv: ["/usr/bin/vim", "-n", "-R", "/opt/leakwatch"], cgroup: "/pod/api" });
    expect((await doctor(machine.files)).facts.processes.map(({ kind }) => kind)).toEqual(["pause", "target"]);
  });

  test("what may not be read, and why", async () => {
    const machine = inPod();
    const pid = machine.start({ cgroup: "/pod/api", uid: 33 });
    machine.files.deny(new RegExp(`/${pid}/(fd|exe|smaps_rollup)$`));
    const { says, facts } = await doctor(machine.files);
    expect(facts.processes.at(-1)).toMatchObject({ pid, uid: 33, showsProgram: false });
    expect(says("rights.descriptors")).toMatchObject({
      status: "warning",
      advice: expect.stringMatching(/^Run leakwatch as uid 33, or as root/),
    });
    expect(says("rights.memory")?.status).toBe("ok");
  });

  test("processes that hidepid=1 closes are counted", async () => {
    const machine = inPod();
    const pid = machine.start({ cgroup: "/pod/api" });
    machine.files.deny(new RegExp(`/${pid}/`));
    expect((await doctor(machine.files)).facts.closed).toEqual(new Map([["permission", 1]]));
  });

  test("a kernel without an OOM counter", async () => {
    const machine = fakeMachine({ countsOomKills: false });
    machine.start();
    expect((await doctor(machine.files)).says("kernel.oom_kills")?.status).toBe("warning");
  });

  test("rules: which name a process, which come too late, which fit nothing", async () => {
    const machine = inPod();
    machine.start({ argv: ["/usr/bin/api"], cgroup: "/pod/api" });
    machine.start({ argv: ["/usr/bin/job"], cgroup: "/pod/api" });
    const config = await parseConfig(
      `
groups:
  - { name: all, match: { uid: 1000 } }
  - { name: api, match: { name: api } }
  - { name: db, match: { name: postgres } }
ignore:
  - { name: job }
  - { name: cron }
`,
      "leakwatch.yml",
    );
    const { facts, says } = await doctor(machine.files, config);
    expect(facts.rules).toEqual([
      { name: "all", fits: 1, takes: 1 },
      { name: "api", fits: 1, takes: 0 },
      { name: "db", fits: 0, takes: 0 },
    ]);
    expect(facts.ignores).toEqual([1, 0]);
    expect(says("processes.watched")?.sentence).toBe(
      "1 of 2 processes is watched, in 1 group. The configuration leaves out 1.",
    );
  });

  test("no procfs at all is the file system's own error", async () => {
    const machine = fakeMachine();
    machine.remove();
    await expect(doctor(machine.files)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
