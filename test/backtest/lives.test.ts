// Where lives begin, when start times are right, wrong or missing.

import { describe, expect, test } from "vitest";
import { Lives, type StartSource } from "../../exporter/backtest/lives.ts";

type Row = [minute: number, mib: number, start?: number, label?: string];

/** Minutes at which lives begin, as the judge is told: the start of each row. */
function starts(source: StartSource, rows: readonly Row[]) {
  const lives = new Lives(source);
  const told = rows.map(([minute, mib, start = Number.NaN, label = ""]) =>
    lives.add({ time: minute * 60, bytes: mib, startTime: start * 60, label }),
  );
  return { starts: told.map((seconds) => seconds / 60), evidence: lives.evidence };
}

const evidence = (some: object) => ({ startTime: 0, labels: 0, falls: 0, wandered: 0, ...some });

describe("a container's start time that stays", () => {
  test("while memory falls to the level of a fresh start: a new life", () => {
    const found = starts("creation", [
      [0, 300, -9],
      [1, 600, -9],
      [2, 1000, -9],
      [4, 310, -9],
      [5, 500, -9],
      [6, 320, -9],
    ]);
    expect(found.starts).toEqual([-9, -9, -9, 4, 4, 4]);
    expect(found.evidence).toEqual(evidence({ falls: 1 }));
  });

  test("while memory falls, but not as low as after a start: the same life", () => {
    const found = starts("creation", [
      [0, 300, -9],
      [1, 1000, -9],
      [2, 480, -9],
    ]);
    expect(found.starts).toEqual([-9, -9, -9]);
  });

  test("and the first life is only seen in its middle: the lowest that was seen counts", () => {
    expect(
      starts("creation", [
        [0, 900, -9],
        [1, 1000, -9],
        [2, 300, -9],
      ]).starts,
    ).toEqual([-9, -9, 2]);
  });
});

describe("a process' start time that stays", () => {
  test("while memory is given back between two scrapes: the same life", () => {
    const batch: Row[] = [
      [0, 200, -9],
      [1, 2000, -9],
      [2, 200, -9],
      [3, 2000, -9],
      [4, 200, -9],
    ];
    expect(starts("process", batch).evidence).toEqual(evidence({}));
  });

  test("while a scrape is missing and most of the memory is gone: a new life", () => {
    const found = starts("process", [
      [0, 200, -9],
      [1, 900, -9],
      [2, 1000, -9],
      [4, 200, -9],
    ]);
    expect(found.starts).toEqual([-9, -9, -9, 4]);
  });
});

describe("a start time that moves", () => {
  test("to after the last sample: a new life", () => {
    const found = starts("process", [
      [0, 300, -9],
      [1, 400, -9],
      [3, 390, 2],
    ]);
    expect(found).toEqual({ starts: [-9, -9, 2], evidence: evidence({ startTime: 1 }) });
  });

  test("to before the last sample, as of a clock that was set: the same life", () => {
    const found = starts("process", [
      [0, 300, -9],
      [10, 400, -9],
      [11, 390, 5],
      [12, 391, 5],
    ]);
    expect(found).toEqual({ starts: [-9, -9, -9, -9], evidence: evidence({ wandered: 1 }) });
  });

  test("to before it, while most of the memory is gone: a new life, from then on", () => {
    const found = starts("process", [
      [0, 300, -9],
      [10, 1000, -9],
      [11, 290, 5],
    ]);
    expect(found.starts).toEqual([-9, -9, 11]);
  });

  test("back is no restart", () => {
    expect(
      starts("process", [
        [0, 300, -9],
        [1, 300, -60],
        [2, 300, -9.1],
      ]).starts,
    ).toEqual([-9, -9, -9]);
  });

  test("that is missing for a while holds", () => {
    expect(
      starts("process", [
        [0, 300, -9],
        [1, 300],
        [2, 300, -9],
      ]).starts,
    ).toEqual([-9, -9, -9]);
  });

  test("that is first known of the second life ends the first", () => {
    expect(
      starts("creation", [
        [0, 300],
        [1, 300],
        [3, 300, 2],
      ]).starts,
    ).toEqual([Number.NaN, Number.NaN, 2]);
  });

  test("by seconds, where it is exact: another life each, unless it was computed anew", () => {
    expect(
      starts("exact", [
        [0, 300, -9],
        [0.2, 300, 0.1],
        [0.4, 300, 0.11],
      ]).starts,
    ).toEqual([-9, 0.1, 0.1]);
  });
});

describe("without a start time", () => {
  test("half of the memory gone at once is a restart, a slow fall is none", () => {
    expect(
      starts("none", [
        [0, 300],
        [1, 1000],
        [2, 320],
      ]).evidence,
    ).toEqual(evidence({ falls: 1 }));
    expect(
      starts("none", [
        [0, 300],
        [1, 1000],
        [2, 700],
        [3, 500],
        [4, 320],
      ]).evidence,
    ).toEqual(evidence({}));
  });

  test("after a gap less is enough", () => {
    expect(
      starts("none", [
        [0, 300],
        [1, 400],
        [2, 310],
      ]).evidence,
    ).toEqual(evidence({}));
    expect(
      starts("none", [
        [0, 300],
        [1, 400],
        [10, 310],
      ]).evidence,
    ).toEqual(evidence({ falls: 1 }));
  });

  test("labels of another container are a restart", () => {
    const found = starts("none", [
      [0, 300, Number.NaN, "a"],
      [1, 310, Number.NaN, "b"],
    ]);
    expect(found).toEqual({ starts: [Number.NaN, 1], evidence: evidence({ labels: 1 }) });
  });
});

test("labels that change while the start time stays are no restart: they were changed on the way", () => {
  expect(
    starts("creation", [
      [0, 300, -9, "a"],
      [1, 310, -9, "b"],
    ]).starts,
  ).toEqual([-9, -9]);
});
