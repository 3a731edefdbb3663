import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { identifyCgroup } from "../../exporter/cgroupfs/identity.ts";
import { parseMemoryCgroup } from "../../exporter/procfs/cgroup.ts";
import { fixture } from "../support/fixtures.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

const id = "8c1e5d2f9b7a4630e1c8d5f2b9a7604318e5c1d2f9b7a4630e1c8d5f2b9a7604";
const outer = "1f0d6c8b7a5e49321f0d6c8b7a5e49321f0d6c8b7a5e49321f0d6c8b7a5e4932";
const uid = "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10";
const uid_ = uid.replaceAll("-", "_");
/** Of an ECS task. */
const task = "34dc0b5e626f2c5c4c5170e34b10e765";
/** A static pod's uid is the hash of its file. */
const hash = "9f86d081884c7d659a2feaa0c55ad015";

describe("identifyCgroup finds container and pod", () => {
  test.each([
    ["docker, cgroupfs driver", `/docker/${id}`, id, undefined],
    ["docker, systemd driver", `/system.slice/docker-${id}.scope`, id, undefined],
    ["docker, rootless", `/user.slice/user-1000.slice/user@1000.service/app.slice/docker-${id}.scope`, id, undefined],
    ["docker, from the sibling container's private namespace", `/../${id}`, id, undefined],
    ["docker with systemd inside", `/docker/${id}/system.slice/cron.service`, id, undefined],
    ["dockershim, cgroupfs driver", `/kubepods/burstable/pod${uid}/${id}`, id, uid],
    ["containerd, cgroupfs driver, guaranteed", `/kubepods/pod${uid}/${id}`, id, uid],
    ["containerd, cgroupfs driver, best effort", `/kubepods/besteffort/pod${uid}/${id}`, id, uid],
    [
      "containerd, systemd driver",
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid_}.slice/cri-containerd-${id}.scope`,
      id,
      uid,
    ],
    [
      "containerd, systemd driver, guaranteed",
      `/kubepods.slice/kubepods-pod${uid_}.slice/cri-containerd-${id}.scope`,
      id,
      uid,
    ],
    [
      "containerd told to use cgroupfs by a kubelet that uses systemd",
      `/system.slice/containerd.service/kubepods-burstable-pod${uid_}.slice:cri-containerd:${id}`,
      id,
      uid,
    ],
    ["the same on version 1", `/kubepods-besteffort-pod${uid_}.slice:cri-containerd:${id}`, id, uid],
    ["CRI-O, systemd driver", `/kubepods.slice/kubepods-pod${uid_}.slice/crio-${id}.scope`, id, uid],
    ["CRI-O with systemd inside", `/kubepods.slice/kubepods-pod${uid_}.slice/crio-${id}.scope/container`, id, uid],
    ["CRI-O, cgroupfs driver", `/kubepods/burstable/pod${uid}/crio-${id}`, id, uid],
    ["podman, systemd", `/machine.slice/libpod-${id}.scope/container`, id, undefined],
    ["podman, cgroupfs", `/libpod_parent/libpod-${id}`, id, undefined],
    ["podman pod, systemd", `/machine.slice/machine-libpod_pod_${outer}.slice/libpod-${id}.scope`, id, undefined],
    ["podman pod, cgroupfs", `/libpod_parent/${outer}/libpod-${id}`, id, undefined],
    ["podman, rootless", `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`, id, undefined],
    ["nerdctl", `/system.slice/nerdctl-${id}.scope`, id, undefined],
    [
      "a static pod, systemd driver",
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${hash}.slice/cri-containerd-${id}.scope`,
      id,
      hash,
    ],
    ["a static pod, cgroupfs driver", `/kubepods/burstable/pod${hash}/${id}`, id, hash],
    [
      "kind: a node in a docker container",
      `/docker/${outer}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${uid_}.slice/cri-containerd-${id}.scope`,
      id,
      uid,
    ],
    ["kind on version 1", `/docker/${outer}/kubelet/kubepods/burstable/pod${uid}/${id}`, id, uid],
    ["docker in docker", `/docker/${outer}/docker/${id}`, id, undefined],
    [
      "docker in a pod",
      `/kubepods.slice/kubepods-pod${uid_}.slice/cri-containerd-${outer}.scope/docker/${id}`,
      id,
      uid,
    ],
    ["podman, Quadlet", `/system.slice/web.service/libpod-payload-${id}`, id, undefined],
    [
      "podman, Quadlet of a user",
      `/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-${id}`,
      id,
      undefined,
    ],
    ["nerdctl, cgroupfs driver", `/default/${id}`, id, undefined],
    ["an engine that nobody here knows", `/system.slice/isulad-${id}.scope`, id, undefined],
    ["k3s", `/kubepods/burstable/pod${uid}/${id}`, id, uid],
    ["k3s in a docker container", `/docker/${outer}/kubepods/pod${uid}/${id}`, id, uid],
    ["cri-dockerd", `/kubepods.slice/kubepods-pod${uid_}.slice/docker-${id}.scope`, id, uid],
    ["a group below a container", `/docker/${id}/workers/3`, id, undefined],
    ["a cgroup that was removed", `/docker/${id} (deleted)`, id, undefined],
    ["Amazon ECS on EC2", `/ecs/${task}/${id}`, id, undefined],
    ["Amazon ECS on EC2, by cluster", `/ecs/shop/${task}/${id}`, id, undefined],
    ["Amazon ECS on EC2, version 2", `/ecstasks.slice/ecstasks-${task}.slice/docker-${id}.scope`, id, undefined],
    ["Amazon ECS on Fargate", `/ecs/${task}/${task}-1234567890`, `${task}-1234567890`, undefined],
    ["Amazon ECS on Fargate, a short number", `/ecs/${task}/${task}-7`, `${task}-7`, undefined],
    [
      "Amazon ECS on Fargate, version 2",
      `/ecstasks.slice/ecstasks-${task}.slice/${task}-265927825`,
      `${task}-265927825`,
      undefined,
    ],
    ["Nomad", `/nomad.slice/share.slice/${uid}.web.scope`, `${uid}.web`, undefined],
    ["Nomad with reserved cores", `/nomad.slice/reserve.slice/${uid}.web-api.scope`, `${uid}.web-api`, undefined],
    ["Nomad on version 1", `/nomad/${uid}-web`, `${uid}-web`, undefined],
    ["Nomad that runs docker", `/nomad.slice/share.slice/docker-${id}.scope`, id, undefined],
    ["Garden", `/system.slice/garden.service/garden/${uid}`, uid, undefined],
    ["Garden of Cloud Foundry", "/garden/good/4e2b3f96-1f2e-4a77-6be9-ad5d", "4e2b3f96-1f2e-4a77-6be9-ad5d", undefined],
    ["Mesos", `/mesos/${uid}`, uid, undefined],
    ["BuildKit", "/docker/buildkit/k9y3h2q7w5e8r1t4z6u0i2o3p", "k9y3h2q7w5e8r1t4z6u0i2o3p", undefined],
    ["LXC", "/lxc.payload.web/system.slice/nginx.service", "web", undefined],
    ["LXC 3", "/lxc.payload/web", "web", undefined],
    ["LXC on version 1, and Proxmox", "/lxc/101/ns/system.slice/cron.service", "101", undefined],
    ["docker in LXC", `/lxc.payload.web/docker/${id}`, id, undefined],
    ["systemd-nspawn", "/machine.slice/systemd-nspawn@web.service/payload", "web", undefined],
    [
      "systemd-nspawn with systemd inside",
      "/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service",
      "web",
      undefined,
    ],
    ["systemd-nspawn, by hand", "/machine.slice/machine-my\\x2dweb.scope", "my-web", undefined],
    ["a sibling in a pod, private namespace", `/../cri-containerd-${id}.scope`, id, undefined],
    [
      "a container of another pod, private namespace",
      `/../../kubepods-besteffort-pod${uid_}.slice/cri-containerd-${id}.scope`,
      id,
      uid,
    ],
    ["the pod itself", `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid_}.slice`, undefined, uid],
  ])("of %s", (_, path, containerId, podUid) => {
    expect(identifyCgroup(path)).toEqual({ containerId, podUid, unit: undefined });
  });
});

describe("identifyCgroup finds the unit", () => {
  test.each([
    ["a service", "/system.slice/nginx.service", "nginx.service"],
    ["a container engine itself", "/system.slice/docker.service", "docker.service"],
    [
      "the process that holds an nspawn container",
      "/machine.slice/systemd-nspawn@web.service/supervisor",
      "systemd-nspawn@web.service",
    ],
    ["an instance with a colon in its name", "/system.slice/tunnel@db:5432.service", "tunnel@db:5432.service"],
    [
      "a delegated group of a service",
      "/system.slice/postgresql@15-main.service/workers",
      "postgresql@15-main.service",
    ],
    [
      "a user's service, not the manager above it",
      "/user.slice/user-1000.slice/user@1000.service/app.slice/sync.service",
      "sync.service",
    ],
  ])("of %s", (_, path, unit) => {
    expect(identifyCgroup(path)).toEqual({ containerId: undefined, podUid: undefined, unit });
  });
});

describe("identifyCgroup finds nothing", () => {
  test.each([
    ["the root", "/"],
    ["no cgroup at all", ""],
    ["a login session", "/user.slice/user-1000.slice/session-3.scope"],
    ["a group made by hand", "/services/apps"],
    ["an id that is too short", `/docker/${id.slice(1)}`],
    ["an id that is too long", `/docker/${id}0`],
    ["an id with capitals", `/docker/${id.toUpperCase()}`],
    ["conmon, which watches a container and is not in it", `/machine.slice/libpod-conmon-${id}.scope`],
    ["CRI-O's conmon", `/system.slice/crio-conmon-${id}.scope`],
    ["LXC's monitor, which is outside of it", "/lxc.monitor.web"],
    ["an ECS task, without a container", `/ecs/${task}`],
    ["an ECS task's slice", `/ecstasks.slice/ecstasks-${task}.slice`],
    ["a number that is too long for Fargate's", `/ecs/${task}/${task}-12345678901`],
    ["a virtual machine", "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"],
    ["a terminal", `/user.slice/user-1000.slice/vte-spawn-${uid}.scope`],
    ["what systemd runs for a moment", `/system.slice/run-r${hash}.scope`],
    ["a user's slice", "/user.slice/user-1000.slice"],
    ["a name that only ends like a pod's", `/tripod${uid}`],
    ["QoS groups of pods", "/kubepods.slice/kubepods-burstable.slice"],
  ])("for %s", (_, path) => {
    expect(identifyCgroup(path)).toEqual({ containerId: undefined, podUid: undefined, unit: undefined });
  });
});

describe("identifyCgroup on captured machines", () => {
  const at = (folder: string) => identifyCgroup(parseMemoryCgroup(fixture(folder, "cgroup"))?.path ?? "");

  test("docker", () => {
    expect(at("docker-cgroup-v1/proc/21").containerId).toMatch(/^32b22906/);
  });

  test("podman: the container, not the pod whose id looks the same", () => {
    expect(at("podman-v1/proc/18915").containerId).toMatch(/^c9d64d49/);
    expect(at("podman-v1/proc/18848").containerId).toMatch(/^aad2ed1f/);
  });

  test("Kubernetes on version 2: two pods", () => {
    expect(at("cgroup-v2-nested/proc/116")).toMatchObject({ containerId: id, podUid: uid });
    expect(at("cgroup-v2-nested/proc/124")).toMatchObject({ podUid: "5b1e7c02-94d6-4c1f-8e3a-6d0a7f2b9c44" });
  });

  test("a private namespace: siblings are known, the pod above them is not, nor are we", () => {
    expect(at("cgroup-v2-private-namespace/proc/2")).toEqual({ containerId: id, podUid: undefined, unit: undefined });
    expect(at("cgroup-v2-private-namespace/proc/6").containerId).toBeUndefined();
  });
});

test("identifyCgroup never throws", () => {
  const pieces = fc.constantFrom(
    "/",
    "-",
    ":",
    id,
    uid,
    uid_,
    "pod",
    ".slice",
    ".scope",
    ".service",
    "docker",
    "lxc",
    "lxc.payload.",
    "payload",
    "machine.slice",
    "systemd-nspawn@",
    "\\x2d",
    "..",
    "\n",
  );
  const path = fc.oneof(
    anyText,
    fc.array(pieces, { maxLength: 15 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(path, (text) => {
      const { containerId, podUid } = identifyCgroup(text);
      expect(containerId ?? id).toMatch(/^[\w.-]{1,256}$/);
      expect(podUid ?? uid).toMatch(/^[0-9a-f-]{32,36}$/);
    }),
  );
});
