import { describe, expect, test } from "vitest";
import { type Candidate, isPauseProcess, readIdentity } from "../../exporter/discovery/identity.ts";
import { parseStat } from "../../exporter/procfs/stat.ts";
import { realUid } from "../../exporter/procfs/status.ts";
import { FixtureFiles, fixture, fixtureBytes } from "../support/fixtures.ts";
import { fakeMachine } from "../support/machine.ts";

/** As the watcher reads it: comm and uid come from files that it has read before. */
function identify(machine: string, pid: number, options = { ports: false }): Candidate {
  const { comm } = parseStat(fixture(machine, "proc", String(pid), "stat"));
  const status = fixtureBytes(machine, "proc", String(pid), "status");
  const cmdline = fixture(machine, "proc", String(pid), "cmdline");
  return readIdentity(new FixtureFiles(machine), pid, { comm, uid: realUid(status, status.length), cmdline }, options);
}

describe("readIdentity on captured machines", () => {
  test("knows everything about a server of a host", () => {
    expect(identify("debian12-host-v1", 7769, { ports: true })).toEqual({
      name: "server.js",
      version: undefined,
      isHealthCheck: false,
      comm: "MainThread",
      exe: "/srv/node/bin/node",
      cmdline: "node server.js",
      uid: 0,
      cgroup: { version: 1, path: "/services/apps" },
      ports: [8080, 8081], // [::]:8080 and 127.0.0.1:8081; not those of the other servers in the same network
      containerId: undefined,
      podUid: undefined,
      unit: undefined,
    });
  });

  test.each([
    ["Python by its module", "debian12-host-v1", 7770, "http.server"],
    ["Java by its archive", "debian12-host-v1", 7771, "orders.jar"],
    ["PostgreSQL's postmaster", "debian12-host-v1", 7772, "postgres"],
    ["a PostgreSQL backend, in the same group", "debian12-host-v1", 7840, "postgres"],
    ["nginx' master", "debian12-host-v1", 7773, "nginx"],
    ["nginx' worker", "debian12-host-v1", 7796, "nginx"],
    ["a program that lies about its name", "debian12-host-v1", 7774, "workload"],
    ["a program with blanks, a newline and broken bytes", "debian12-host-v1", 7776, "job (nightly)\n\ufffd\ufffd run"],
    ["a zombie, which has neither arguments nor a program", "debian12-host-v1", 7780, "workload"],
    ["a kernel thread", "debian12-host-v1", 2, "kthreadd"],
    ["another user's process, whose link may not be read", "docker-cgroup-v1", 28, "jobs"],
    ["a program of busybox", "docker-cgroup-v1", 39, "sleep"],
    ["a container's server under podman", "podman-v1", 18915, "server.js"],
    ["a container of a pod", "cgroup-v2-nested", 120, "web"],
  ])("names %s", (_, machine, pid, name) => {
    expect(identify(machine, pid).name).toBe(name);
  });

  test("tells what the cgroup says about container and pod", () => {
    expect(identify("cgroup-v2-nested", 116)).toMatchObject({
      containerId: "8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604",
      podUid: "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
      unit: undefined,
    });
    expect(identify("docker-cgroup-v1", 28)).toMatchObject({ uid: 1000, exe: undefined });
    expect(identify("docker-cgroup-v1", 28).containerId).toMatch(/^32b22906/);
  });

  test("joins the arguments with blanks", () => {
    expect(identify("debian12-host-v1", 7770).cmdline).toBe("python3 -m http.server 8000 --directory /srv/www");
    expect(identify("debian12-host-v1", 7780).cmdline).toBe("");
  });

  test.each([
    ["Python", "debian12-host-v1", 7770, [8000]],
    ["Java", "debian12-host-v1", 7771, [8082]],
    ["a container", "docker-cgroup-v1", 8, [3000]],
    ["a process whose network was not captured, as for one that may not be read", "debian12-host-v1", 7773, []],
    ["a process whose descriptors may not be read", "docker-cgroup-v1", 28, []],
    ["a kernel thread", "debian12-host-v1", 2, []],
  ])("finds the ports of %s", (_, machine, pid, ports) => {
    expect(identify(machine, pid, { ports: true }).ports).toEqual(ports);
  });

  test("looks for no ports when they are not asked for", () => {
    expect(identify("debian12-host-v1", 7769, { ports: false }).ports).toEqual([]);
  });
});

describe("isPauseProcess", () => {
  test.each([
    ["a pod's, on a node", "cgroup-v2-nested", 111, true],
    ["a pod's, seen in the pod", "cgroup-v2-private-namespace", 1, true],
    ["podman's infra container", "podman-v1", 18848, true],
    ["the holder of a compose project's pid namespace", "docker-cgroup-v1", 1, true],
    ["a server", "docker-cgroup-v1", 8, false],
    ["another one that only sleeps", "docker-cgroup-v1", 39, false],
  ])("%s", (_, machine, pid, expected) => {
    expect(isPauseProcess(identify(machine, pid))).toBe(expected);
  });

  test.each([
    ["the holder of a compose project's namespaces", "sleep infinity", true],
    ["the engine's process 1 above it", "/sbin/docker-init -- sleep infinity", true],
    ["what an engine starts in a container, before it is the app", "runc init", true],
    ["a job that sleeps for an hour", "sleep 3600", false],
    ["a program called init", "/usr/local/bin/init runc", false],
  ])("knows by its arguments: %s", (_, cmdline, expected) => {
    const pause = identify("cgroup-v2-nested", 111);
    expect(isPauseProcess({ ...pause, exe: undefined, cmdline })).toBe(expected);
  });

  test("goes by the arguments where the link may not be read", () => {
    const pause = identify("cgroup-v2-nested", 111);
    expect(isPauseProcess({ ...pause, exe: undefined, cmdline: "/pause" })).toBe(true);
    expect(isPauseProcess({ ...pause, exe: undefined, cmdline: "/usr/bin/pauser --pause" })).toBe(false);
    expect(isPauseProcess({ ...pause, exe: undefined, cmdline: "" })).toBe(false);
  });
});

// Docker's and containerd's shim starts a check beside the container's first process; conmon does so for Podman.
describe("a health check of an engine", () => {
  const container = "4f1e".repeat(16);
  const cgroup = `/system.slice/docker-${container}.scope`;
  const now = 1000;

  /** A process as a host sees it: in a container, started by what stands outside of it. */
  function processOf(
    changes: { argv?: string[]; ppid?: number; age?: number; idInContainer?: number } = {},
  ): Candidate {
    const { argv = ["node", "/app/healthcheck.js"], ppid = 200, age = 1, idInContainer = 31 } = changes;
    const machine = fakeMachine();
    machine.write("proc/uptime", `${now}.00 900.00\n`);
    machine.write("proc/200/cgroup", "0::/system.slice/containerd.service\n"); // the shim
    machine.write("proc/300/cgroup", `0::${cgroup}\n`); // the app
    machine.write("proc/310/cgroup", `0::${cgroup}\n`);
    machine.write("proc/310/status", `Name:\tnode\nNSpid:\t310\t${idInContainer}\n`);
    machine.write(
      "proc/310/stat",
      `310 (node) S ${ppid} 310 310 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 ${(now - age) * 100} 0 0\n`,
    );
    const cmdline = argv.map((argument) => `${argument}\0`).join("");
    return readIdentity(machine.files, 310, { comm: "node", uid: 0, cmdline }, { ports: false });
  }

  test.each<[string, Parameters<typeof processOf>[0]]>([
    ["in a container", {}],
    ["in Python", { argv: ["python3", "healthcheck.py"] }],
    ["a program of its own", { argv: ["/usr/local/bin/healthcheck", "--quick"] }],
    ["seen from a shared pid namespace, where the shim is not", { ppid: 0 }],
  ])("is not watched: %s", (_, changes) => {
    expect(isPauseProcess(processOf(changes))).toBe(true);
  });

  test.each<[string, Parameters<typeof processOf>[0]]>([
    ["a service with such a file as an argument", { argv: ["gatus", "--config", "/etc/gatus/healthcheck.yaml"] }],
    ["an interpreter's script with such an argument", { argv: ["node", "server.js", "healthcheck.js"] }],
    ["a file of that name that is no program", { argv: ["node", "healthcheck.yaml"] }],
    ["who asks a service for its health", { argv: ["curl", "http://api/healthcheck"] }],
    ["the container's own program", { idInContainer: 1 }],
    ["one that the app starts", { ppid: 300 }],
    ["one whose parent is gone", { ppid: 299 }],
    ["one that goes on for longer than any check may take", { age: 61 }],
  ])("is another thing than %s", (_, changes) => {
    expect(isPauseProcess(processOf(changes))).toBe(false);
  });
});
