import { describe, expect, test } from "vitest";
import { groupName } from "../../../exporter/discovery/containers/container.ts";
import { describedByEngine, type ListedContainer } from "../../../exporter/discovery/containers/engine-names.ts";

const id = "4f1e".repeat(16);
const nameOf = (listed: Omit<ListedContainer, "Id">) => {
  const described = describedByEngine({ Id: id, ...listed });
  return described && groupName(described, "server.js");
};

// The labels are those that the makers document, or that their sources set (compose/v2, moby/swarmkit, amazon-ecs-agent, nomad, dokku).
describe("who makes containers by the dozen says in labels what they are", () => {
  test.each([
    [
      "Compose: without the replica",
      "shop-api-2",
      { "com.docker.compose.project": "shop", "com.docker.compose.service": "api" },
      "shop/api/server.js",
    ],
    [
      "Compose, where its service has a name of its own",
      "the-api",
      { "com.docker.compose.project": "shop", "com.docker.compose.service": "api" },
      "shop/api/server.js",
    ],
    [
      "Podman's compose",
      "shop_api_1",
      { "io.podman.compose.project": "shop", "com.docker.compose.service": "api" },
      "shop/api/server.js",
    ],
    [
      "Swarm: without slot and task",
      "shop_api.1.u0rukjtcr1fav97gvijuvi0g9",
      { "com.docker.swarm.service.name": "shop_api", "com.docker.swarm.task.id": "u0rukjtcr1fav97gvijuvi0g9" },
      "shop_api/server.js",
    ],
    [
      "Amazon ECS: without the revision of the task definition",
      "ecs-shop-12-api-d0b3ef9ec6d4a1b5cd01",
      { "com.amazonaws.ecs.task-definition-family": "shop", "com.amazonaws.ecs.container-name": "api" },
      "shop/api/server.js",
    ],
    [
      "Nomad, with its extra labels",
      "api-0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
      { "com.hashicorp.nomad.job_name": "shop", "com.hashicorp.nomad.task_name": "api" },
      "shop/api/server.js",
    ],
    ["Dokku", "shop.web.1", { "com.dokku.app-name": "shop", "com.dokku.process-type": "web" }, "shop/web/server.js"],
    [
      "Kubernetes on Docker",
      "k8s_web_api-7c9d8b6f5-x2x7k_shop_0d9c3f5e_0",
      { "io.kubernetes.pod.namespace": "shop", "io.kubernetes.container.name": "web" },
      "shop/web/server.js",
    ],
  ])("%s", (_, name, Labels, group) => {
    expect(nameOf({ Names: [`/${name}`], Labels })).toBe(group);
  });
});

describe("a container without labels goes by its name", () => {
  test.each([
    ["as it was given", "shop-api", "shop-api/server.js"],
    ["with a number, which somebody gave", "shop-api-1", "shop-api-1/server.js"],
    ["without the version", "api-1.4.2", "api/server.js"],
    [
      "without the commit, as Kamal appends it",
      "shop-web-3f9c2d1a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e",
      "shop-web/server.js",
    ],
    ["without Nomad's allocation", "api-0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10", "api/server.js"],
    ["without what Compose puts before it while it makes the next", "1a2b3c4d5e6f_shop-api", "shop-api/server.js"],
    ["which looks like one that was made up, and is not", "shop_api", "shop_api/server.js"],
    ["by its image where the engine made it up", "eager_curie", "orders/server.js"],
    ["the same with a number", "wizardly_lamport7", "orders/server.js"],
    ["by its image where all of it changes", "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10", "orders/server.js"],
  ])("%s", (_, name, group) => {
    expect(nameOf({ Names: [`/${name}`], Image: "registry.example.org/orders:1.4.2", Labels: {} })).toBe(group);
  });

  test("its own, not those of links to it", () => {
    expect(nameOf({ Names: ["/web/backend", "/shop-api"] })).toBe("shop-api/server.js");
  });

  test("that was made up, where the image has none", () => {
    expect(nameOf({ Names: ["/eager_curie"], Image: `sha256:${id}` })).toBe("eager_curie/server.js");
  });

  test.each([
    ["without a name", { Names: [] }],
    ["without names", {}],
  ])("and one %s is left out", (_, listed) => {
    expect(nameOf(listed)).toBeUndefined();
  });
});

test("a one-off run of Compose is a job", () => {
  const labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "migrate" };
  const isJob = (Labels: Record<string, string>) => describedByEngine({ Id: id, Names: ["/x"], Labels })?.isJob;
  expect([isJob({ ...labels, "com.docker.compose.oneoff": "True" }), isJob(labels)]).toEqual([true, false]);
});

test("the image's tag is the version", () => {
  expect(describedByEngine({ Id: id, Names: ["/x"], Image: "shop/api:1.4.2" })).toMatchObject({
    image: "shop/api:1.4.2",
    version: "1.4.2",
  });
});
