// The limits that are parsed, against what real runtimes say of themselves.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { GiB, MiB } from "../../../catalog/defaults.ts";
import { heapSettingOf } from "../../../exporter/discovery/heap-setting.ts";
import { readEnvironment } from "../../../exporter/discovery/runtimes/environment.ts";
import { headBytes, isGoProgram } from "../../../exporter/discovery/runtimes/go.ts";
import { heapLimitOf } from "../../../exporter/discovery/runtimes/heap-limit.ts";
import { KernelFiles } from "../../../exporter/kernel/files.ts";
import { TargetFiles } from "../../../exporter/kernel/target-files.ts";
import { cacheFolder } from "../../support/debian.ts";
import { stop } from "../../support/exporter-process.ts";
import { ensurePrograms } from "../../support/packages.ts";

const machine = { machine: os.totalmem(), limit: undefined, limitIsOwn: true, isKnown: true };

function parsed(program: string, argv: readonly string[], environment: Record<string, string>): number | undefined {
  const text = Object.entries(environment).map(([name, value]) => `${name}=${value}\0`);
  const setting = heapSettingOf([program, ...argv], { exe: undefined, environment: readEnvironment(text.join("")) });
  return setting && heapLimitOf(setting, machine)?.bytes;
}

type Row = [argv: string[], environment?: Record<string, string>];

describe("V8's old space, to which heap_size_limit adds the young generation, is what is parsed of", () => {
  const ask = (argv: string[], environment: Record<string, string>): number =>
    Number(
      execFileSync(process.execPath, [...argv, "-p", "v8.getHeapStatistics().heap_size_limit"], {
        env: { ...process.env, NODE_OPTIONS: "", ...environment },
        encoding: "utf8",
      }),
    );

  // with a young generation of a fixed size, which V8 counts three times
  const young = ["--max-semi-space-size=2"];
  const youngBytes = () => ask([...young, "--max-old-space-size=512"], {}) - 512 * MiB;

  test.each<Row>([
    [["--max-old-space-size=100"]],
    [["--max_old_space_size=100", "--max-old-space-size=300"]],
    [["--max-old-space-size-percentage=12.5", "--max-old-space-size=100"]],
    [[], { NODE_OPTIONS: "--max-old-space-size=200" }],
    [[], { NODE_OPTIONS: '"--max-old-space-size=200"' }],
    [["--max-old-space-size=100"], { NODE_OPTIONS: "--max-old-space-size=200" }],
    [["--max-old-space-size=100"], { NODE_OPTIONS: "--max-old-space-size-percentage=10" }],
  ])("%j %j", (argv, environment = {}) => {
    const own = ask([...young, ...argv], environment) - youngBytes();
    expect(Math.abs(own - (parsed("node", argv, environment) ?? 0))).toBeLessThan(MiB);
  });

  test("--max-heap-size, the young generation included", () => {
    const argv = ["--max-heap-size=200"];
    expect(ask(argv, {})).toBe(parsed("node", argv, {}));
  });

  test("nothing, where the version is known", () => {
    const exe = `/opt/node-v${process.versions.node}/bin/node`;
    const setting = heapSettingOf(["node"], { exe, environment: readEnvironment("") });
    const bytes = setting && heapLimitOf(setting, machine)?.bytes;
    // between 15 and 16 GiB of memory it is not said
    if (machine.machine < 15_000 * MiB || machine.machine >= 16 * GiB) {
      expect(Math.abs(ask(young, {}) - youngBytes() - (bytes ?? 0))).toBeLessThan(MiB);
    } else expect(bytes).toBeUndefined();
  });
});

describe("the JVM's MaxHeapSize, which it rounds up, is what is parsed of", () => {
  beforeAll(() => ensurePrograms([{ program: "java", packages: ["openjdk-17-jre-headless", "default-jre-headless"] }]));

  /** Heaps are made of regions of 1 to 32 MiB. */
  const largestRegion = 32 * MiB;

  const noneSet = { JAVA_TOOL_OPTIONS: "", JDK_JAVA_OPTIONS: "", _JAVA_OPTIONS: "" };
  const ask = (argv: string[], environment: Record<string, string>): number => {
    const flags = execFileSync("java", [...argv, "-XX:+PrintFlagsFinal", "-version"], {
      env: { ...process.env, ...noneSet, ...environment },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(/ MaxHeapSize\s+=\s+(\d+)/.exec(flags)?.[1]);
  };

  test.each<Row>([
    [[]],
    [["-Xmx100m"]],
    [["-Xmx100m", "-XX:MaxHeapSize=200m"]],
    [["-XX:MaxHeapSize=0x10000000"]],
    [["-XX:MaxRAMPercentage=10"]],
    [["-XX:MaxRAMFraction=10"]],
    [["-XX:MaxRAMFraction=10", "-XX:MaxRAMPercentage=50"]],
    [["-Xmx100m", "-XX:MaxRAMPercentage=50"]],
    [["-XX:MaxRAM=1g"]],
    [["-XX:MaxRAM=1g", "-XX:MaxRAMPercentage=50"]],
    [["-XX:MaxRAM=200m"]],
    [["-XX:MaxRAM=400m"]],
    [["-XX:MaxRAM=200m", "-XX:MinRAMPercentage=80"]],
    [["-XX:MaxRAM=1g", "-Xms700m"]],
    [["-mx90m"]],
    [[], { JAVA_TOOL_OPTIONS: "'-Xmx111m' -Dname='a b'" }],
    [["-Xmx222m"], { JAVA_TOOL_OPTIONS: "-Xmx111m" }],
    [["-Xmx222m"], { _JAVA_OPTIONS: "-Xmx333m" }],
    [[], { JDK_JAVA_OPTIONS: "-Xmx333m", JAVA_TOOL_OPTIONS: "-Xmx111m" }],
    [["-Xmx222m"], { JDK_JAVA_OPTIONS: "-Xmx333m" }],
  ])("%j %j", (argv, environment = {}) => {
    const own = ask(argv, environment);
    const bytes = parsed("java", argv, environment) ?? 0;
    expect(bytes).toBeLessThanOrEqual(own);
    expect(bytes).toBeGreaterThan(own - largestRegion);
  });
});

describe("a Go program", () => {
  beforeAll(() => ensurePrograms([{ program: "go", packages: ["golang-go"] }]));

  test("is told by its file, and obeys the limit that is parsed", { timeout: 300_000 }, async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-go-"));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    fs.writeFileSync(
      path.join(folder, "main.go"),
      'package main\nimport ("os"; "runtime/debug"; "strconv"; "time")\nfunc main() { os.Stdout.WriteString(strconv.FormatInt(debug.SetMemoryLimit(-1), 10)); time.Sleep(time.Minute) }\n',
    );
    const env = { ...process.env, GOCACHE: path.join(cacheFolder, "go"), GO111MODULE: "off", CGO_ENABLED: "0" };
    // without symbols, as images have them
    execFileSync("go", ["build", "-ldflags=-s -w", "-o", "program", "main.go"], { cwd: folder, env });
    const child = spawn(path.join(folder, "program"), {
      env: { ...process.env, GOMEMLIMIT: "333MiB" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => stop(child));
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const files = new TargetFiles(new KernelFiles({ procfs: "/proc", cgroupfs: "/sys/fs/cgroup" }));
    const environment = readEnvironment(await files.procText(child.pid as number, "environ"));
    expect(environment.go).toBe(Number(line.toString()));
    expect(isGoProgram(await files.programHead(child.pid as number, headBytes))).toBe(true);
  });

  test.each(["/bin/sh", process.execPath])("is not %s", (program) => {
    expect(isGoProgram(fs.readFileSync(program).subarray(0, headBytes))).toBe(false);
  });
});

test.each<[string, Buffer]>([
  ["nothing", Buffer.alloc(0)],
  ["an ELF header alone", Buffer.from("7f454c4602010100".padEnd(128, "f"), "hex")],
  ["headers that lead out of it", Buffer.concat([Buffer.from("7f454c4602010100", "hex"), Buffer.alloc(200, 0xff)])],
])("a program that begins with %s is not taken for one of Go", (_, head) => {
  expect(isGoProgram(head)).toBe(false);
});
