import { expect, test } from "vitest";
import { GiB, MiB } from "../../catalog/defaults.ts";
import { heapLimitOf } from "../../exporter/discovery/heap-limit.ts";

test.each<[string, string[], number | undefined, number[]?]>([
  ["node --max-old-space-size=512 server.js", ["node", "--max-old-space-size=512", "server.js"], 512 * MiB, [134]],
  ["with underscores, as V8 takes it too", ["node", "--max_old_space_size=64", "a.js"], 64 * MiB, [134]],
  ["deno", ["deno", "run", "--v8-flags=--max-old-space-size=64", "a.ts"], undefined],
  ["java -Xmx", ["java", "-Xmx2g", "-jar", "a.jar"], 2 * GiB, [134]],
  ["java -Xmx in bytes", ["java", "-Xmx67108864", "-jar", "a.jar"], 64 * MiB, [134]],
  [
    "java that exits when the heap is full",
    ["java", "-XX:+ExitOnOutOfMemoryError", "-XX:MaxHeapSize=64M"],
    64 * MiB,
    [3, 134],
  ],
  ["the last of several", ["java", "-Xmx1g", "-Xmx512m", "Main"], 512 * MiB, [134]],
  ["no limit", ["node", "server.js"], undefined],
  ["not a number", ["node", "--max-old-space-size=lots", "server.js"], undefined],
])("%s", (_, argv, bytes, exitCodes) => {
  expect(heapLimitOf(argv)).toEqual(bytes === undefined ? undefined : { bytes, exitCodes });
});
