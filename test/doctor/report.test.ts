import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { type Finding, failure, ok, unknown, warning } from "../../exporter/doctor/finding.ts";
import { asJson, renderText } from "../../exporter/doctor/report.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

const fine: Finding = { id: "a.b", section: "Processes", ...ok("3 processes can be seen.", ["api (2)", "db"]) };
const worse: Finding = { id: "a.c", section: "Processes", ...warning("One is hidden.", "Look for it.") };
const bad: Finding = { id: "b.c", section: "Rights", ...failure("Nothing can be read.", "Ask root.") };
const unsure: Finding = { id: "b.d", section: "Rights", ...unknown("Who knows.") };
const plain = { colour: false, verbose: false };

describe("text", () => {
  test("sections, words beside the marks, advice below", () => {
    expect(renderText([fine, worse, bad], plain)).toBe(`Processes
  ✔ ok      3 processes can be seen.
  ▲ warning One is hidden.
            → Look for it.

Rights
  ✖ failure Nothing can be read.
            → Ask root.

It cannot work like this. 1 failure and 1 warning in 3 checks.
`);
  });

  test.each([
    ["all is fine", [fine], "All is fine. 1 check."],
    ["what is unknown is not worse", [fine, unsure], "All is fine. 1 unknown in 2 checks."],
    ["a warning", [fine, worse], "It works, and could be better. 1 warning in 2 checks."],
  ])("closes with a sentence: %s", (_, findings, sentence) => {
    expect(renderText(findings, plain).trimEnd().split("\n").at(-1)).toBe(sentence);
  });

  test("verbose: the id and the names", () => {
    expect(renderText([fine], { ...plain, verbose: true })).toContain(
      "            · id: a.b\n            · api (2)\n            · db\n",
    );
  });

  test("colours change nothing but the colours", () => {
    const findings = [fine, worse, bad, unsure];
    const coloured = renderText(findings, { ...plain, colour: true });
    expect(coloured).toContain("\u001b[32m");
    expect(stripVTControlCharacters(coloured)).toBe(renderText(findings, plain));
  });

  test("no line is longer than 100 columns", () => {
    const long = {
      ...worse,
      sentence: "word ".repeat(60).trim(),
      advice: "hint ".repeat(60).trim(),
      details: ["name ".repeat(60).trim()],
    };
    const lines = renderText([long], { ...plain, verbose: true, notAsked: ["somebody ".repeat(20).trim()] }).split(
      "\n",
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.length).toBeGreaterThan(12);
  });

  test("what was not asked", () => {
    expect(renderText([fine], { ...plain, notAsked: ["Prometheus (--prometheus-url)"] })).toMatch(
      /\nNot asked: Prometheus \(--prometheus-url\)\.\n$/,
    );
  });
});

describe("JSON", () => {
  test.each([
    [[fine, unsure], "ok", 0],
    [[fine, worse], "warning", 1],
    [[worse, bad], "failure", 2],
  ] as const)("status and exit code", (findings, status, exitCode) => {
    expect(asJson(findings, "0.1.0")).toEqual({ version: "0.1.0", status, exit_code: exitCode, findings });
  });
});

describe("what others chose", () => {
  const hostile: Finding = { ...worse, sentence: `See ${evil}.`, advice: `Not ${evil}.`, details: [evil, "::error::"] };

  test("is written out, as text and as JSON; our own colours stay", () => {
    const text = renderText([hostile], { ...plain, verbose: true });
    expect(text).not.toMatch(active);
    expect(text.replace(/\s+/g, " ")).toContain(`See ${shownEvil}.`);
    const coloured = renderText([hostile], { colour: true, verbose: true });
    expect(coloured).toContain("\u001b[33m");
    expect(stripVTControlCharacters(coloured)).toBe(text);
    const json = JSON.stringify(asJson([hostile], "0.1.0"), undefined, 2);
    expect(json).not.toMatch(active);
    expect(JSON.parse(json).findings[0]).toMatchObject({
      sentence: `See ${shownEvil}.`,
      advice: `Not ${shownEvil}.`,
      details: [shownEvil, "::error::"],
    });
  });

  test("is cut: sentences, details, and their number", () => {
    const long = "long ".repeat(100_000);
    const endless = { ...worse, sentence: long, advice: long, details: Array<string>(5000).fill(long) };
    const [found] = asJson([endless], "0.1.0").findings;
    expect(Buffer.byteLength(found?.sentence ?? "")).toBeLessThanOrEqual(4096);
    expect(found?.details).toHaveLength(1001);
    expect(found?.details?.at(-1)).toBe("and 4000 more");
    expect(renderText([endless], { ...plain, verbose: true }).length).toBeLessThan(2e6);
  });
});
