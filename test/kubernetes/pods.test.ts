import { describe, expect, test } from "vitest";
import { groupName, parsePodList } from "../../exporter/kubernetes/pods.ts";
import { ids, podList } from "./pod-list.ts";

const parsed = parsePodList(JSON.stringify(podList));

describe("parsePodList", () => {
  test("names the containers of a Deployment's pod", () => {
    expect(parsed.get(ids.api)).toEqual({
      podUid: "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
      namespace: "shop",
      pod: "api-7c9d8b6f5-x2x7k",
      container: "web",
      workload: "api",
      image: "registry.example.org:5000/shop/api:1.4.2",
      appVersion: "1.4.2",
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
    expect(parsed.get(id)?.appVersion).toBe(version);
  });

  test("takes no port of a registry for a version", () => {
    const [pod] = podList.items;
    const changed = {
      ...pod,
      metadata: { ...pod?.metadata, labels: {} },
      spec: { containers: [{ name: "web", image: "registry.example.org:5000/shop/api" }] },
    };
    expect(parsePodList(JSON.stringify({ items: [changed] })).get(ids.api)?.appVersion).toBe("");
  });

  test.each([
    ["a Status", '{"kind":"Status","message":"no"}', 'expected a PodList, got "Status"'],
    ["nothing", "null", "expected a PodList, got nothing"],
    ["a page of a proxy", "<html>", "JSON"],
  ])("rejects %s", (_, text, message) => {
    expect(() => parsePodList(text)).toThrow(message);
  });
});

describe("groupName", () => {
  const named = (namespace: string, workload: string, container: string) => ({
    ...{ podUid: "", pod: "", image: "", appVersion: "" },
    ...{ namespace, workload, container },
  });

  test.each([
    ["shop", "api", "web", "server.js", "shop/api/web/server.js"],
    ["shop", "api", "api", "server.js", "shop/api/server.js"],
    ["kube-system", "coredns", "coredns", "coredns", "kube-system/coredns"],
    ["", "", "shop-web-1", "nginx", "shop-web-1/nginx"],
  ])("%s, %s, %s and %s give %s", (namespace, workload, container, program, name) => {
    expect(groupName(named(namespace, workload, container), program)).toBe(name);
  });
});
