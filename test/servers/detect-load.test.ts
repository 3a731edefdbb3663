// `leakwatch detect` on what is loaded, and on a heap that fills. One run after another: a starved one cannot judge.

import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../exporter/detect/exit-code.ts";
import { detect, temporary } from "../support/detect.ts";

describe("leakwatch detect --load", () => {
  test("loads a command, and again: what it keeps of each load is a leak", async () => {
    const server = await keeper();
    const load = `for i in 1 2 3 4; do curl -s "$(cat ${server.url})/keep" >/dev/null; done`;
    const { code, stdout } = await detect("--for=30s", `--load=${load}`, "--", process.execPath, server.file).closed;
    expect(stdout).toMatch(/^leaking /);
    expect(stdout).toContain("by load 2 and");
    expect(code).toBe(exitCodes.leaking);
  });

  test("and what it keeps of one load only is none", async () => {
    const server = await keeper();
    const load = `for i in 1 2 3 4; do curl -s "$(cat ${server.url})/replace" >/dev/null; done`;
    const { code, stdout } = await detect("--for=30s", `--load=${load}`, "--", process.execPath, server.file).closed;
    expect(stdout).toMatch(/^no leak seen /);
    expect(stdout).toMatch(/These [23] loads can only show leaks of/);
    expect(code).toBe(0);
  });

  test("a load that fails says nothing of its target", async () => {
    const { code, stdout } = await detect("--for=10s", "--load=exit 3", "--", "sleep", "60").closed;
    expect(stdout).toContain("No verdict: the load exited with code 3");
    expect(code).toBe(exitCodes.no_verdict);
  });
});

test("a heap that grows until its runtime gives up is a leak, long before the time is over", async () => {
  const fill = "const all=[]; setInterval(() => { for (let i=0; i<5; i++) all.push(new Array(1000).fill(i)); }, 25)";
  const node = [process.execPath, "--max-old-space-size=64", "-e", fill];
  const { code, stdout } = await detect("--for=120s", "--", ...node).closed;
  expect(stdout).toContain("the command ran out of its heap limit of 64.0 MiB");
  expect(code).toBe(exitCodes.leaking);
});

/** A server that keeps 1 MiB for each request at /keep, and the last 1 MiB only at /replace. Its address is in the file `url`. */
async function keeper(): Promise<{ file: string; url: string }> {
  const file = temporary("server.cjs");
  const url = path.join(path.dirname(file), "url");
  const code = `const kept = []; let last; const made = () => Buffer.alloc(1024 * 1024, Math.random() + "").toString("latin1");
    const server = require("http").createServer(({ url }, response) => { if (url === "/keep") kept.push(made()); else last = made(); response.end("done"); });
    server.listen(0, "127.0.0.1", () => require("fs").writeFileSync(${JSON.stringify(url)}, "http://127.0.0.1:" + server.address().port));`;
  fs.writeFileSync(file, code);
  return { file, url };
}
