import { PassThrough } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { progressBar, statusLine } from "../../exporter/terminal/progress.ts";

/** A stream that says whether it is a terminal, and what was written to it. */
function stream(isTTY: boolean, columns?: number) {
  const text = new PassThrough({ encoding: "utf8" });
  return Object.assign(text, { isTTY, columns }) as unknown as NodeJS.WriteStream & PassThrough;
}

test("in a narrow terminal neither is broken into two lines, which could not be written over", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const terminal = stream(true, 20);
  const bar = progressBar("traces", 4, terminal);
  vi.advanceTimersByTime(200);
  bar.advance();
  statusLine(terminal).draw(() => "leakwatch: 1 min of 6 min, 45 MiB");
  vi.useRealTimers();
  expect(terminal.read()).toBe("\r█░░░░ 1 of 4 traces\r\u001b[Kleakwatch: 1 min of");
});

describe("a progress bar", () => {
  test("is redrawn in place, and gone at the end", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const terminal = stream(true);
    const bar = progressBar("traces", 4, terminal);
    for (let i = 0; i < 2; i++) {
      vi.advanceTimersByTime(200);
      bar.advance();
    }
    bar.end();
    vi.useRealTimers();
    expect(terminal.read()).toBe(
      [
        "\r████████░░░░░░░░░░░░░░░░░░░░░░ 1 of 4 traces",
        "\r███████████████░░░░░░░░░░░░░░░ 2 of 4 traces",
        "\r\u001b[K",
      ].join(""),
    );
  });

  test("is not drawn more often than ten times a second", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    vi.advanceTimersByTime(1000);
    const terminal = stream(true);
    const bar = progressBar("traces", 1000, terminal);
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(5); // half a second for all
      bar.advance();
    }
    vi.useRealTimers();
    expect(terminal.read()?.match(/\r/g)).toHaveLength(5);
  });

  test.each([
    ["into a file", false, 100],
    ["for a single step", true, 1],
  ])("is not drawn %s", (_, isTTY, total) => {
    const output = stream(isTTY);
    const bar = progressBar("traces", total, output);
    bar.advance();
    bar.end();
    expect(output.read()).toBeNull();
  });
});

describe("a status line", () => {
  test("is written over once a second, and gone at the end", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const terminal = stream(true);
    const line = statusLine(terminal);
    for (let i = 0; i < 5; i++) {
      line.draw(() => `${i}`);
      vi.advanceTimersByTime(400);
    }
    line.clear();
    vi.useRealTimers();
    expect(terminal.read()).toBe("\r\u001b[K0\r\u001b[K3\r\u001b[K");
  });

  test("is one line a minute where nobody watches, so that a log shows that it goes on", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const output = stream(false);
    const line = statusLine(output);
    for (let second = 0; second <= 150; second++) {
      line.draw(() => `${second} s`);
      vi.advanceTimersByTime(1000);
    }
    line.clear();
    vi.useRealTimers();
    expect(output.read()).toBe("60 s\n120 s\n");
  });
});
