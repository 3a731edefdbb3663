import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../catalog/verdicts.ts";
import type { Seen } from "../../exporter/detect/detect-run.ts";
import { asJson, exitCodeOf, type Outcome, renderText } from "../../exporter/detect/report.ts";
import { sparkline } from "../../exporter/detect/sparkline.ts";
import { speedFor, windowsAt } from "../../exporter/detect/windows.ts";
import { MiB } from "../support/fixtures.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

const seen = (changes: Partial<Seen> = {}): Seen => ({
  group: "server.js",
  pid: 4242,
  running: true,
  seconds: 600,
  verdict: "leaking",
  alert: "LeakwatchMemoryLeakSteady",
  growth: (60 * MiB) / 3600,
  confidence: 0.94,
  timeToLimit: 7200,
  limit: 512 * MiB,
  limitSource: "config",
  changes: {
    memory: { from: 100 * MiB, to: 110 * MiB },
    anonymous: { from: 60 * MiB, to: 70 * MiB },
    file: { from: 40 * MiB, to: 40 * MiB },
    descriptors: { from: 21, to: 23 },
  },
  curve: [100 * MiB, 110 * MiB],
  ...changes,
});

const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  seen: [seen()],
  endedEarly: undefined,
  planned: 600,
  took: 600,
  windows: windowsAt(speedFor(600)),
  ...changes,
});

const text = (changes?: Partial<Outcome>) => renderText(outcome(changes), { colour: false }).replace(/\s+/g, " ");

describe("the exit code", () => {
  test.each<[string, 0 | 1 | 2, Verdict, string | undefined]>([
    ["a leak", 1, "leaking", undefined],
    ["a leak in a process that was killed for it", 1, "leaking", "the command was ended by SIGKILL"],
    ["level memory", 0, "stable", undefined],
    ["growth that is no leak", 0, "bounded_growth", undefined],
    ["level memory, but not for long enough", 2, "stable", "the process ended"],
    ["a process that was too young", 2, "insufficient_data", undefined],
  ])("of %s is %d", (_, code, verdict, endedEarly) => {
    expect(exitCodeOf(outcome({ seen: [seen({ verdict })], endedEarly }))).toBe(code);
  });

  test("of nothing is 2", () => {
    expect(exitCodeOf(outcome({ seen: [], endedEarly: "the process ended" }))).toBe(2);
  });
});

describe("the report", () => {
  test("of a leak says what grew, how fast, when it meets the limit, and where to look", () => {
    const report = text();
    expect(report).toMatch(/^leaking server\.js \(pid 4242\), seen for 10 min/);
    expect(report).toContain("100 MiB → 110 MiB ▁█");
    expect(report).toContain("+60.0 MiB/h at this load, confidence 94 %");
    expect(report).toContain("512 MiB, reached in 2 h at this pace");
    expect(report).toContain("anonymous +10.0 MiB, file 0 B, descriptors 21 → 23");
    expect(report).toContain("finding-the-cause.md#heap");
    expect(report).toContain("runbooks/LeakwatchMemoryLeakSteady.md");
  });

  test("of a leak owns that a cache that fills looks the same", () => {
    expect(text()).toContain("A cache that is still filling looks the same");
  });

  test("of descriptors leads to descriptors, and does not speak of caches", () => {
    const report = text({ seen: [seen({ alert: "LeakwatchDescriptorLeak" })] });
    expect(report).toContain("Open descriptors grew");
    expect(report).toContain("finding-the-cause.md#descriptors");
    expect(report).not.toContain("cache");
  });

  // 0.03 of 110 MiB in three stretches of twelve hours, which are some eight of the ten minutes
  test("tells what could not be seen in so short a look", () => {
    expect(text()).toContain("growth slower than 24.0 MiB/h cannot be seen in 10 min");
  });

  test("without a leak names a longer look and what it would see", () => {
    expect(text({ seen: [seen({ verdict: "stable", alert: undefined })] })).toContain(
      "--for 1h those from 4.01 MiB/h on",
    );
  });

  test("of a look that was cut short says why it tells nothing", () => {
    const report = text({
      seen: [seen({ verdict: "stable", alert: undefined })],
      endedEarly: "the command ended with exit code 3",
      took: 70,
    });
    expect(report).toMatch(/^stable so far server\.js/);
    expect(report).toContain("It cannot be told: the command ended with exit code 3, 1 min of 10 min were seen.");
    expect(report).not.toContain("--for");
  });

  test("writes out what a terminal would act on in names: the first, the others, as text and as JSON", () => {
    const group = `${evil} ::error::here`;
    const hostile = outcome({ seen: [seen({ group }), seen({ group, pid: 4243, verdict: "stable" })] });
    const report = renderText(hostile, { colour: false });
    expect(report).not.toMatch(active);
    expect(report).toContain(`${shownEvil} ::error::here (pid 4242), seen for`);
    expect(report.replace(/\s+/g, " ")).toContain(`::error::here (pid 4243) stable`);
    const json = JSON.stringify(asJson(hostile, "0.1.0"), undefined, 2);
    expect(json).not.toMatch(active);
    expect(JSON.parse(json).processes[0].group).toBe(`${shownEvil} ::error::here`);
  });

  test("keeps its own colours", () => {
    const report = renderText(outcome({ seen: [seen({ group: evil })] }), { colour: true });
    expect(report.startsWith("\u001b[31m")).toBe(true);
    expect(stripVTControlCharacters(report)).not.toMatch(active);
    expect(stripVTControlCharacters(report)).toContain(shownEvil);
  });

  test("cuts long names", () => {
    const long = outcome({ seen: [seen({ group: "x".repeat(1e6) }), seen({ group: "y".repeat(1e6) })] });
    expect(renderText(long, { colour: false }).length).toBeLessThan(3000);
    expect(JSON.stringify(asJson(long, "0.1.0")).length).toBeLessThan(3000);
  });

  test("has the same in JSON, with null for what is not known", () => {
    const json = asJson(outcome({ seen: [seen({ confidence: undefined })] }), "0.1.0");
    expect(json).toMatchObject({ exit_code: 1, verdict: "leaking", ended_early: null, planned_seconds: 600 });
    expect(json.processes[0]).toMatchObject({ pid: 4242, confidence_ratio: null, limit_bytes: 512 * MiB });
  });
});

describe("a sparkline", () => {
  test.each([
    ["a rise", [100, 120, 140, 160, 180, 200, 220, 240], "▁▂▃▄▅▆▇█"],
    ["small noise on a level", [1000, 1003, 1000, 1004], "▁▁▁▁"],
    ["a hole", [100, Number.NaN, 200], "▁█"],
    ["nothing", [], ""],
  ])("of %s", (_, values, line) => {
    expect(sparkline(values)).toBe(line);
  });

  test("takes means when there are more values than bars", () => {
    expect(sparkline([0, 2, 7, 9], 2)).toBe("▁█");
  });
});
