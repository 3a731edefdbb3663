import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { listTraces, readTrace } from "../../exporter/backtest/traces.ts";
import { temporaryFolder } from "../support/exporter-process.ts";

const header = "t_seconds,rss_bytes,limit_bytes,start_time_seconds,requests_per_second";

/** A folder of these files. */
function folder(files: Record<string, string | Buffer>): string {
  const place = temporaryFolder();
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(place, name), content);
  return place;
}

const read = (files: Record<string, string | Buffer>) => listTraces(folder(files)).map(readTrace);

describe("a folder of traces", () => {
  const rows = `${header}\n0,100,1000,-60,1\n60,110,1000,-60,2\n`;

  test("has a trace per id, and a member per slot", () => {
    const traces = read({ "api.csv": rows, "web.w0.csv": rows, "web.w12.csv": rows, "README.md": "", "x.json": "{}" });
    expect(traces.map(({ id, members }) => [id, members.map(({ slot }) => slot)])).toEqual([
      ["api", [0]],
      ["web", [0, 12]],
    ]);
  });

  test("may be compressed", () => {
    const [plain, packed] = read({ "a.csv": rows, "b.csv.gz": zlib.gzipSync(rows) });
    expect(packed?.members).toEqual(plain?.members);
    expect([...(plain?.members[0]?.resident ?? [])]).toEqual([100, 110]);
  });

  test("an id may hold dots", () => {
    expect(read({ "api.v2.csv": rows, "api.wide.csv": rows }).map(({ id }) => id)).toEqual(["api.v2", "api.wide"]);
  });

  test.each([
    ["that is not there", () => "/nowhere", "/nowhere: cannot be read: ENOENT"],
    ["without a trace", () => folder({ "notes.txt": "" }), "no files named <id>.csv or <id>.csv.gz"],
    [
      "with the same slot twice",
      () => folder({ "a.csv": rows, "a.w0.csv.gz": "" }),
      /\/a\.w0\.csv\.gz: .*\/a\.csv is slot 0 of this trace too$/,
    ],
  ])("%s is refused", (_, place, message) => {
    expect(() => listTraces(place())).toThrow(message);
  });
});

describe("a file", () => {
  test("has its columns in any order, and others that do not matter", () => {
    const [trace] = read({
      "a.csv": "rss_bytes,note,start_time_seconds,t_seconds,limit_bytes\r\n100,x,-60,0,1000\r\n",
    });
    expect(trace?.members[0]).toEqual({
      slot: 0,
      times: Float64Array.of(0),
      resident: Float64Array.of(100),
      limit: Float64Array.of(1000),
      startTime: Float64Array.of(-60),
    });
  });

  test("may say nothing of a limit", () => {
    const [trace] = read({ "a.csv": `${header}\n0,100,,-60,1\n` });
    expect([...(trace?.members[0]?.limit ?? [])]).toEqual([Number.NaN]);
  });

  test("may know nothing but time and memory: lives begin where most of the memory is gone", () => {
    const memory = [300, 310, 900, 301, 320];
    const [trace] = read({ "a.csv": `t_seconds,rss_bytes\n${memory.map((mib, i) => `${i * 60},${mib}\n`).join("")}` });
    expect([...(trace?.members[0]?.startTime ?? [])]).toEqual([Number.NaN, Number.NaN, Number.NaN, 180, 180]);
    expect([...(trace?.members[0]?.limit ?? [])]).toEqual(memory.map(() => Number.NaN));
    expect(trace?.gaps).toEqual({ empty: 0, zero: 0, withoutStart: 1, falls: 1 });
  });

  test("is judged by memory that cannot be given back, where it says it, and knows the runtime's limit", () => {
    const [trace] = read({
      "a.csv":
        "t_seconds,rss_bytes,anon_bytes,heap_limit_bytes,start_time_seconds\n0,500,100,256,-60\n60,500,110,,-60\n",
    });
    expect([...(trace?.members[0]?.resident ?? [])]).toEqual([100, 110]);
    expect([...(trace?.members[0]?.heapLimit ?? [])]).toEqual([256, Number.NaN]);
  });

  test.each([
    ["empty", "", { empty: 1, zero: 0 }],
    ["NaN", "nan", { empty: 1, zero: 0 }],
    ["0, as of a process that is just exiting", "0", { empty: 0, zero: 1 }],
  ])("a value of memory that is %s is a missing sample, and counted", (_, text, gaps) => {
    const [trace] = read({ "a.csv": `${header}\n0,100,1000,-60,1\n60,${text},1000,-60,1\n120,100,1000,-60,1\n` });
    expect([...(trace?.members[0]?.times ?? [])]).toEqual([0, 120]);
    expect(trace?.gaps).toMatchObject(gaps);
  });

  test("may have been written by a spreadsheet", () => {
    const [trace] = read({ "a.csv": "\uFEFFt_seconds, rss_bytes\r\n0, 100\r\n" });
    expect([...(trace?.members[0]?.resident ?? [])]).toEqual([100]);
  });

  test("may have no rows", () => {
    expect(read({ "a.csv": `${header}\n` })[0]?.members[0]?.times).toEqual(new Float64Array(0));
  });

  test.each([
    ["empty", "", "a.csv:1: no column t_seconds, got "],
    ["without a column", "t_seconds,limit_bytes,start_time_seconds\n", "a.csv:1: no column rss_bytes, got t_seconds,"],
    [
      "with a text for a number",
      `${header}\n0,100,1,0,1\n60,many,1,0,1\n`,
      'a.csv:3: rss_bytes: expected a number of bytes, got "many"',
    ],
    ["with less than nothing", `${header}\n0,-1,1,0,1\n`, 'a.csv:2: rss_bytes: expected a number of bytes, got "-1"'],
    ["without end", `${header}\n0,Infinity,1,0,1\n`, "a.csv:2: rss_bytes: expected a number of bytes"],
    [
      "with a start that is a date",
      `${header}\n0,1,1,2026-03-02,1\n`,
      "a.csv:2: start_time_seconds: expected a number,",
    ],
    ["with a row cut short", `${header}\n0,100,1\n`, "a.csv:2: expected 5 fields, got 3"],
    ["with an empty row", `${header}\n0,100,1,0,1\n\n60,100,1,0,1\n`, "a.csv:3: expected 5 fields, got 1"],
    ["without a time", `${header}\nNaN,100,1,0,1\n`, 'a.csv:2: t_seconds: expected a number, got "NaN"'],
    ["that goes back in time", `${header}\n60,1,1,0,1\n0,1,1,0,1\n`, "a.csv:3: t_seconds must rise from row to row"],
    ["with a time twice", `${header}\n0,1,1,0,1\n60,1,1,0,1\n60,2,1,0,1\n`, "a.csv:4: t_seconds must rise"],
  ])("%s is refused, with the line", (_, text, message) => {
    expect(() => read({ "a.csv": text })).toThrow(message);
  });

  test("that is not compressed, though its name says so, is refused", () => {
    expect(() => read({ "a.csv.gz": "t_seconds" })).toThrow(/a\.csv\.gz: not a gzip file: incorrect header check$/);
  });

  test("that is large only when it is unpacked is refused", () => {
    const bomb = zlib.gzipSync(Buffer.alloc(300 * 1024 ** 2, "0"));
    expect(bomb.length).toBeLessThan(1024 ** 2);
    expect(() => read({ "a.csv.gz": bomb })).toThrow(/a\.csv\.gz: larger than 256 MiB when unpacked$/);
  });

  test("that is a folder is refused", () => {
    const place = folder({});
    fs.mkdirSync(path.join(place, "a.csv"));
    expect(() => listTraces(place).map(readTrace)).toThrow(/a\.csv: cannot be read: EISDIR/);
  });
});
