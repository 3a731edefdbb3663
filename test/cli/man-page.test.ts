// The manual page, as far as `npm run generate -- --check` does not hold it.

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { leakwatchProgram } from "../../exporter/cli/program.ts";
import { manPage } from "../../scripts/man-page.ts";

const page = manPage();

test("has every command and every option", () => {
  for (const command of leakwatchProgram().commands) {
    expect(page).toContain(`.SS leakwatch ${command.name()}\n`);
    for (const { flags } of command.options) expect(page).toContain(`.B ${flags.replaceAll("-", "\\-")}\n`);
  }
});

test("has no line that is taken for a request by mistake", () => {
  const requests = page.split("\n").flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []);
  const known = ['\\"', "TH", "SH", "SS", "TP", "PP", "B", "br", "nf", "fi"];
  expect(requests.filter((request) => !known.includes(request))).toEqual([]);
});

test("is read by groff without a warning", () => {
  const groff = "groff -man -ww -Tascii 2>&1 >/dev/null";
  expect(execFileSync("sh", ["-c", groff], { input: page, encoding: "utf8" })).toBe("");
});
