// The package as npm gives it to users: packed, installed in an empty folder, and used there as the documents say.

import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { codeBlocks } from "../support/documents.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-package-"));
const bin = path.dirname(process.execPath);

interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

let packed: Packed;

beforeAll(async () => {
  // the setup has built it, and others read what prepack would write
  const { stdout } = await run(
    "npm",
    ["pack", "--ignore-scripts", "--json", `--pack-destination=${folder}`],
    repository,
  );
  packed = (JSON.parse(stdout) as Packed[])[0] as Packed;
  fs.writeFileSync(path.join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", `./${packed.filename}`]);
  // the tools of who writes the tests
  for (const name of ["vitest", "typescript", "@types"])
    fs.symlinkSync(path.join(repository, "node_modules", name), path.join(folder, "node_modules", name));
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

/** In that folder, with this Node.js. */
function run(program: string, args: readonly string[], cwd = folder) {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const env = { ...environment, PATH: `${bin}:${environment["PATH"]}`, NO_COLOR: "1" };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
    execFile(program, args, { cwd, env, maxBuffer: 64 * MiB }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== "number" || (program === "npm" && code !== 0)) reject(error);
      else resolve({ code, stdout, stderr });
    });
  });
}

const vitest = (file: string) => run("node", ["node_modules/vitest/vitest.mjs", "run", file]);

const tsc = (file: string) =>
  run(path.join(repository, "node_modules/.bin/tsc"), [
    ...["--noEmit", "--strict", "--module", "nodenext", "--types", "node", "--ignoreConfig"],
    file,
  ]);

const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);

describe("the package", () => {
  test("has the program, the library, rules, runbooks and dashboards, and no more than 3 MiB", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "package.json",
        "dist/exporter/main.js",
        "dist/exporter/library/index.js",
        "dist/exporter/library/index.d.ts",
        "alerts/generated/leakwatch.rules.yml",
        "alerts/runbooks/finding-the-cause.md",
      ]),
    );
    expect(paths.filter((file) => /^(test|node_modules|scripts|demo)\//.test(file))).toEqual([]);
    expect(packed.unpackedSize).toBeLessThan(3 * MiB);
  });

  test("brings no Node.js of its own, and less than 20 MiB with all that it needs", () => {
    const modules = path.join(folder, "node_modules");
    const files = fs.readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) => fs.statSync(path.join(parentPath, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(20 * MiB);
    expect(fs.readdirSync(modules).filter((name) => name.startsWith("node-linux"))).toEqual([]);
  });

  test("is what npm would publish", () => {
    const { private: isPrivate, scripts } = JSON.parse(fs.readFileSync(path.join(repository, "package.json"), "utf8"));
    expect(isPrivate).toBeUndefined();
    expect(scripts.prepack).toContain("build");
  });
});

const server = `
import http from "node:http";
const port = Number(process.argv[2] ?? 0);
http.createServer((request, response) => response.end("[]")).listen(port, "127.0.0.1");
`;

describe("in a folder that has it", () => {
  test("npx leakwatch detect judges a server", async () => {
    write("server.js", server);
    const { code, stdout } = await run("npx", ["leakwatch", "detect", "--for=10s", "--", "node", "server.js"]);
    expect(stdout).toMatch(/^no leak seen {2}server\.js /);
    expect(code).toBe(0);
  });

  const [ofFunction = "", ofServer = "", result = ""] = codeBlocks("docs/library.md", "js");

  test("the example of a function passes, and fails when it leaks", async () => {
    write("function.test.js", ofFunction);
    expect(await vitest("function.test.js")).toMatchObject({ code: 0 });

    const leaking = ofFunction.replace("id++ % 100", "id++").replace('for: "2s"', "calls: 20_000");
    expect(leaking).not.toBe(ofFunction);
    write("leaking.test.js", leaking);
    const { code, stdout, stderr } = await vitest("leaking.test.js");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/LeakError: leaking: function\. Memory in use, without garbage, after each load/);
  });

  test("the example of a server passes", async () => {
    write("server.js", server.replace("?? 0", "?? 8123"));
    write("server.test.js", ofServer);
    const { code, stdout, stderr } = await vitest("server.test.js");
    expect({ code, printed: stdout + stderr }).toMatchObject({ code: 0 });
  });

  test("the example of a result prints it", async () => {
    write("result.js", result);
    const { code, stdout, stderr } = await run("node", ["result.js"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^no_leak_seen \[ -?\d+ \] \d+\n$/);
  });

  test("its types are found, and say what is wrong", async () => {
    const wrong = `await detect({ command: [] });\nawait detect(() => 1, { load: "true" });\nverdict satisfies "fine";\n`;
    const typed = result.replace("import { detect }", "import { assertNoLeak, detect, type DetectResult, LeakError }");
    write("typed.ts", `${typed}\nvoid [assertNoLeak, LeakError, {} as DetectResult];\n`);
    write("wrong.ts", result + wrong);
    expect(await tsc("typed.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    const { stdout } = await tsc("wrong.ts");
    expect(stdout.match(/^wrong\.ts/gm)).toHaveLength(3);
  });
});
