import { afterEach, describe, expect, test, vi } from "vitest";
import { painter, wantsColour } from "../../exporter/terminal/colour.ts";

describe("colours", () => {
  const isTTY = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
  afterEach(() => {
    vi.unstubAllEnvs();
    if (isTTY === undefined) Reflect.deleteProperty(process.stdout, "isTTY");
    else Object.defineProperty(process.stdout, "isTTY", isTTY);
  });

  test.each([
    [true, "at a terminal", { isTTY: true }],
    [false, "in a file", { isTTY: false }],
    [false, "at a terminal of somebody who wants none", { isTTY: true, NO_COLOR: "1" }],
    [true, "where NO_COLOR is empty", { isTTY: true, NO_COLOR: "" }],
    [true, "in a file when asked for", { isTTY: false, FORCE_COLOR: "1" }],
    [false, "in a file when FORCE_COLOR is 0", { isTTY: false, FORCE_COLOR: "0" }],
    [false, "when both are asked for", { isTTY: true, NO_COLOR: "1", FORCE_COLOR: "1" }],
  ])("%s %s", (expected, _, { isTTY: terminal, NO_COLOR = "", FORCE_COLOR = "" }: Surroundings) => {
    vi.stubEnv("NO_COLOR", NO_COLOR);
    vi.stubEnv("FORCE_COLOR", FORCE_COLOR);
    Object.defineProperty(process.stdout, "isTTY", { value: terminal, configurable: true });
    expect(wantsColour()).toBe(expected);
  });

  test("are around the text, or not at all", () => {
    expect(painter(true)("red", "leaking")).toBe("\u001b[31mleaking\u001b[39m");
    expect(painter(false)("red", "leaking")).toBe("leaking");
  });
});

interface Surroundings {
  isTTY: boolean;
  NO_COLOR?: string;
  FORCE_COLOR?: string;
}
