import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { KernelFiles } from "../../exporter/kernel/files.ts";
import { KeptFiles } from "../../exporter/kernel/kept-files.ts";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-kept-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
});

/** Files of a folder, and how often each was opened. */
function keeping(maxKept: number) {
  const opened: string[] = [];
  class Files extends KernelFiles {
    override open(file: string): number {
      opened.push(path.basename(file));
      return super.open(file);
    }
  }
  const budget = { maxKept, kept: 0 };
  const kept = new KeptFiles(new Files({ procfs: "/proc", cgroupfs: folder }), budget);
  onTestFinished(() => kept.close());
  return { kept, budget, opened };
}

const file = (name: string) => path.join(folder, name);
const write = (name: string, text: string) => fs.writeFileSync(file(name), text);

/** The next reading of an open file fails as the kernel's would. */
const failOnce = (code: string) =>
  vi.spyOn(fs, "readSync").mockImplementationOnce(() => {
    throw Object.assign(new Error(code), { code });
  });

describe("text", () => {
  test("opens a file once, and has what is in it at each reading", () => {
    const { kept, budget, opened } = keeping(10);
    write("memory.current", "4096\n");
    expect(kept.text(file("memory.current"))).toBe("4096\n");
    write("memory.current", "12\n");
    expect(kept.text(file("memory.current"))).toBe("12\n");
    expect([opened, budget.kept]).toEqual([["memory.current"], 1]);
  });

  test("takes no more than half of the budget, nor the last descriptor of it", () => {
    const { kept, budget } = keeping(4);
    const names = ["a", "b", "c"];
    for (const name of names) write(name, name);
    expect(names.map((name) => kept.text(file(name)))).toEqual(names);
    expect(budget.kept).toBe(2);

    const full = keeping(4);
    full.budget.kept = 4; // by processes
    expect(full.kept.text(file("a"))).toBe("a");
    expect([full.opened, full.budget.kept]).toEqual([[], 4]);
  });

  test("reads a file to its end that is larger than its buffer", () => {
    const { kept } = keeping(10);
    const long = "node 123\n".repeat(10_000);
    write("memory.stat", long);
    expect(kept.text(file("memory.stat"))).toBe(long);
  });

  test("opens anew what was made anew: the old file answers ENODEV", () => {
    const { kept, budget, opened } = keeping(10);
    write("memory.current", "1\n");
    kept.text(file("memory.current"));
    fs.rmSync(file("memory.current"));
    write("memory.current", "2\n");
    failOnce("ENODEV");
    expect(kept.text(file("memory.current"))).toBe("2\n");
    expect([opened.length, budget.kept]).toEqual([2, 1]);
  });

  test("closes what is gone, and says so", () => {
    const { kept, budget } = keeping(10);
    write("memory.current", "1\n");
    kept.text(file("memory.current"));
    fs.rmSync(file("memory.current"));
    failOnce("ENODEV");
    expect(() => kept.text(file("memory.current"))).toThrow("ENOENT");
    expect(budget.kept).toBe(0);
  });

  test("keeps nothing open that cannot be read", () => {
    const { kept, budget } = keeping(10);
    write("memory.pressure", "");
    failOnce("EOPNOTSUPP"); // as with psi=0
    expect(kept.textIfPresent(file("memory.pressure"))).toBeUndefined();
    expect(budget.kept).toBe(0);
  });
});

describe("what a kernel does not have", () => {
  /** A folder with one file open, in which another was found missing. */
  function withoutPeak() {
    const made = keeping(10);
    write("memory.stat", "anon 1\n");
    made.kept.text(file("memory.stat"));
    expect(made.kept.textIfPresent(file("memory.peak"))).toBeUndefined();
    write("memory.peak", "7\n");
    return made;
  }

  test("is not looked for in each round, and is found some rounds later", () => {
    const { kept } = withoutPeak();
    const found = Array.from({ length: 20 }, () => {
      kept.startRound();
      return kept.textIfPresent(file("memory.peak"));
    });
    expect(found).toEqual([...Array(19).fill(undefined), "7\n"]);
  });

  test("is looked for at once where the folder was made anew", () => {
    const { kept } = withoutPeak();
    failOnce("ENODEV");
    kept.text(file("memory.stat"));
    expect(kept.textIfPresent(file("memory.peak"))).toBe("7\n");
  });

  test("is looked for at once where the folder was let go of", () => {
    const { kept } = withoutPeak();
    kept.releaseFolder(folder);
    expect(kept.textIfPresent(file("memory.peak"))).toBe("7\n");
  });

  test("is looked for each time in a folder of which nothing is open", () => {
    const { kept } = keeping(0);
    expect(kept.textIfPresent(file("memory.peak"))).toBeUndefined();
    write("memory.peak", "7\n");
    expect(kept.textIfPresent(file("memory.peak"))).toBe("7\n");
  });
});

test("lets go of one folder, and of all", () => {
  const { kept, budget } = keeping(10);
  for (const name of ["a/x", "a/y", "ab/x"]) {
    fs.mkdirSync(path.dirname(file(name)), { recursive: true });
    write(name, name);
    kept.text(file(name));
  }
  kept.releaseFolder(file("a"));
  expect(budget.kept).toBe(1);
  kept.close();
  expect(budget.kept).toBe(0);
});
