// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${word} is the configuration's own notation
import { describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { type Config, decodeConfig, defaultConfig } from "../../exporter/config/config.ts";
import type { Candidate } from "../../exporter/discovery/identity.ts";
import { membership, needsPorts } from "../../exporter/discovery/match.ts";

const api: Candidate = {
  name: "server.js",
  version: undefined,
  comm: "MainThread",
  isHealthCheck: false,
  exe: "/usr/local/bin/node",
  cmdline: "node --enable-source-maps /srv/shop/server.js --queue=mail",
  uid: 1000,
  cgroup: { version: 2, path: "/system.slice/shop.service" },
  ports: [3000, 9229],
  containerId: undefined,
  podUid: undefined,
  unit: "shop.service",
};

/** A configuration as a user would write it. */
const config = (document: unknown): Config => decodeConfig(document, []);
const groupOf = (document: unknown, identity: Partial<Candidate> = {}) =>
  membership(config(document), { ...api, ...identity })?.group;

describe("membership without configuration", () => {
  test("is that of the default name, without a limit", () => {
    expect(membership(defaultConfig, api)).toEqual({ group: "server.js", memoryLimit: undefined, isConfigured: false });
  });
});

describe("a rule fits by", () => {
  test.each([
    ["the default name", { name: "server\\.js" }],
    ["the kernel's short name", { name: "MainThread" }],
    ["the program", { exe: "/usr/local/bin/node" }],
    ["the arguments", { cmdline: ".*/srv/shop/server\\.js.*" }],
    ["the cgroup", { cgroup: "/system\\.slice/.*" }],
    ["the user", { uid: 1000 }],
    ["a port", { port: 9229 }],
    ["all of them", { name: ".*", exe: ".*", cmdline: ".*", cgroup: ".*", uid: 1000, port: 3000 }],
  ])("%s", (_, match) => {
    expect(groupOf({ groups: [{ name: "shop", match }] })).toBe("shop");
  });
});

describe("a rule by name fits", () => {
  const inContainer = { name: "shop-api-1/server.js", programName: "server.js" };

  test.each([
    ["the program's name, whether its container is known or not", "server\\.js"],
    ["the container's name before it", "shop-api-1/.*"],
    ["both", "shop-api-1/server\\.js"],
  ])("%s", (_, name) => {
    expect(groupOf({ groups: [{ name: "shop", match: { name } }] }, inContainer)).toBe("shop");
  });

  test("to ignore it, too", () => {
    expect(groupOf({ ignore: [{ name: "server\\.js" }] }, inContainer)).toBeUndefined();
  });

  test("and its limit holds", () => {
    const groups = [{ name: "api", match: { name: "server\\.js" }, memory_limit: "512MiB" }];
    expect(membership(config({ groups }), { ...api, ...inContainer })).toEqual({
      group: "api",
      memoryLimit: 512 * MiB,
      isConfigured: true,
    });
  });
});

describe("a rule does not fit by", () => {
  test.each([
    ["a part of the name only", { name: "server" }],
    ["a part of the arguments only", { cmdline: "server" }],
    ["another user", { uid: 0 }],
    ["another port", { port: 300 }],
    ["all but one of its conditions", { name: "server\\.js", uid: 1000, port: 1 }],
    ["alternatives that would match without the anchors", { name: "x|erver" }],
  ])("%s", (_, match) => {
    expect(groupOf({ groups: [{ name: "shop", match }] })).toBe("server.js");
  });

  test.each([
    ["exe", { exe: ".*" }, { exe: undefined }],
    ["cgroup", { cgroup: ".*" }, { cgroup: undefined }],
    ["uid", { uid: 0 }, { uid: undefined }],
    ["port", { port: 3000 }, { ports: [] }],
  ])("%s where it may not be read", (_, match, identity) => {
    expect(groupOf({ groups: [{ name: "shop", match }] }, identity)).toBe("server.js");
  });
});

describe("rules", () => {
  test("are tried in their order, and the first that fits wins", () => {
    const groups = [
      { name: "other", match: { uid: 7 } },
      { name: "first", match: { uid: 1000 } },
      { name: "second", match: { name: ".*" } },
    ];
    expect(groupOf({ groups })).toBe("first");
  });

  test("see a newline in a command line as any other character", () => {
    expect(
      groupOf({ groups: [{ name: "shop", match: { cmdline: "node.*mail" } }] }, { cmdline: "node -e a\nmail" }),
    ).toBe("shop");
  });

  test("do not apply to what is ignored", () => {
    const groups = [{ name: "shop", match: { name: ".*" } }];
    expect(groupOf({ groups, ignore: [{ exe: ".*/python.*" }, { uid: 1000, port: 3000 }] })).toBeUndefined();
    expect(groupOf({ groups, ignore: [{ uid: 1000, port: 1 }] })).toBe("shop");
  });

  test("decide alone when the others are not watched", () => {
    const groups = [{ name: "shop", match: { uid: 1000 } }];
    expect(groupOf({ groups, unmatched: "ignore" })).toBe("shop");
    expect(groupOf({ groups, unmatched: "ignore" }, { uid: 0 })).toBeUndefined();
  });
});

describe("a group's name", () => {
  const named = (name: string, match: object, identity: Partial<Candidate> = {}) =>
    groupOf({ groups: [{ name, match }] }, identity);

  test("takes words from the patterns", () => {
    expect(named("worker-${queue}", { cmdline: ".*--queue=(?<queue>\\w+).*" })).toBe("worker-mail");
    expect(
      named("${unit}:${script}/${unit}", { name: "(?<script>\\w+).*", cgroup: ".*/(?<unit>[^/]+)\\.service" }),
    ).toBe("shop:server/shop");
  });

  test("leaves a part out that did not take part in the match", () => {
    expect(named("q${queue}", { cmdline: ".*?(--queue=(?<queue>\\d+))?.*" })).toBe("q");
  });

  test("is the default one where nothing would remain: a label without a value is no label", () => {
    expect(named("${queue}", { cmdline: "(?<queue>\\d*).*" })).toBe("server.js");
  });

  test("is not read again for words: a process cannot smuggle them in", () => {
    expect(named("${a}-${b}", { cmdline: "(?<a>\\S+) (?<b>\\S+)" }, { cmdline: "${b} $&" })).toBe("${b}-$&");
  });

  test("comes from the alternative of name that matched: the default name, else the kernel's", () => {
    expect(named("${n}", { name: "(?<n>\\w+)" })).toBe("MainThread"); // server.js has a dot
    expect(named("${n}", { name: "(?<n>.+)" })).toBe("server.js");
  });
});

describe("a memory limit", () => {
  const limitOf = (document: unknown) => membership(config(document), api)?.memoryLimit;
  const match = { uid: 1000 };

  test.each([
    [
      "comes from the rule",
      { memory_limit: "2GiB", groups: [{ name: "a", match, memory_limit: "512MiB" }] },
      512 * MiB,
    ],
    ["or else from the configuration", { memory_limit: "2GiB", groups: [{ name: "a", match }] }, 2 * GiB],
    ["for processes without a rule, too", { memory_limit: "2GiB" }, 2 * GiB],
    ["is not there otherwise", { groups: [{ name: "a", match }] }, undefined],
  ])("%s", (_, document, bytes) => {
    expect(limitOf(document)).toBe(bytes);
  });
});

describe("needsPorts", () => {
  test.each([
    ["no rule", {}, false],
    ["rules without ports", { groups: [{ name: "a", match: { uid: 1 } }] }, false],
    ["a rule with a port", { groups: [{ name: "a", match: { uid: 1, port: 80 } }] }, true],
    ["a port that is ignored", { ignore: [{ port: 22 }] }, true],
  ])("with %s", (_, document, expected) => {
    expect(needsPorts(config(document))).toBe(expected);
  });
});
