import { describe, expect, test } from "vitest";
import { foreignText, shownLine, shownName, shownValues } from "../../exporter/terminal/shown-text.ts";
import { evil, shownEvil } from "../support/foreign.ts";

describe("text of others", () => {
  test("has every character written out", () => {
    expect(foreignText(evil)).toBe(shownEvil.replace("\\x23", "#"));
    expect(shownName(evil)).toBe(shownEvil);
    expect(shownLine(`  ${evil}`)).toBe(`  ${shownEvil}`);
  });

  test("is cut", () => {
    expect(Buffer.byteLength(shownName("ä".repeat(1000)))).toBeLessThanOrEqual(128);
    expect(Buffer.byteLength(foreignText("\u001b".repeat(10_000_000)))).toBeLessThanOrEqual(300);
  });

  test("loses what looks like a secret", () => {
    expect(foreignText('Get "http://me:hunter2@shop/metrics?token=hunter2": EOF')).not.toContain("hunter2");
    expect(foreignText("refused: Authorization: Bearer hunter2")).not.toContain("hunter2");
    expect(foreignText("refused: password=hunter2 of PGPASSWORD=hunter2")).not.toContain("hunter2");
  });

  test.each(["the last pass was 60 s ago", "unexpected token in a query", "bad password file"])(
    "keeps what only speaks of secrets: %s",
    (text) => expect(foreignText(text)).toBe(text),
  );

  test("of megabytes takes no time", () => {
    const started = performance.now();
    for (const unit of ["a", "=", "@", "://", "a=", " ", "bearer ", "'"]) foreignText(unit.repeat(5_000_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each([7, null, undefined, {}, ["a"]])("is none where a server sends %j", (value) => {
    expect(foreignText(value)).toBe("");
  });

  test.each([
    ["::error::forged", "\\x3a:error::forged"],
    ["  ::add-mask::a", "  \\x3a:add-mask::a"],
    ["at ::1", "at ::1"],
    ["a ##[error]b", "a \\x23#[error]b"],
  ])("is no command to GitHub's runner: %s", (line, shown) => {
    expect(shownLine(line)).toBe(shown);
  });

  test("in JSON: keys and values, and long ones that differ stay two", () => {
    const [a, b] = ["a", "b"].map((end) => "long".repeat(1000) + end);
    const shown = shownValues({ [evil]: [evil, 1, null], a, b });
    expect(shown).toMatchObject({ [shownEvil]: [shownEvil, 1, null] });
    expect(shown["a"]).not.toBe(shown["b"]);
    expect(Buffer.byteLength(JSON.stringify(shown))).toBeLessThan(2000);
    expect(shownValues(shownValues(evil))).toBe(shownEvil);
  });
});
