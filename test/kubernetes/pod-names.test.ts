import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { Failures } from "../../exporter/failures.ts";
import { accessFromEnvironment, listPods } from "../../exporter/kubernetes/api.ts";
import { PodNames } from "../../exporter/kubernetes/pod-names.ts";
import { createLogger } from "../../exporter/log.ts";
import { FakeClock } from "../support/machine.ts";
import { FakeApi } from "./fake-api.ts";
import { containerId, ids, podList } from "./pod-list.ts";

function namesOf(api: FakeApi) {
  const logged: string[] = [];
  const failures = new Failures(createLogger("info", "logfmt", (line) => logged.push(line)));
  const clock = new FakeClock();
  let changes = 0;
  const onChange = () => {
    changes++;
  };
  const names = new PodNames({ list: () => listPods(api.access), failures, clock, onChange });
  return { names, failures, clock, logged, changes: () => changes };
}

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

describe("PodNames", () => {
  test("lists once a minute, whoever asks", async () => {
    const api = await FakeApi.start();
    const { names, clock } = namesOf(api);
    await Promise.all([names.refreshIfDue(), names.refreshIfDue()]);
    clock.advance(59);
    await names.refreshIfDue();
    expect(api.requests).toHaveLength(1);
    clock.advance(1);
    await names.refreshIfDue();
    expect(api.requests).toHaveLength(2);
    expect(names.listedAt).toBe(clock.unix());
  });

  test("lists sooner when a container is not known, yet not at once", async () => {
    const api = await FakeApi.start();
    const { names, clock } = namesOf(api);
    await names.refreshIfDue();
    expect(names.of(containerId("ab"))).toBeUndefined();
    clock.advance(9);
    await names.refreshIfDue();
    expect(api.requests).toHaveLength(1);
    clock.advance(1);
    await names.refreshIfDue();
    expect(api.requests).toHaveLength(2);
  });

  test("looking at a name asks for nothing", async () => {
    const api = await FakeApi.start();
    const { names, clock } = namesOf(api);
    await names.refreshIfDue();
    expect(names.peek(containerId("ab"))).toBeUndefined();
    clock.advance(30);
    await names.refreshIfDue();
    expect(api.requests).toHaveLength(1);
  });

  test("keeps the last list when the API cannot be asked, and counts that", async () => {
    const api = await FakeApi.start();
    const { names, clock, failures, logged } = namesOf(api);
    await names.refreshIfDue();
    api.failure = { status: 503, body: "apiserver is shutting down" };
    for (let minute = 0; minute < 3; minute++) {
      clock.advance(60);
      await names.refreshIfDue();
    }
    expect(names.peek(ids.api)?.workload).toBe("api");
    expect([...failures]).toEqual([{ file: "pods", reason: "io", count: 3 }]);
    expect(logged).toEqual([expect.stringContaining("the API answered 503: apiserver is shutting down")]);
  });

  test("tells of changes, and not of lists that are the same", async () => {
    const api = await FakeApi.start();
    const { names, clock, changes } = namesOf(api);
    await names.refreshIfDue();
    clock.advance(60);
    await names.refreshIfDue();
    expect(changes()).toBe(1);
    api.items = podList.items.slice(1);
    clock.advance(60);
    await names.refreshIfDue();
    expect(changes()).toBe(2);
    expect(names.peek(ids.api)).toBeUndefined();
  });
});
