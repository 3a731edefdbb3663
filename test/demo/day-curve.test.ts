// The load of the demo: a day's shape, and requests that follow it.

import { spawn } from "node:child_process";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { clock, shareOfPeak } from "../../demo/load/day-curve.js";

describe("a day", () => {
  test("peaks once, at eight in the evening", () => {
    const minutes = Array.from({ length: 1440 }, (_, minute) => minute / 60);
    const highest = Math.max(...minutes.map(shareOfPeak));
    expect(highest).toBe(1);
    expect(minutes.filter((hour) => shareOfPeak(hour) === highest)).toEqual([20]);
  });

  test("is nearly still from midnight to seven, but never quite", () => {
    for (let hour = 0; hour <= 7; hour += 0.25) expect(shareOfPeak(hour)).toBe(0.02);
  });

  test.each([
    ["halfway up in the morning", 8, 0.16],
    ["lower at lunch than before", 13.5, 0.6],
    ["a quarter of an hour before midnight", 23.75, 0.08],
  ])("is %s", (_, hour, share) => {
    expect(shareOfPeak(hour)).toBeCloseTo(share);
  });

  test("begins anew after midnight", () => {
    expect(shareOfPeak(24)).toBe(shareOfPeak(0));
    expect(shareOfPeak(24 + 20)).toBe(1);
    expect(shareOfPeak(-4)).toBe(1);
  });

  test("has no jump, not even at midnight", () => {
    for (let hour = 0; hour < 24; hour += 1 / 60) {
      expect(Math.abs(shareOfPeak(hour + 1 / 60) - shareOfPeak(hour))).toBeLessThan(0.01);
    }
  });

  test.each([
    [0, "00:00"],
    [9.5, "09:30"],
    [33.75, "09:45"],
    [9.1, "09:06"], // 9.1 * 60 is 545.9999999999999
  ])("shows hour %d as %s", (hour, text) => {
    expect(clock(hour)).toBe(text);
  });
});

describe("load.js", () => {
  const program = fileURLToPath(new URL("../../demo/load/load.js", import.meta.url));

  test("sends to every target, and tells in one line what came of it", async () => {
    let enough = () => {};
    const twenty = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const paths: string[] = [];
    const server = http.createServer((request, response) => {
      paths.push(request.url ?? "");
      if (paths.filter((path) => path === "/work").length >= 20) enough();
      response.writeHead(request.url === "/work" ? 200 : 500).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { output, ended } = run({
      TARGETS: `${url}/work, ${url}/broken`,
      PEAK_RPS: "100",
      START_HOUR: "20",
      DAY_MINUTES: "1440",
    });
    await twenty;
    ended.stop();
    expect(await ended.code).toBe(0);
    expect(output()).toMatch(
      /^day 1 20:00 \| 100\.0 of 100 requests\/s each \| 127\.0\.0\.1 \d+ done \| 127\.0\.0\.1 0 done, \d+ failed\n$/,
    );
    // each target gets the same
    const counts = ["/work", "/broken"].map((path) => paths.filter((other) => other === path).length);
    expect(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0))).toBeLessThanOrEqual(50); // as many may be open at once
  });

  test("goes on when a target is not there", async () => {
    const { output, ended } = run({ TARGETS: "http://127.0.0.1:1/work", PEAK_RPS: "100", START_HOUR: "20" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    ended.stop();
    expect(await ended.code).toBe(0);
    expect(output()).toMatch(/127\.0\.0\.1 0 done, \d+ failed\n$/);
  });

  test("says which setting is no number", async () => {
    const { output, ended } = run({ PEAK_RPS: "many" });
    expect(await ended.code).toBe(2);
    expect(output()).toBe('PEAK_RPS must be a positive number, not "many"\n');
  });

  function run(env: Record<string, string>) {
    const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        output += text;
      });
    }
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { output: () => output, ended: { code, stop: () => child.kill("SIGTERM") } };
  }
});
