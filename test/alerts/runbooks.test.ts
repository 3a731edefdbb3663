// Runbooks are read when there is no time: their queries run, their links lead somewhere, and all have the same parts.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { dump } from "js-yaml";
import { describe, expect, onTestFinished, test } from "vitest";
import { promtool } from "./promtool.ts";
import { knownSeries, seriesIn } from "./series-in.ts";

const folder = fileURLToPath(new URL("../../alerts/runbooks", import.meta.url));
const pages = fs.readdirSync(folder).map((file) => ({ file, text: fs.readFileSync(path.join(folder, file), "utf8") }));

/** What stands between the fences, wherever they are indented. */
const queriesIn = (text: string) =>
  [...text.matchAll(/^ *```promql\n([\s\S]*?)^ *```$/gm)].map(([, query]) => (query ?? "").trim());

const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

describe.each(pages)("$file", ({ file, text }) => {
  test("has queries over series that exist", () => {
    const names = queriesIn(text).flatMap(seriesIn);
    expect(names.filter((name) => !knownSeries.has(name))).toEqual([]);
  });

  test("has links that lead somewhere", () => {
    for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
      const [page = "", part] = target.split("#");
      const linked = page === "" ? path.join(folder, file) : path.join(folder, page);
      expect(fs.existsSync(linked), target).toBe(true);
      if (part === undefined) continue;
      const headings = [...fs.readFileSync(linked, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        anchor(title ?? ""),
      );
      expect(headings).toContain(part);
    }
  });
});

// finding-the-cause.md is a page for all of them, not one of an alert
describe.each(pages.filter(({ file }) => file.startsWith("Leakwatch")))("$file", ({ text }) => {
  test("says what to do first, in numbered steps or not at all", () => {
    const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(parts).toEqual(["How sure", "First steps", "Find the cause", "When it resolves", "When it is wrong"]);
    expect(text).toMatch(/^# \w+\n\n\*\*[^*]+\.\*\*\n/); // the alert in one sentence
    expect(text).toMatch(/^## First steps\n\n(1\. |Nothing|Go back to sleep)/m);
    expect(text.split("\n").length).toBeLessThan(100); // a page
  });
});

test("promtool can read every query", async () => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-runbooks-"));
  onTestFinished(() => fs.rmSync(temporary, { recursive: true }));
  const rules = pages.flatMap(({ file, text }) =>
    queriesIn(text).map((expr, i) => ({ record: `query${i}`, expr, labels: { file } })),
  );
  expect(rules.length).toBeGreaterThan(40);
  const rulesFile = path.join(temporary, "rules.yml");
  fs.writeFileSync(rulesFile, dump({ groups: [{ name: "runbooks", rules }] }));
  expect(await promtool("check", "rules", rulesFile)).toMatchObject({ ok: true });
});
