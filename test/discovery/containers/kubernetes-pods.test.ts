import { describe, expect, test } from "vitest";
import { parsePodList } from "../../../exporter/discovery/containers/kubernetes-pods.ts";
import { ids, podList } from "./pod-list.ts";

const { containers: parsed, ends } = parsePodList(JSON.stringify(podList));

describe("parsePodList", () => {
  test("names the containers of a Deployment's pod", () => {
    expect(parsed.get(ids.api)).toEqual({
      podUid: "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
      namespace: "shop",
      pod: "api-7c9d8b6f5-x2x7k",
      container: "web",
      workload: "api",
      image: "registry.example.org:5000/shop/api:1.4.2",
      version: "1.4.2",
      id: ids.api,
      isJob: false,
      restarts: 3,
    });
  });

  test("knows sidecars, debug containers, and the one that was killed just now", () => {
    expect(parsed.get(ids.sidecar)?.container).toBe("leakwatch");
    expect(parsed.get(ids.debug)?.container).toBe("debugger-xk2p4");
    expect(parsed.get(ids.apiBefore)?.container).toBe("web");
  });

  test("leaves out a container that has not started", () => {
    expect([...parsed.keys()].sort()).toEqual(Object.values(ids).sort());
  });

  test.each([
    ["a CronJob's pod, whose number is another each time", ids.report, "report"],
    ["a static pod, which ends in the node's name", ids.apiserver, "kube-apiserver"],
  ])("finds the workload of %s", (_, id, workload) => {
    expect(parsed.get(id)?.workload).toBe(workload);
  });

  test.each([
    ["the pod's label", ids.api, "1.4.2"],
    ["the image's tag", ids.apiserver, "v1.34.1"],
    ["nothing, when the image has only a digest", ids.report, ""],
  ])("takes the version from %s", (_, id, version) => {
    expect(parsed.get(id)?.version).toBe(version);
  });

  test("takes no port of a registry for a version", () => {
    const [pod] = podList.items;
    const changed = {
      ...pod,
      metadata: { ...pod?.metadata, labels: {} },
      spec: { containers: [{ name: "web", image: "registry.example.org:5000/shop/api" }] },
    };
    expect(parsePodList(JSON.stringify({ items: [changed] })).containers.get(ids.api)?.version).toBe("");
  });

  test.each([
    ["a Status", '{"kind":"Status","message":"no"}', 'expected a PodList, got "Status"'],
    ["nothing", "null", "expected a PodList, got nothing"],
    ["a page of a proxy", "<html>", "JSON"],
  ])("rejects %s", (_, text, message) => {
    expect(() => parsePodList(text)).toThrow(message);
  });
});

describe("how a container ended", () => {
  const endsOf = (status: object) =>
    parsePodList(
      JSON.stringify({
        items: [{ metadata: { name: "a" }, status: { containerStatuses: [{ name: "a", ...status }] } }],
      }),
    );
  const now = `containerd://${ids.api}`;
  const before = `containerd://${ids.apiBefore}`;

  test("is known of the one before, under its own id", () => {
    expect(ends).toEqual(
      new Map([[ids.apiBefore, { oomKilled: true, exitCode: 137, signal: 9, finishedAt: undefined }]]),
    );
  });

  test("is known of one that ended for good, whose name stays", () => {
    const terminated = { containerID: now, exitCode: 1, reason: "Error", finishedAt: "2026-10-01T12:00:30Z" };
    const { ends: found, containers } = endsOf({ containerID: now, restartCount: 0, state: { terminated } });
    expect(found.get(ids.api)).toEqual({ oomKilled: false, exitCode: 1, signal: undefined, finishedAt: 1_790_856_030 });
    expect(containers.get(ids.api)?.restarts).toBe(0);
  });

  test("is known of one that waits in CrashLoopBackOff: both of its last two", () => {
    const state = { waiting: { reason: "CrashLoopBackOff" } };
    const lastState = { terminated: { containerID: before, exitCode: 143, signal: 15, reason: "Error" } };
    expect(endsOf({ containerID: before, state, lastState }).ends.get(ids.apiBefore)).toMatchObject({ signal: 15 });
  });

  test("is not known of one that runs", () => {
    expect(endsOf({ containerID: now, state: { running: { startedAt: "2026-10-01T12:00:30Z" } } }).ends.size).toBe(0);
  });
});

test("a job's containers are known as such", () => {
  expect([parsed.get(ids.report)?.isJob, parsed.get(ids.api)?.isJob]).toEqual([true, false]);
});
