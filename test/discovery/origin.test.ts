import { describe, expect, test } from "vitest";
import {
  type ChildFacts,
  isOneShot,
  type Origin,
  originOf,
  type ParentFacts,
} from "../../exporter/discovery/origin.ts";

const child = (differs: Partial<ChildFacts> = {}): ChildFacts => ({
  isConfigured: false,
  isOfInit: false,
  containerId: undefined,
  hasTerminal: false,
  isBesideMain: false,
  ...differs,
});

const parent = (name: string, differs: Partial<ParentFacts> = {}): ParentFacts => ({
  names: [name],
  origin: "service",
  containerId: undefined,
  ...differs,
});

describe("what was started by", () => {
  // names as /proc/<pid>/comm has them, cut to 15 bytes, or as the program is called by default
  test.each<[string, string]>([
    ["systemd", "systemd"],
    ["the init of busybox", "init"],
    ["tini", "tini"],
    ["dumb-init", "dumb-init"],
    ["docker's init", "docker-init"],
    ["s6", "s6-supervise"],
    ["runit", "runsv"],
    ["daemontools", "supervise"],
    ["supervisord", "supervisord"],
    ["PM2, by its title", "PM2 v5.3.0: God"],
    ["nodemon", "nodemon"],
    ["foreman", "foreman"],
    ["containerd's shim, seen from the host", "containerd-shim"],
    ["the same, version 2", "containerd-shim-runc-v2"],
    ["podman's monitor", "conmon"],
    ["Erlang's heart", "heart"],
  ])("%s is a service", (_, name) => {
    expect(originOf(child(), parent(name))).toBe("service");
  });

  test.each<[string, ParentFacts | undefined, ChildFacts, Origin]>([
    ["nobody that we see: a container's main process", undefined, child({ containerId: "a" }), "service"],
    ["something outside of its container", parent("anything"), child({ containerId: "a" }), "service"],
    ["an engine, into a container that runs (exec, a probe)", parent("runc"), child({ isBesideMain: true }), "job"],
    ["the first process of all, whatever it is called", parent("whatever"), child({ isOfInit: true }), "service"],
    ["one that we cannot see", undefined, child(), "unseen"],
    ["cron, and a rule of the configuration names it", parent("cron"), child({ isConfigured: true }), "service"],
    ["cron", parent("cron"), child(), "job"],
    ["Debian's child of cron", parent("CRON"), child(), "job"],
    ["a login over the network", parent("sshd"), child(), "job"],
    ["OpenSSH 9.8 and later", parent("sshd-session"), child(), "job"],
    ["a terminal multiplexer", parent("tmux: server"), child(), "job"],
    ["an entrypoint or a loop of a shell", parent("sh"), child(), "script"],
    ["a shell whose own parent is not seen", parent("sh", { origin: "unseen" }), child(), "script"],
    ["a shell that somebody types into", parent("bash"), child({ hasTerminal: true }), "job"],
    ["a shell of a job", parent("bash", { origin: "job" }), child(), "job"],
    ["a shell of a helper, as in continuous integration", parent("bash", { origin: "helper" }), child(), "job"],
    ["a script in a script", parent("sh", { origin: "script" }), child(), "job"],
    ["npm start of a service", parent("npm run start"), child(), "service"],
    ["npm in an entrypoint", parent("npm", { origin: "script" }), child(), "script"],
    ["sudo in a session", parent("sudo", { origin: "job" }), child(), "job"],
    ["another program", parent("queue"), child(), "helper"],
    ["a program that is a job itself", parent("make-report", { origin: "job" }), child(), "job"],
  ])("%s", (_, by, started, expected) => {
    expect(originOf(started, by)).toBe(expected);
  });
});

test.each([
  ["sleep", true],
  ["/usr/bin/curl", true],
  ["pg_isready", true],
  ["postgres", false],
  ["node", false],
  ["redis-server", false],
])("%s does one thing and ends: %s", (program, expected) => {
  expect(isOneShot(program)).toBe(expected);
});
