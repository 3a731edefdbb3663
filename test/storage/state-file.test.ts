import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../exporter/log.ts";
import {
  readStateFile,
  type StateFileError,
  stateFileName,
  writeStateFile,
} from "../../exporter/storage/state-file.ts";
import { Storage } from "../../exporter/storage/storage.ts";

const header = { boot: "5e0b", savedAt: 1_790_000_000, sinceBoot: 86_400.5 };

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-state-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
});

const file = () => path.join(folder, stateFileName);
const names = () => fs.readdirSync(folder).sort();

/** Everything that is read, line by line. */
async function read(isWanted = true) {
  const lines: object[] = [];
  const found = await readStateFile(folder, { header: () => isWanted, line: (line) => lines.push(line) });
  return { header: found, lines };
}

/** Why the file is refused, and how it is set aside. */
const refusal = async () => {
  const error = await read().then(
    () => undefined,
    (thrown: StateFileError) => thrown,
  );
  return error && [error.aside, error.message];
};

const packed = (...lines: readonly unknown[]) =>
  fs.writeFileSync(
    file(),
    zlib.gzipSync(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")),
  );

const first = { leakwatch: "state", version: 1, ...header };

describe("a state file", () => {
  test("comes back as it was written, line by line", async () => {
    const lines = Array.from({ length: 300 }, (_, slot) => ({ slot, group: "api", text: "é".repeat(500) }));
    await writeStateFile(folder, header, lines);
    expect(await read()).toEqual({ header, lines });
    expect(names()).toEqual([stateFileName]);
  });

  test("is for its owner alone", async () => {
    await writeStateFile(folder, header, []);
    expect(fs.statSync(file()).mode & 0o777).toBe(0o600);
  });

  test("that does not exist is no failure", async () => {
    expect(await read()).toEqual({ header: undefined, lines: [] });
  });

  test("is not read further once its header is not wanted", async () => {
    await writeStateFile(folder, header, [{ slot: 0 }]);
    expect(await read(false)).toEqual({ header, lines: [] });
  });

  test("replaces the old one only when it is whole", async () => {
    await writeStateFile(folder, header, [{ slot: 1 }]);
    const failing = async function* () {
      yield { slot: 2 };
      throw new Error("the process was gone");
    };
    await expect(writeStateFile(folder, header, failing())).rejects.toThrow("the process was gone");
    expect((await read()).lines).toEqual([{ slot: 1 }]);
    expect(names()).toEqual([stateFileName]);
  });
});

describe("nothing is used of a file that", () => {
  test("is cut short, wherever that is", async () => {
    // random text, which gzip cannot make small: a cut falls into lines as well as into what ends the file
    const lines = Array.from({ length: 20 }, (_, slot) => ({ slot, text: Math.sin(slot).toString(36) }));
    await writeStateFile(folder, header, lines);
    const whole = fs.readFileSync(file());
    for (let length = 0; length < whole.length; length += 7) {
      fs.writeFileSync(file(), whole.subarray(0, length));
      expect((await refusal())?.[0], `${length} of ${whole.length} bytes`).toBe("damaged");
    }
  });

  test("has a wrong byte, wherever that is", async () => {
    await writeStateFile(folder, header, [
      { slot: 0, text: "one" },
      { slot: 1, text: "two" },
    ]);
    const whole = fs.readFileSync(file());
    for (let at = 10; at < whole.length; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0xff;
      fs.writeFileSync(file(), damaged);
      expect((await refusal())?.[0], `byte ${at}`).toBe("damaged");
    }
  });

  test.each<[string, () => void, readonly [string, string | RegExp]]>([
    ["is not gzip", () => fs.writeFileSync(file(), "hello"), ["damaged", /incorrect header check/]],
    ["is something else", () => packed({ hello: 1 }), ["damaged", "is not a state file of leakwatch"]],
    ["is no JSON", () => packed("hello"), ["damaged", /JSON/]],
    [
      "a newer leakwatch wrote",
      () => packed({ ...first, version: 2 }, { lines: 1 }),
      ["newer", "was written by a newer leakwatch (version 2 of the file, this is 1)"],
    ],
    [
      "does not say when it was written",
      () => packed({ ...first, savedAt: null }),
      ["damaged", "lacks the time at which it was written"],
    ],
    ["lacks its last line", () => packed(first, { slot: 0 }), ["damaged", "ends too soon"]],
    ["lacks one line", () => packed(first, { slot: 0 }, { lines: 3 }), ["damaged", "ends too soon"]],
    ["goes on after its end", () => packed(first, { lines: 1 }, { slot: 0 }), ["damaged", "goes on after its end"]],
    [
      "unpacks to a line without end",
      () => packed(first, "x".repeat(5 * 1024 * 1024), { lines: 2 }),
      ["damaged", "is too large"],
    ],
  ])("%s", async (_, write, [aside, message]) => {
    write();
    const found = await refusal();
    expect(found?.[0]).toBe(aside);
    expect(found?.[1]).toMatch(message);
  });
});

describe("storage", () => {
  const logged: string[] = [];
  const storage = () =>
    new Storage(
      folder,
      createLogger("debug", "logfmt", (line) => logged.push(line)),
    );
  beforeEach(() => {
    logged.length = 0;
  });
  const noAccount = () => {
    throw new Error("no group is saved here");
  };

  test("of another boot is not used, and left where it is", async () => {
    await writeStateFile(folder, header, []);
    expect(await storage().load("another")).toBeUndefined();
    expect(await storage().load("")).toBeUndefined(); // nobody knows which boot this is
    expect(names()).toEqual([stateFileName]);
    expect(logged[0]).toContain("state is of another boot or another host");
    expect(await storage().load(header.boot)).toBeDefined();
  });

  test("that is damaged is set aside and said, and does not come up again", async () => {
    fs.writeFileSync(file(), "torn");
    expect(await storage().load(header.boot)).toBeUndefined();
    expect(names()).toEqual([`${stateFileName}.damaged`]);
    expect(logged[0]).toContain("state file cannot be used and was set aside");
    expect(await storage().load(header.boot)).toBeUndefined();
    expect(logged).toHaveLength(1);
  });

  test("of a newer leakwatch is kept for it", async () => {
    packed({ ...first, version: 2 }, { lines: 1 });
    expect(await storage().load(header.boot)).toBeUndefined();
    expect(names()).toEqual([`${stateFileName}.newer`]);
  });

  test("that cannot be written is said once, counted, and said again when it can", async () => {
    const kept = storage();
    const save = () => kept.save(header, new Map(), noAccount);
    fs.rmSync(folder, { recursive: true });
    await save();
    await save();
    expect(kept.report).toEqual({ savedAt: undefined, failures: 2 });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("state cannot be saved");
    fs.mkdirSync(folder);
    await save();
    expect(kept.report).toEqual({ savedAt: header.savedAt, failures: 2 });
    expect(logged[1]).toContain("state is saved again");
  });

  test.runIf(fs.existsSync("/dev/full"))("on a full disk keeps the old file, and stops nothing", async () => {
    const kept = storage();
    await kept.save(header, new Map(), noAccount);
    fs.symlinkSync("/dev/full", `${file()}.tmp`); // where the draft is written
    await kept.save({ ...header, savedAt: 2_000_000_000 }, new Map(), noAccount);
    expect(kept.report).toEqual({ savedAt: header.savedAt, failures: 1 });
    expect(logged[0]).toContain("no space left on device");
    expect((await read()).header).toEqual(header);
    expect(names()).toEqual([stateFileName]);
  });
});
