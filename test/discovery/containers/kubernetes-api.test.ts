import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { MiB } from "../../../catalog/defaults.ts";
import { accessFromEnvironment, listPods } from "../../../exporter/discovery/containers/kubernetes-api.ts";
import { FakeApi } from "./fake-api.ts";
import { podList } from "./pod-list.ts";

describe("listPods", () => {
  test("asks for the pods of its node, from the server's cache, with its token", async () => {
    const api = await FakeApi.start();
    expect(JSON.parse(await listPods(api.access)).items).toHaveLength(podList.items.length);
    expect(api.requests).toEqual(["/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-3&resourceVersion=0"]);
  });

  test("reads the token anew each time", async () => {
    const api = await FakeApi.start();
    await listPods(api.access);
    api.token = "second-token";
    await expect(listPods(api.access)).rejects.toThrow("the API answered 401: Unauthorized");
    api.writeToken();
    await expect(listPods(api.access)).resolves.toContain("PodList");
  });

  test("says what the API forbids, as a matter of rights", async () => {
    const api = await FakeApi.start();
    const message = 'pods is forbidden: User "system:serviceaccount:leakwatch:leakwatch" cannot list resource "pods"';
    api.failure = { status: 403, body: JSON.stringify({ kind: "Status", message }) };
    await expect(listPods(api.access)).rejects.toMatchObject({
      code: "EACCES",
      message: expect.stringContaining(message),
    });
  });

  test("does not read an answer without end", async () => {
    const api = await FakeApi.start();
    api.failure = { status: 200, body: " ".repeat(33 * MiB) };
    await expect(listPods(api.access)).rejects.toThrow(/is larger than 33554432 bytes/);
  });

  test("does not talk to a server that its authority did not sign", async () => {
    const [api, other] = [await FakeApi.start(), await FakeApi.start()];
    fs.copyFileSync(path.join(other.access.serviceAccount, "ca.crt"), path.join(api.access.serviceAccount, "ca.crt"));
    await expect(listPods(api.access)).rejects.toThrow(/certificate/);
    expect(api.requests).toEqual([]);
  });
});

describe("accessFromEnvironment", () => {
  const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443", NODE_NAME: "node-3" };

  test("finds the API server and the node", () => {
    expect(accessFromEnvironment(pod, "/sa")).toEqual({
      host: "10.96.0.1",
      port: 443,
      serviceAccount: "/sa",
      node: "node-3",
    });
  });

  test.each([
    ["outside of a cluster", {}, "KUBERNETES_SERVICE_HOST is not set"],
    ["without the node's name", { ...pod, NODE_NAME: "" }, "NODE_NAME is not set"],
  ])("complains %s", (_, env, message) => {
    expect(() => accessFromEnvironment(env)).toThrow(message);
  });
});
