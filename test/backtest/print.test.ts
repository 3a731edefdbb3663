// What a backtest prints and writes when names are as somebody else likes them.

import { describe, expect, test } from "vitest";
import type { HistoryReport } from "../../exporter/backtest/history.ts";
import { renderEpisodes, renderHistory, renderScore } from "../../exporter/backtest/print.ts";
import type { EpisodeReport, FoundReport, Report, SlotFoundReport } from "../../exporter/backtest/report.ts";
import { jsonOf } from "../../exporter/backtest/run.ts";
import { score } from "../../exporter/backtest/score.ts";
import { MiB } from "../support/fixtures.ts";
import { active, evil, shownEvil } from "../support/foreign.ts";

const commands = `::error::${evil}`;
const long = "x".repeat(100_000);

const episode: EpisodeReport = {
  alert: "LeakwatchMemoryLeak",
  severity: "critical",
  class: "leak",
  slot: evil,
  start: 60,
  end: null,
};

const slot: SlotFoundReport = {
  slot: evil,
  word: "leaking",
  severity: 3,
  since: 60,
  last_seen: null,
  growth_bytes_per_second: (12 * MiB) / 3600,
  time_to_oom_seconds: 9 * 3600,
  reasons: [evil],
};

const found: FoundReport = { word: "masked_leak", severity: 2, since: 60, slots: [slot, { ...slot, slot: "1" }] };

const traces: Report = {
  step_seconds: 60,
  engine: "judge",
  traces: [commands, long].map((id) => ({ id, episodes: [episode], found, time_to_oom: [[60, 3600]] })),
};

const history: HistoryReport = {
  step_seconds: 60,
  engine: "judge",
  from: 1_750_000_000,
  to: 1_750_010_000,
  what: evil,
  notes: [evil],
  url: `http://${evil}`,
  processes: 4,
  named: 2,
  alerts: [{ alert: episode.alert, severity: "critical", class: "leak", per_week: 1 }],
  traces: [commands, long].map((id) => ({
    id,
    labels: { [evil]: evil, group: id },
    processes: 2,
    names: { [evil]: evil, 1: "web-1" },
    episodes: [episode],
    found,
  })),
};

const families = score(
  traces,
  new Map(),
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
    ["traces", renderEpisodes(traces, 0, [evil])],
    ["a history", renderHistory(history)],
    ["a score", renderScore(families)],
  ])("%s: names are cut and written out", (_, text) => {
    expect(text).not.toMatch(active);
    expect(text).toContain(shownEvil);
    expect(text.length).toBeLessThan(5000);
  });

  test("no row is a command to GitHub's runner", () => {
    expect(renderEpisodes(traces, 0, [evil])).toContain(`\n\\x3a:error::${shownEvil} `);
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

describe("what is found at the end", () => {
  const one = (says: Partial<FoundReport>): string =>
    renderEpisodes(
      {
        ...traces,
        traces: [{ id: "web", episodes: [], time_to_oom: [], found: { ...found, word: "stable", ...says } }],
      },
      0,
      [],
    );
  const plain: SlotFoundReport = { ...slot, slot: "0", reasons: [] };
  const since = Date.UTC(2026, 2, 2, 14, 10) / 1000;

  test.each<[string, Partial<FoundReport>, string]>([
    [
      "a leak, in words and numbers",
      { slots: [{ ...plain, since }] },
      "web  leaking since 2026-03-02 14:10 (+12.0 MiB/h, OOM in about 9 h)",
    ],
    [
      "what is not known is not said",
      { slots: [{ ...plain, since, growth_bytes_per_second: null, time_to_oom_seconds: null }] },
      "web  leaking since 2026-03-02 14:10",
    ],
    [
      "a masked leak, of the service",
      { word: "masked_leak", since, slots: [] },
      "web  masked leak since 2026-03-02 14:10",
    ],
    [
      "a reason, where the judge gives one",
      { slots: [{ ...plain, since, reasons: ["straight for 2 h"] }] },
      "9 h)  straight for 2 h",
    ],
    [
      "words without news, counted",
      {
        slots: [
          { ...plain, word: "stable" },
          { ...plain, slot: "1", word: "stable" },
        ],
      },
      "web  stable (2)",
    ],
    ["nothing that runs", { slots: [{ ...plain, last_seen: 60 }] }, "web  not running at the end"],
  ])("%s", (_, says, line) => {
    expect(one(says)).toContain(line);
  });

  test("nothing but a header", () => {
    expect(one({ word: "collecting", since: null, slots: [] })).toContain("web  no samples");
  });

  test("how many alerts there are a week, for each process", () => {
    const twoWeeks = 14 * 86_400;
    expect(renderEpisodes(traces, 2 * twoWeeks, [])).toContain(
      "0 of 2 traces without an alert. 2 alerts, 0.5 a week and process.\n",
    );
  });

  test("what could not be read, at the end", () => {
    expect(renderEpisodes(traces, 0, ["3 rows without a value"])).toMatch(
      /\nLimits of this run\n {2}3 rows without a value\n$/,
    );
  });

  test("many slots with news are cut, and counted", () => {
    const slots = Array.from({ length: 40 }, (_, i) => ({ ...plain, slot: String(i) }));
    expect(one({ slots })).toContain("and 30 more of 40");
  });
});
