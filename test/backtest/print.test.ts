// What a backtest prints and writes when names are as somebody else likes them.

import { describe, expect, test } from "vitest";
import type { HistoryReport } from "../../exporter/backtest/history.ts";
import { renderEpisodes, renderHistory, renderScore } from "../../exporter/backtest/print.ts";
import type { EpisodeReport, Report } from "../../exporter/backtest/report.ts";
import { jsonOf } from "../../exporter/backtest/run.ts";
import { score } from "../../exporter/backtest/score.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

const commands = `::error::${evil}`;
const long = "x".repeat(100_000);

const episode: EpisodeReport = {
  alert: "LeakwatchMemoryLeakUrgent",
  severity: "critical",
  class: "leak",
  slot: evil,
  start: 60,
  end: null,
};

const traces: Report = {
  step_seconds: 60,
  engine: "builtin",
  traces: [commands, long].map((id) => ({ id, episodes: [episode], time_to_oom: [[60, 3600]] })),
};

const history: HistoryReport = {
  step_seconds: 60,
  engine: "builtin",
  from: 1_750_000_000,
  to: 1_750_010_000,
  what: evil,
  url: `http://${evil}`,
  processes: 4,
  named: 2,
  alerts: [{ alert: episode.alert, severity: "critical", class: "leak", per_week: 1 }],
  traces: [commands, long].map((id) => ({
    id,
    labels: { [evil]: evil, group: id },
    processes: 2,
    episodes: [episode],
  })),
};

const families = score(
  traces,
  [],
  [commands, long].map((id) => ({
    id,
    family: id,
    label: "leak",
    onset: 0,
    leak_rate_bytes_per_s: 1,
    oom_times: [],
  })),
);

describe("as text", () => {
  test.each([
    ["traces", renderEpisodes(traces)],
    ["a history", renderHistory(history)],
    ["a score", renderScore(families)],
  ])("%s: names are cut and written out", (_, text) => {
    expect(text).not.toMatch(active);
    expect(text).toContain(shownEvil);
    expect(text.length).toBeLessThan(5000);
  });

  test("no row is a command to GitHub's runner", () => {
    expect(renderEpisodes(traces)).toContain(`\n\\x3a:error::${shownEvil} `);
  });
});

describe("as JSON", () => {
  test.each([
    ["traces", traces],
    ["a history", history],
  ])("%s: names are cut and written out, those of labels too; numbers stay", (_, report) => {
    const text = [...jsonOf(report)].join("");
    expect(text).not.toMatch(active);
    expect(text.length).toBeLessThan(5000);
    const { traces: written, step_seconds } = JSON.parse(text);
    expect(step_seconds).toBe(60);
    expect(written[0]).toMatchObject({ id: `::error::${shownEvil}`, episodes: [{ ...episode, slot: shownEvil }] });
    expect(written[0].time_to_oom).toEqual("what" in report ? undefined : [[60, 3600]]);
    if ("what" in report) expect(written[0].labels[shownEvil]).toBe(shownEvil);
  });
});
