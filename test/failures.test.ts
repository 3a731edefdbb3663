import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Failures } from "../exporter/failures.ts";
import { FormatError, TimeoutError, UntrustedFileError } from "../exporter/kernel/files.ts";
import { createLogger } from "../exporter/log.ts";

const minute = 60_000;
const hour = 60 * minute;
const denied = () => Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
const io = () => Object.assign(new Error("EIO: i/o error"), { code: "EIO" });

/** Failures, and the lines that were logged of them. */
function failures() {
  const lines: string[] = [];
  const log = createLogger("debug", "logfmt", (line) => lines.push(line.replace(/^time=\S+ /, "").trimEnd()));
  return { failed: new Failures(log), lines };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("failures are counted", () => {
  test("by file and reason, whatever they are of", () => {
    const { failed } = failures();
    failed.add("smaps_rollup", denied(), "node");
    failed.add("smaps_rollup", denied(), "api");
    failed.add("smaps_rollup", io(), "node");
    failed.add("status", denied(), "node");
    expect([...failed]).toEqual([
      { file: "smaps_rollup", reason: "permission", count: 2 },
      { file: "smaps_rollup", reason: "io", count: 1 },
      { file: "status", reason: "permission", count: 1 },
    ]);
  });

  test("also when nothing of them is logged any more", () => {
    const { failed } = failures();
    for (let i = 0; i < 5000; i++) failed.add("status", denied(), `process ${i}`);
    expect([...failed]).toEqual([{ file: "status", reason: "permission", count: 5000 }]);
  });

  test.each([
    ["permission", denied()],
    ["io", io()],
    ["gone", Object.assign(new Error("x"), { code: "ESRCH" })],
    ["absent", Object.assign(new Error("x"), { code: "ENOENT" })],
    ["format", new FormatError("no field Rss")],
    ["untrusted", new UntrustedFileError("a pipe")],
    ["timeout", new TimeoutError("no answer")],
    ["io", new Error("anything else")],
  ])("as %s, which is given back", (reason, error) => {
    expect(failures().failed.add("status", error, "node")).toBe(reason);
  });
});

describe("failures are logged", () => {
  test("with the file, whose it is, the reason and the error", () => {
    const { failed, lines } = failures();
    failed.add("smaps_rollup", denied(), "node");
    expect(lines).toEqual([
      'level=warn msg="cannot read smaps_rollup" of=node reason=permission error="EACCES: permission denied"',
    ]);
  });

  test("once per cause", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 100; i++) {
      failed.add("status", denied(), "node");
      failed.add("status", io(), "node");
      failed.add("status", denied(), "api");
      failed.add("stat", denied(), "node");
    }
    expect(lines).toHaveLength(4);
  });

  test("again after an hour, and not before", () => {
    const { failed, lines } = failures();
    const beat = () => failed.add("status", denied(), "node");
    for (let minutes = 0; minutes <= 60; minutes++, vi.advanceTimersByTime(minute)) beat();
    expect(lines).toHaveLength(1);
    beat(); // 61 minutes
    expect(lines).toHaveLength(2);
    for (let minutes = 0; minutes < 60; minutes++, vi.advanceTimersByTime(minute)) beat();
    expect(lines).toHaveLength(2);
    vi.advanceTimersByTime(2 * minute);
    beat();
    expect(lines).toHaveLength(3);
  });

  test("after many quiet hours as well", () => {
    const { failed, lines } = failures();
    failed.add("status", denied(), "node");
    vi.advanceTimersByTime(100 * hour);
    failed.add("status", denied(), "node");
    failed.add("status", denied(), "node");
    expect(lines).toHaveLength(2);
  });

  test("without what a target may do to a terminal", () => {
    const { failed, lines } = failures();
    failed.add("status", new Error("a\u001b[2J\nb"), "x\u202ey\u2028z");
    expect(lines.join("\n")).toBe(
      'level=warn msg="cannot read status" of=x\\u202ey\\u2028z reason=io error=a\\x1b[2J\\x0ab',
    );
  });
});

describe("a thousand causes within an hour", () => {
  test("are logged, and then one line says that no more are", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 5000; i++) failed.add("status", denied(), `process-${i}`);
    expect(lines).toHaveLength(1001);
    expect(lines[999]).toContain("of=process-999 ");
    expect(lines[1000]).toBe('level=warn msg="too many different warnings; no more of them within this hour"');
  });

  test("are logged again an hour later, and so is the end of them", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 5000; i++) failed.add("status", denied(), `process-${i}`);
    vi.advanceTimersByTime(hour - minute);
    failed.add("status", denied(), "another");
    expect(lines).toHaveLength(1001);
    vi.advanceTimersByTime(2 * minute);
    for (let i = 4999; i >= 0; i--) failed.add("status", denied(), `process-${i}`);
    expect(lines).toHaveLength(2002);
    expect(lines[1001]).toContain("of=process-4999 ");
    expect(lines[2001]).toContain("too many different warnings");
  });

  test("are not reached by one cause that is repeated", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 5000; i++) failed.add("status", denied(), "node");
    failed.add("status", denied(), "api");
    expect(lines).toHaveLength(2);
  });
});

describe("other warnings", () => {
  test("are logged once per cause and hour, and are not counted", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 3; i++) failed.warnOnce("bound", "too many processes", { bound: "processes" });
    vi.advanceTimersByTime(hour + minute);
    failed.warnOnce("bound", "too many processes", { bound: "processes" });
    expect(lines).toEqual(Array(2).fill('level=warn msg="too many processes" bound=processes'));
    expect([...failed]).toEqual([]);
  });

  test("share the room with failures", () => {
    const { failed, lines } = failures();
    for (let i = 0; i < 1000; i++) failed.warnOnce(`cause ${i}`, "x", {});
    failed.add("status", denied(), "node");
    expect(lines.at(-1)).toContain("too many different warnings");
  });
});
