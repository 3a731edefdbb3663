import { describe, expect, test } from "vitest";
import {
  groupName,
  imageName,
  imageTag,
  signalOf,
  unixSeconds,
} from "../../../exporter/discovery/containers/container.ts";

describe("groupName", () => {
  test.each([
    ["shop", "api", "web", "server.js", "shop/api/web/server.js"],
    ["shop", "api", "api", "server.js", "shop/api/server.js"],
    ["kube-system", "coredns", "coredns", "coredns", "kube-system/coredns"],
    ["", "", "shop-web-1", "nginx", "shop-web-1/nginx"],
    ["", "shop", "api", "api/index.js", "shop/api/index.js"],
    ["", "", "shop", "shop/gunicorn", "shop/gunicorn"],
  ])("%s, %s, %s and %s give %s", (namespace, workload, container, program, name) => {
    expect(groupName({ namespace, workload, container }, program)).toBe(name);
  });
});

describe("an image", () => {
  const digest = `sha256:${"0123".repeat(16)}`;

  test.each([
    ["nginx", "nginx", ""],
    ["nginx:1.27", "nginx", "1.27"],
    ["registry.example.org:5000/shop/api:1.4.2", "api", "1.4.2"],
    ["registry.example.org:5000/shop/api", "api", ""],
    [`registry.example.org/shop/api:1.4.2@${digest}`, "api", "1.4.2"],
    [`api@${digest}`, "api", ""],
    [digest, "", ""],
    [digest.slice(7, 19), "", ""],
    ["", "", ""],
  ])("%j has the name %j and the tag %j", (image, name, tag) => {
    expect([imageName(image), imageTag(image)]).toEqual([name, tag]);
  });
});

test.each([
  [137, 9],
  [143, 15],
  [192, 64],
  [128, undefined],
  [193, undefined],
  [3, undefined],
  [undefined, undefined],
])("the exit code %s stands for the signal %s", (code, signal) => {
  expect(signalOf(code)).toBe(signal);
});

test.each([
  ["2026-10-01T12:00:30.123456789Z", 1_790_856_030.123],
  ["0001-01-01T00:00:00Z", undefined],
  ["yesterday", undefined],
  [undefined, undefined],
])("the time %s is %s", (time, seconds) => {
  expect(unixSeconds(time)).toBe(seconds);
});
