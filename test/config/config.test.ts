// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${word} is the configuration's own notation
import { describe, expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { decodeConfig, defaultConfig } from "../../exporter/config/config.ts";
import { Pattern } from "../../exporter/config/pattern.ts";

const config = (document: unknown) => decodeConfig(document, []);

describe("decodeConfig", () => {
  test.each([
    ["nothing", undefined],
    ["an empty document", null],
    ["an empty mapping", {}],
    ["empty sections", { sampling: {}, smaps: {}, groups: [], ignore: [] }],
  ])("takes %s for the default", (_, document) => {
    expect(config(document)).toEqual(defaultConfig);
  });

  test("the default watches everything every 5 s, without a limit and without smaps", () => {
    expect(defaultConfig).toEqual({
      sampleInterval: 5,
      sampleMaxAge: 1,
      groups: [],
      ignore: [],
      unmatched: "watch",
      memoryLimit: undefined,
      detection: {},
      smaps: { enabled: false, interval: 60, maxResident: 4 * GiB, budget: 0.25 },
    });
  });

  test("reads the price of memory, and has none by default", () => {
    expect(config({ advice: { price_per_gib_hour: 0.004 } })).toEqual({ ...defaultConfig, pricePerGibHour: 0.004 });
    expect(config({ advice: {} })).toEqual(defaultConfig);
  });

  test.each([[0], [-1], [Number.NaN], [1001], ["0.004"], [null]])("rejects %s as a price", (price) => {
    expect(() => config({ advice: { price_per_gib_hour: price } })).toThrow("a number above 0, up to 1000");
  });

  test("reads everything that docs/configuration.md shows", () => {
    expect(
      config({
        sampling: { interval: "10s", max_age: "2s" },
        groups: [
          { name: "api", match: { cmdline: ".*server\\.js.*" }, memory_limit: "512MiB" },
          { name: "worker-${queue}", match: { cmdline: ".*worker --queue=(?<queue>\\w+).*" } },
          { name: "shop", match: { port: 8080, uid: 1000 } },
        ],
        ignore: [{ name: "sh|bash|sleep" }],
        unmatched: "ignore",
        memory_limit: "2GiB",
        max_processes: 5000,
        detection: {
          critical_within: "4h",
          high_within: "2d",
          medium_within: "14d",
          confirm: "5m",
          keep: "30m",
          points: 4,
          notable_growth: 0.05,
          near_limit: 0.85,
        },
        smaps: { enabled: true, interval: "5m", max_resident: "1GiB", budget: "100ms" },
      }),
    ).toEqual({
      sampleInterval: 10,
      sampleMaxAge: 2,
      groups: [
        { name: "api", match: { cmdline: new Pattern(String.raw`.*server\.js.*`) }, memoryLimit: 512 * MiB },
        {
          name: "worker-${queue}",
          match: { cmdline: new Pattern(String.raw`.*worker --queue=(?<queue>\w+).*`) },
          memoryLimit: undefined,
        },
        { name: "shop", match: { port: 8080, uid: 1000 }, memoryLimit: undefined },
      ],
      ignore: [{ name: new Pattern("sh|bash|sleep") }],
      unmatched: "ignore",
      memoryLimit: 2 * GiB,
      detection: {
        critical_within: 4 * 3600,
        high_within: 2 * 24 * 3600,
        medium_within: 14 * 24 * 3600,
        confirm: 300,
        keep: 1800,
        points: 4,
        notable_growth: 0.05,
        near_limit: 0.85,
      },
      maxProcesses: 5000,
      smaps: { enabled: true, interval: 300, maxResident: GiB, budget: 0.1 },
    });
  });

  test("keeps the defaults of a section that says only something", () => {
    expect(config({ sampling: { interval: "1s" } })).toEqual({ ...defaultConfig, sampleInterval: 1 });
    expect(config({ smaps: { enabled: true } }).smaps).toEqual({ ...defaultConfig.smaps, enabled: true });
  });

  test.each([
    ["500ms", 0.5],
    ["5m", 300],
  ])("samples no more and no less often than %s", (interval, seconds) => {
    expect(config({ sampling: { interval } }).sampleInterval).toBe(seconds);
  });

  test.each(["499ms", "301s", "0s"])("does not sample every %s", (interval) => {
    expect(() => config({ sampling: { interval } })).toThrow(`expected a duration from 500ms to 5m, got "${interval}"`);
  });

  test("takes a word of a name from any of the patterns", () => {
    const match = { exe: ".*/(?<a>\\w+)", cgroup: "/(?<b>.*)" };
    expect(config({ groups: [{ name: "${a}-${b}", match }] }).groups[0]?.name).toBe("${a}-${b}");
  });

  test.each([
    ["no pattern has it", "${queue}", { cmdline: ".*" }, "queue"],
    ["a pattern has it without a name", "${queue}", { cmdline: "(queue)" }, "queue"],
    ["only another one is there", "${a}-${b}", { cmdline: "(?<a>x)" }, "b"],
    ["there are no patterns", "${uid}", { uid: 0 }, "uid"],
  ])("rejects a name with a word if %s", (_, name, match, word) => {
    expect(() => config({ groups: [{ name, match }] })).toThrow(
      `expected a pattern with (?<${word}>…) for \${${word}}, got "${name}"`,
    );
  });

  test.each([
    ["uid 0, which is root and not nothing", { uid: 0 }],
    ["the largest uid", { uid: 2 ** 32 - 1 }],
    ["port 1", { port: 1 }],
  ])("accepts %s", (_, match) => {
    expect(config({ ignore: [match] }).ignore).toEqual([match]);
  });
});
