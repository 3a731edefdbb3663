// What arguments and environments say of the heap's limit. What real runtimes make of the same is in real-runtimes.test.ts.

import { describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../../catalog/defaults.ts";
import { heapSettingOf, type RuntimeFacts } from "../../../exporter/discovery/heap-setting.ts";
import { readEnvironment } from "../../../exporter/discovery/runtimes/environment.ts";
import { heapLimitOf, type VisibleMemory } from "../../../exporter/discovery/runtimes/heap-limit.ts";

interface Given extends Partial<VisibleMemory>, Pick<RuntimeFacts, "shown"> {
  exe?: string;
  /** Variables; none where there are none, `hidden` where they may not be read. */
  environment?: readonly string[] | "hidden";
}

/** A machine of 8 GiB, and a container of 1 GiB. */
function limitOf(command: string, { exe, environment = [], shown, ...memory }: Given = {}) {
  const argv = command.split(" ");
  const read = environment === "hidden" ? undefined : readEnvironment(environment.map((line) => `${line}\0`).join(""));
  const setting = heapSettingOf(argv, { exe, environment: read, shown });
  const seen = { machine: 8 * GiB, limit: GiB, limitIsOwn: true, isKnown: true, ...memory };
  return setting && heapLimitOf(setting, seen);
}

type Row = [command: string, bytes: number | undefined, source?: string | undefined, given?: Given];
const check = (command: string, bytes: number | undefined, source?: string, given?: Given) => {
  const limit = limitOf(command, given);
  expect([limit?.bytes, limit?.source]).toEqual([bytes, source]);
};

const options = (value: string): Given => ({ environment: [`NODE_OPTIONS=${value}`] });
const node24: Given = { exe: "/opt/nvm/versions/node/v24.1.0/bin/node" };

describe("V8", () => {
  test.each<Row>([
    ["node --max-old-space-size=512 server.js", 512 * MiB, "command_line"],
    ["node --max_old_space_size=64 a.js", 64 * MiB, "command_line"],
    ["/usr/local/bin/node -r ./setup.js --max-old-space-size=64 a.js", 64 * MiB, "command_line"],
    ["node --max-old-space-size=64 --max-old-space-size=128 a.js", 128 * MiB, "command_line"],
    ["node --max-heap-size=64 a.js", 64 * MiB, "command_line"],
    ["node --max-heap-size=64 --max-old-space-size=32 a.js", 32 * MiB, "command_line"],
    ["node --max-old-space-size-percentage=25 --max-old-space-size=32 a.js", 256 * MiB, "command_line"],
    ["node a.js --max-old-space-size=64", undefined],
    ["node --max-old-space-size=lots a.js", undefined],
    ["node --max-old-space-size=0 a.js", undefined],
    ["tini -- node --max-old-space-size=512 a.js", undefined],
    ["node a.js", 200 * MiB, "environment", options("--enable-source-maps --max-old-space-size=200")],
    ["node a.js", 200 * MiB, "environment", options('"--max-old-space-size=200"')],
    ["node --max-old-space-size=100 a.js", 100 * MiB, "command_line", options("--max-old-space-size=200")],
    ["node --max-old-space-size=100 a.js", 512 * MiB, "environment", options("--max-old-space-size-percentage=50")],
    ["node --max-old-space-size=100 a.js", 100 * MiB, "command_line", { environment: "hidden" }],
    ["deno run --v8-flags=--max-old-space-size=64,--expose-gc a.ts", 64 * MiB, "command_line"],
    ["deno run a.ts", 96 * MiB, "environment", { environment: ["DENO_V8_FLAGS=--max-old-space-size=96"] }],
    ["renamed itself", 64 * MiB, "environment", { exe: "/usr/bin/node", ...options("--max-old-space-size=64") }],
  ])("%s", check);

  test.each<Row>([
    ["node a.js", undefined, undefined, {}],
    ["node a.js", 512 * MiB, "default", node24],
    ["node a.js", 256 * MiB, "default", { ...node24, limit: 300 * MiB }],
    ["node a.js", 2 * GiB, "default", { ...node24, limit: undefined }],
    ["node a.js", 4 * GiB, "default", { ...node24, limit: undefined, machine: 32 * GiB }],
    ["node a.js", undefined, undefined, { ...node24, limit: undefined, machine: 15.5 * GiB }],
    ["node a.js", undefined, undefined, { ...node24, environment: "hidden" }],
    ["node a.js", undefined, undefined, { ...node24, isKnown: false }],
    ["node a.js", undefined, undefined, { ...node24, limitIsOwn: false }],
    ["node a.js", undefined, undefined, { exe: "/opt/nvm/versions/node/v18.20.8/bin/node" }],
    ["node a.js", 512 * MiB, "default", { exe: "/usr/local/bin/node", environment: ["NODE_VERSION=22.23.5"] }],
    ["node a.js", undefined, undefined, { exe: "/usr/bin/node", environment: ["NODE_VERSION=22.23.5"] }],
  ])("its default is only told where version and memory are known: %s %s", check);
});

const java = (name: string, value: string): Given => ({ environment: [`${name}=${value}`] });

describe("the JVM", () => {
  test.each<Row>([
    ["java -Xmx2g -jar a.jar", 2 * GiB, "command_line"],
    ["java -Xmx67108864 -jar a.jar", 64 * MiB, "command_line"],
    ["java -XX:MaxHeapSize=64M Main", 64 * MiB, "command_line"],
    ["java -Xmx1g -Xmx512m Main", 512 * MiB, "command_line"],
    ["java -XX:MaxRAMPercentage=75 -jar a.jar", 768 * MiB, "command_line"],
    ["java -XX:MaxRAMPercentage=75 -Xmx100m -jar a.jar", 100 * MiB, "command_line"],
    ["java -XX:MaxRAMFraction=2 -jar a.jar", 512 * MiB, "command_line"],
    ["java -XX:MaxRAMPercentage=75 -XX:-UseContainerSupport Main", 6 * GiB, "command_line"],
    ["java -XX:MaxRAM=2g Main", 512 * MiB, "command_line"],
    ["java -cp lib/* -jar a.jar -Xmx5g", 256 * MiB, "default"],
    ["java Main", 256 * MiB, "default"],
    ["java Main", 2 * GiB, "default", { limit: undefined }],
    ["java Main", 100 * MiB, "default", { limit: 200 * MiB }],
    ["java -Xms700m Main", 700 * MiB, "default"],
    ["java Main", undefined, undefined, { environment: "hidden" }],
    ["java Main", undefined, undefined, { isKnown: false }],
    ["java -Xmx100m Main", 100 * MiB, "command_line", { isKnown: false }],
    ["java @options Main", undefined],
    ["java -Xmx100m @options Main", undefined],
    ["java @options -Xmx100m Main", 100 * MiB, "command_line"],
    ["java Main", undefined, undefined, { exe: "/opt/semeru/bin/java" }],
    ["java Main", 100 * MiB, "environment", java("JAVA_TOOL_OPTIONS", "-Xmx100m")],
    ["java -Xmx200m Main", 200 * MiB, "command_line", java("JAVA_TOOL_OPTIONS", "-Xmx100m")],
    ["java Main", 100 * MiB, "environment", java("JDK_JAVA_OPTIONS", "'-Dname=a b' -Xmx100m")],
    ["java -Xmx200m Main", 100 * MiB, "environment", java("_JAVA_OPTIONS", "-Xmx100m")],
    ["java -Xmx200m Main", 200 * MiB, "command_line", java("_JAVA_OPTIONS", "-XX:MaxRAMPercentage=5")],
    ["java Main", 512 * MiB, "environment", java("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=50.0")],
  ])("%s", check);

  test("exits with 3 where it is told to exit", () => {
    expect(limitOf("java -XX:+ExitOnOutOfMemoryError -Xmx1g Main")?.exitCodes).toEqual([3, 134]);
    expect(limitOf("java -Xmx1g Main", java("JAVA_TOOL_OPTIONS", "-XX:+ExitOnOutOfMemoryError"))?.exitCodes).toEqual([
      3, 134,
    ]);
    expect(limitOf("java -Xmx1g Main")?.exitCodes).toEqual([134]);
  });
});

describe("Go", () => {
  test.each<[string, number | undefined]>([
    ["1073741824", GiB],
    ["1024B", KiB],
    ["512KiB", 512 * KiB],
    ["512MiB", 512 * MiB],
    ["2GiB", 2 * GiB],
    ["1TiB", 1024 * GiB],
    ["off", undefined],
    ["512MB", undefined],
    ["", undefined],
  ])("GOMEMLIMIT=%s is a soft limit", (value, bytes) => {
    const limit = limitOf("/app/server", { shown: "go", environment: [`GOMEMLIMIT=${value}`] });
    expect([limit?.bytes, limit?.kind]).toEqual(bytes === undefined ? [undefined, undefined] : [bytes, "soft"]);
  });

  test("only Go programs obey it", () => {
    expect(limitOf("/app/server", { environment: ["GOMEMLIMIT=1GiB"] })).toBeUndefined();
    expect(limitOf("node a.js", { environment: ["GOMEMLIMIT=1GiB"] })).toBeUndefined();
  });
});

describe(".NET", () => {
  test.each<Row>([
    ["dotnet app.dll", 768 * MiB, "default"],
    ["dotnet app.dll", 20 * MiB, "default", { limit: 24 * MiB }],
    ["dotnet app.dll", undefined, undefined, { limit: undefined }],
    ["dotnet app.dll", undefined, undefined, { environment: "hidden" }],
    ["dotnet app.dll", 200 * MiB, "environment", java("DOTNET_GCHeapHardLimit", "C800000")],
    ["dotnet app.dll", 200 * MiB, "environment", java("COMPlus_GCHeapHardLimit", "0xC800000")],
    ["dotnet app.dll", 512 * MiB, "environment", java("DOTNET_GCHeapHardLimitPercent", "32")],
    ["dotnet app.dll", 4 * GiB, "environment", { ...java("DOTNET_GCHeapHardLimitPercent", "32"), limit: undefined }],
    ["dotnet app.dll", undefined, undefined, java("DOTNET_GCHeapHardLimitSOH", "C800000")],
    ["/app/shop", 768 * MiB, "default", { shown: "dotnet" }],
    ["/app/shop", undefined, undefined, java("DOTNET_GCHeapHardLimit", "C800000")],
  ])("%s", check);
});

test("of an environment only limits are kept, whatever else it holds", () => {
  const secret = "hunter2";
  const kept = readEnvironment(
    [
      `DB_PASSWORD=${secret}`,
      `JAVA_TOOL_OPTIONS=-Djavax.net.ssl.keyStorePassword=${secret} -Xmx1g`,
      `NODE_OPTIONS=--title=${secret} --max-old-space-size=5`,
      `NODE_VERSION=${secret}`,
      `GOMEMLIMIT=${secret}`,
      `DOTNET_GCHeapHardLimit=${secret}`,
    ].join("\0"),
  );
  expect(JSON.stringify(kept)).not.toContain(secret);
  expect(kept.node).toEqual({ oldSpace: 5 });
});

test("as getenv does it, the first of two variables with one name counts", () => {
  expect(readEnvironment("GOMEMLIMIT=1GiB\0GOMEMLIMIT=2GiB\0").go).toBe(GiB);
  expect(readEnvironment("MY_GOMEMLIMIT=1GiB\0").go).toBeUndefined();
});
