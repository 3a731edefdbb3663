import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fdTableSize,
  ignoresProcessesLimit,
  nameHash,
  parseStatus,
  realUid,
  statusFields,
  unknownOffsets,
} from "../../exporter/procfs/status.ts";
import { fixtureBytes, KiB } from "../support/fixtures.ts";

/** One file, with nothing known about it, and its values by label. */
function parse(file: Uint8Array, offsets = unknownOffsets()) {
  const values = new Float64Array(statusFields.length).fill(-1);
  const kind = parseStatus(file, file.length, offsets, values, 0);
  return { kind, values: Object.fromEntries(statusFields.map(({ label }, i) => [label, values[i]])) };
}

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("parseStatus on captured machines", () => {
  test.each([
    ["Node.js", "debian12-host-v1/proc/7769", [1408268, 53376, 53376, 11612, 41764, 0, 0], 7],
    ["Python", "debian12-host-v1/proc/7770", [25684, 18692, 18692, 9308, 9384, 0, 0], 1],
    ["Java", "debian12-host-v1/proc/7771", [2640972, 40380, 40380, 17888, 22492, 0, 0], 21],
    [
      "a PostgreSQL backend with shared buffers",
      "debian12-host-v1/proc/7840",
      [219696, 14760, 14760, 3292, 7908, 3560, 0],
      1,
    ],
    ["an nginx worker", "debian12-host-v1/proc/7796", [12052, 4148, 4148, 1364, 2784, 0, 0], 1],
    ["a name made to mislead", "debian12-host-v1/proc/7774", [1008, 700, 700, 48, 652, 0, 0], 1],
    ["a name with a newline and a broken byte", "debian12-host-v1/proc/7776", [4092, 3784, 3784, 3132, 652, 0, 0], 1],
    ["another user's process in a container", "docker-cgroup-v1/proc/28", [7176, 6556, 6556, 6216, 340, 0, 0], 1],
    ["Linux 6.1", "cgroup-v2-nested/proc/118", [26700, 26188, 26188, 25552, 4, 632, 0], 1],
    ["Linux 6.12", "cgroup-v2-nested-6-12/proc/168", [26700, 26380, 26380, 25744, 4, 632, 0], 1],
  ])("reads %s", (_, folder, [size, peak, resident, anon, file, shmem, swap], threads) => {
    expect(parse(fixtureBytes(folder, "status"))).toEqual({
      kind: "memory",
      values: {
        VmSize: Number(size) * KiB,
        VmHWM: Number(peak) * KiB,
        VmRSS: Number(resident) * KiB,
        RssAnon: Number(anon) * KiB,
        RssFile: Number(file) * KiB,
        RssShmem: Number(shmem) * KiB,
        VmSwap: Number(swap) * KiB,
        Threads: threads,
      },
    });
  });

  test.each([
    ["a zombie", "debian12-host-v1/proc/7780", "zombie"],
    ["kthreadd", "debian12-host-v1/proc/2", "no memory"],
    ["another kernel thread", "debian12-host-v1/proc/33", "no memory"],
    ["a kernel thread on 6.1, which has no Kthread line", "cgroup-v2-nested/proc/2", "no memory"],
  ])("stores nothing for %s", (_, folder, kind) => {
    const found = parse(fixtureBytes(folder, "status"));
    expect(found.kind).toBe(kind);
    expect(new Set(Object.values(found.values))).toEqual(new Set([-1])); // what was there before
  });
});

describe("parseStatus", () => {
  test("stores at the row that it was given, and nowhere else", () => {
    const file = fixtureBytes("debian12-host-v1/proc/7769/status");
    const values = new Float64Array(3 * statusFields.length).fill(-1);
    parseStatus(file, file.length, unknownOffsets(), values, statusFields.length);
    expect(values[statusFields.length]).toBe(1408268 * KiB);
    expect(values[2 * statusFields.length - 1]).toBe(7);
    expect(new Set(values.slice(0, statusFields.length))).toEqual(new Set([-1]));
    expect(new Set(values.slice(2 * statusFields.length))).toEqual(new Set([-1]));
  });

  test("says NaN, not 0, for a field that the kernel does not have", () => {
    const { values } = parse(bytes("Name:\tnode\nState:\tS (sleeping)\nVmRSS:\t     100 kB\nThreads:\t1\n"));
    expect(values).toMatchObject({ VmRSS: 100 * KiB, Threads: 1, RssAnon: Number.NaN, VmSwap: Number.NaN });
  });

  test.each([
    ["no number", "VmRSS:\t kB"],
    ["nothing at all", "VmRSS:"],
    ["a minus", "VmRSS:\t -4 kB"],
  ])("says NaN where a field has %s", (_, line) => {
    expect(parse(bytes(`Name:\tnode\n${line}\nVmSwap:\t       0 kB\n`)).values["VmRSS"]).toBeNaN();
  });

  test("does not take the next line's number for an empty field", () => {
    expect(parse(bytes("Name:\tx\nVmRSS:\t\nVmSwap:\t       7 kB\n")).values["VmRSS"]).toBeNaN();
  });

  test.each([
    ["an empty file", ""],
    ["a file without newlines", "VmRSS:\t 4 kB"],
    ["one newline", "\n"],
  ])("finds no memory in %s", (_, text) => {
    expect(parse(bytes(text)).kind).toBe("no memory");
  });

  test("looks for fields behind the first line, the name", () => {
    expect(parse(bytes("VmRSS:\t 4 kB\nState:\tS (sleeping)\nThreads:\t1\n")).kind).toBe("no memory");
  });

  test("reads the lines behind thousands of supplementary groups", () => {
    // A user of a large directory service: each group takes up to 11 bytes, and a process may have 65,536 of them.
    const groups = (count: number) => Array.from({ length: count }, (_, i) => 100_000 + i).join(" ");
    const file = (count: number) =>
      bytes(`Name:\tsmbd\nGroups:\t${groups(count)} \nVmRSS:\t    1234 kB\nVmSwap:\t      56 kB\nThreads:\t9\n`);
    for (const count of [4_600, 9_000, 9_362, 9_400, 20_000, 65_536]) {
      const { kind, values } = parse(file(count));
      expect([count, kind, values["VmRSS"], values["VmSwap"], values["Threads"]]).toEqual([
        count,
        "memory",
        1234 * KiB,
        56 * KiB,
        9,
      ]);
    }
  });

  test("does not read on into what an earlier, longer file left in the buffer", () => {
    const shared = bytes("Name:\tbash\nState:\tZ (zombie)\nThreads:\t1\nVmRSS:\t       9 kB\n");
    const end = shared.indexOf("VmRSS");
    const values = new Float64Array(statusFields.length);
    expect(parseStatus(shared, end, unknownOffsets(), values, 0)).toBe("zombie");
  });
});

describe("parseStatus with remembered offsets", () => {
  const resident = (kib: string) => bytes(`Name:\tapi\nVmSize:\t ${kib} kB\nVmRSS:\t ${kib} kB\nThreads:\t4\n`);

  test("notices that a number outgrew its column and moved what follows", () => {
    const offsets = unknownOffsets();
    expect(parse(resident("99999999"), offsets).values["VmRSS"]).toBe(99999999 * KiB);
    expect(parse(resident("100000000"), offsets).values).toMatchObject({ VmRSS: 100000000 * KiB, Threads: 4 });
    expect(parse(resident("99999998"), offsets).values["VmRSS"]).toBe(99999998 * KiB);
  });

  test.each([
    ["of which other threads go on", "Threads:\t2\n", "leader ended"],
    ["that was alone", "Threads:\t1\n", "zombie"],
    ["of which the file does not say", "", "zombie"],
  ])("a main thread that has ended, %s", (_, threads, kind) => {
    expect(parse(bytes(`Name:\tapi\nState:\tZ (zombie)\n${threads}SigQ:\t0/1\n`)).kind).toBe(kind);
  });

  test("notices that a process became a zombie, and what comes after exec", () => {
    const offsets = unknownOffsets();
    expect(parse(fixtureBytes("debian12-host-v1/proc/7769/status"), offsets).kind).toBe("memory");
    expect(parse(fixtureBytes("debian12-host-v1/proc/7780/status"), offsets).kind).toBe("zombie");
    expect(parse(fixtureBytes("debian12-host-v1/proc/7771/status"), offsets).values["VmRSS"]).toBe(40380 * KiB);
  });
});

// -- Properties: the parser of bytes against the simplest parser of text that one can write.

interface StatusFile {
  name: Uint8Array;
  state: string;
  lines: [label: string, value: string][];
}

/** Bytes as the kernel writes them: it escapes newlines and backslashes in the name, and nothing else. */
function write({ name, state, lines }: StatusFile): Buffer {
  const escaped = Buffer.from(name).toString("latin1").replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  const rest = lines.map(([label, value]) => `${label}:${value}\n`).join("");
  return bytes(`Name:\t${escaped}\nUmask:\t0022\nState:\t${state} (word)\n${rest}`);
}

function naive(file: Buffer) {
  const lines = file.toString("latin1").split("\n").slice(1);
  const textOf = (label: string) => lines.find((line) => line.startsWith(`${label}:`))?.slice(label.length + 1);
  const state = textOf("State")?.trim().charAt(0);
  const threads = Number(/^[ \t]*(\d+)/.exec(textOf("Threads") ?? "")?.[1] ?? 1);
  if (textOf("VmRSS") === undefined) {
    return { kind: state !== "Z" ? "no memory" : threads > 1 ? "leader ended" : "zombie" };
  }
  const values = statusFields.map(({ label, scale }) => {
    const number = /^[ \t]*(\d+)/.exec(textOf(label) ?? "")?.[1];
    return [label, number === undefined ? Number.NaN : Number(number) * scale];
  });
  return { kind: "memory", values: Object.fromEntries(values) };
}

const labels: readonly string[] = statusFields.map(({ label }) => label);
const nameArbitrary = fc.uint8Array({ min: 1, maxLength: 15 });
/** Up to 16 TiB, so that some are wider than the eight columns. */
const kibArbitrary = fc.oneof(
  fc.nat({ max: 9_999_999 }),
  fc.integer({ min: 99_999_990, max: 100_000_010 }),
  fc.nat({ max: 2 ** 31 - 1 }).map((n) => n * 8),
);
const valueArbitrary = kibArbitrary.map((kib) => `\t${String(kib).padStart(8)} kB`);
/** Lines that this program does not know, some of them with known names at the wrong place. */
const unknownLabel = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z_]{1,12}$/),
    fc.constantFrom("XVmRSS", "VmRSSx", "RssAnonymous", "Vm", "Thread", "HugetlbPages", "VmPeak"),
  )
  .filter((label) => !labels.includes(label) && label !== "State");
const unknownValue = fc.oneof(
  fc.constantFrom("\tVmRSS:\t       5 kB", "\t0", "", "\tThreads:\t3"),
  fc.string({ unit: "binary-ascii", maxLength: 30 }).map((text) => text.replaceAll("\n", " ")),
);
const unknownLine = fc.tuple(unknownLabel, unknownValue);
const stateArbitrary = fc.constantFrom("R", "S", "D", "Z", "T", "I", "X");

/** Any subset of the known fields in any order, with unknown lines between. */
const fileArbitrary: fc.Arbitrary<StatusFile> = fc
  .tuple(fc.shuffledSubarray([...labels]), fc.array(fc.tuple(fc.nat(), unknownLine), { maxLength: 6 }))
  .chain(([known, unknown]) =>
    fc.record({
      name: nameArbitrary,
      state: stateArbitrary,
      lines: fc.array(valueArbitrary, { minLength: known.length, maxLength: known.length }).map((values) => {
        const lines = known.map((label, i): [string, string] => [label, values[i] as string]);
        for (const [place, line] of unknown) lines.splice(place % (lines.length + 1), 0, line);
        return lines;
      }),
    }),
  );

/** Files of one process over time: the kernel's lines stay, names and numbers change, and Vm lines go when it ends. */
const filesOfOneProcess: fc.Arbitrary<StatusFile[]> = fileArbitrary.chain(({ lines }) =>
  fc.array(
    fc
      .tuple(nameArbitrary, stateArbitrary, fc.boolean(), fc.array(valueArbitrary, { minLength: 20, maxLength: 20 }))
      .map(([name, state, alive, values]) => ({
        name,
        state,
        lines: lines
          .map(([label, value], i): [string, string] => [label, labels.includes(label) ? (values[i] as string) : value])
          .filter(([label]) => alive || !/^(Vm|Rss)/.test(label)),
      })),
    { minLength: 2, maxLength: 6 },
  ),
);

/** All files go through one buffer, as they do when processes are read, so each lies on the remains of others. */
function readInto(shared: Buffer, file: Buffer): number {
  file.copy(shared);
  return file.length;
}

function parseShared(shared: Buffer, length: number, offsets = unknownOffsets()) {
  const values = new Float64Array(statusFields.length);
  const kind = parseStatus(shared, length, offsets, values, 0);
  if (kind !== "memory") return { kind };
  return { kind, values: Object.fromEntries(labels.map((label, i) => [label, values[i]])) };
}

describe("parseStatus agrees with a plain parser of text", () => {
  const shared = Buffer.alloc(8192);

  test("on any file", () => {
    fc.assert(
      fc.property(fileArbitrary, (description) => {
        const file = write(description);
        expect(parseShared(shared, readInto(shared, file))).toEqual(naive(file));
      }),
    );
  });

  test("on the files of one process, with the offsets of each kept for the next", () => {
    fc.assert(
      fc.property(filesOfOneProcess, (descriptions) => {
        const offsets = unknownOffsets();
        for (const description of descriptions) {
          const file = write(description);
          expect(parseShared(shared, readInto(shared, file), offsets)).toEqual(naive(file));
        }
      }),
    );
  });

  test("on files of different kernels with the same offsets: a field may be missed, but no number is wrong", () => {
    fc.assert(
      fc.property(fc.array(fileArbitrary, { minLength: 2, maxLength: 6 }), (descriptions) => {
        const offsets = unknownOffsets();
        for (const description of descriptions) {
          const file = write(description);
          const found = parseShared(shared, readInto(shared, file), offsets);
          const right = naive(file);
          expect(found.kind).toBe(right.kind);
          for (const label of labels) {
            const value = found.values?.[label];
            if (!Number.isNaN(value)) expect([label, value]).toEqual([label, right.values?.[label]]);
          }
        }
      }),
    );
  });

  test("on any bytes at all: it neither throws nor makes numbers up", () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 8 }).map((some) => Buffer.from(some).toString("latin1")),
      fc.constantFrom("\n", "\nVmRSS:", "\nState:\tZ", "VmSwap:\t", "Threads:", " 123", " kB\n", ":", "\0"),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const file = bytes(parts.join(""));
        const { kind, values } = parseShared(shared, readInto(shared, file));
        if (kind !== "memory") return;
        for (const value of Object.values(values ?? {})) expect(value === undefined || !(value < 0)).toBe(true);
      }),
    );
  });
});

describe("nameHash", () => {
  const hash = (name: string) => {
    const file = bytes(`Name:\t${name}\nVmRSS:\t 1 kB\n`);
    return nameHash(file, file.length);
  };

  test("changes with the name", () => {
    const names = ["node", "MainThread", "nodf", "npm start", "", "enod", "x) S 1 (\\n"];
    expect(new Set(names.map(hash)).size).toBe(names.length);
  });

  test("does not change with anything else", () => {
    const later = bytes("Name:\tnode\nVmRSS:\t 99999 kB\n");
    expect(nameHash(later, later.length)).toBe(hash("node"));
  });

  test("looks no further than the file", () => {
    expect(nameHash(bytes("Name:\tno"), 8)).toBe(nameHash(bytes("Name:\tnode"), 8));
  });
});

describe("realUid", () => {
  const uid = (file: Uint8Array) => realUid(file, file.length);

  test.each([
    ["root", "debian12-host-v1/proc/7769", 0],
    ["postgres", "debian12-host-v1/proc/7772", 101],
    ["a container's user", "docker-cgroup-v1/proc/21", 1000],
    ["a zombie", "debian12-host-v1/proc/7780", 0],
  ])("is that of %s", (_, folder, expected) => {
    expect(uid(fixtureBytes(folder, "status"))).toBe(expected);
  });

  test("is the real one of the four", () => {
    expect(uid(bytes("Name:\tping\nUid:\t1000\t0\t0\t0\n"))).toBe(1000);
  });

  test("is not known without the line", () => {
    expect(uid(bytes("Name:\tping\nGid:\t7\t7\t7\t7\n"))).toBeUndefined();
  });

  test("cannot be set by a name, in which the kernel escapes newlines but no other line ends", () => {
    expect(uid(bytes("Name:\tx\rUid:\t7\nUid:\t1000\t1000\t1000\t1000\n"))).toBe(1000);
  });

  test("is not read beyond the file's end", () => {
    expect(realUid(bytes("Name:\tx\nUid:\t5\t5\t5\t5\n"), 7)).toBeUndefined();
  });
});

describe("ignoresProcessesLimit", () => {
  const ignores = (file: Uint8Array) => ignoresProcessesLimit(file, file.length);

  test.each([
    ["root", "debian12-host-v1/proc/7769", true],
    ["root in a container, without the capabilities", "docker-cgroup-v1/proc/8", true],
    ["postgres", "debian12-host-v1/proc/7772", false],
    ["a container's user", "docker-cgroup-v1/proc/21", false],
  ])("of %s", (_, folder, expected) => {
    expect(ignores(fixtureBytes(folder, "status"))).toBe(expected);
  });

  test.each([
    ["CAP_SYS_RESOURCE", "0000000001000000", true],
    ["CAP_SYS_ADMIN", "0000000000200000", true],
    ["all others", "000001fffedfffff", false],
    ["none", "0000000000000000", false],
  ])("of a user with %s", (_, capabilities, expected) => {
    const status = `Name:\tx\nUid:\t1000\t1000\t1000\t1000\nCapPrm:\t0000000001000000\nCapEff:\t${capabilities}\n`;
    expect(ignores(bytes(status))).toBe(expected);
  });

  test("is no for somebody who only runs with root's rights, and on a file without the lines", () => {
    expect(ignores(bytes("Name:\tping\nUid:\t1000\t0\t0\t0\n"))).toBe(false);
    expect(ignores(bytes("Name:\tUid:\t0\t\n"))).toBe(false);
  });
});

describe("fdTableSize", () => {
  const size = (file: Uint8Array) => fdTableSize(file, file.length);

  test.each([
    ["a server", "debian12-host-v1/proc/7769"],
    ["a zombie, which has none", "debian12-host-v1/proc/7780"],
    ["a kernel thread", "cgroup-v2-nested/proc/2"],
    ["another user's process", "docker-cgroup-v1/proc/28"],
  ])("is that of %s", (_, folder) => {
    const file = fixtureBytes(folder, "status");
    expect(size(file)).toBe(Number(/^FDSize:\t(\d+)$/m.exec(file.toString())?.[1]));
  });

  test.each([
    ["of a fresh process", "Name:\tx\nFDSize:\t64\nGroups:\t\n", 64],
    ["of none", "Name:\tx\nFDSize:\t0\nGroups:\t\n", 0],
    ["of a process with a million descriptors", "Name:\tx\nFDSize:\t1048576\nGroups:\t\n", 1_048_576],
    ["as large as any kernel allows", "Name:\tx\nFDSize:\t2147483584\nGroups:\t\n", 2_147_483_584],
    ["at the end of what was read", "Name:\tx\nFDSize:\t256", 256],
    ["not told", "Name:\tx\nGroups:\t\n", 0],
    ["not told by an empty file", "", 0],
    ["not told by a line that begins otherwise", "Name:\tx\nXFDSize:\t64\n", 0],
  ])("%s", (_, text, expected) => {
    expect(size(bytes(text))).toBe(expected);
  });

  test("cannot be set by a name, in which the kernel escapes newlines", () => {
    expect(size(bytes("Name:\tFDSize:\t7\nFDSize:\t64\n"))).toBe(64);
    expect(size(bytes("Name:\tx\\nFDSize:\t7\nFDSize:\t64\n"))).toBe(64);
    expect(size(bytes("Name:\tx\rFDSize:\t7\nFDSize:\t64\n"))).toBe(64);
  });

  test("is not read beyond the file's end, where an earlier, longer file may have left another", () => {
    const shared = bytes("Name:\tx\nFDSize:\t64\n");
    expect(fdTableSize(shared, 7)).toBe(0);
    expect(fdTableSize(shared, shared.indexOf("4\n"))).toBe(6);
  });

  test("is read from a part of a buffer", () => {
    const shared = bytes("junk\nFDSize:\t1\nName:\tx\nFDSize:\t64\n");
    const part = shared.subarray(shared.indexOf("Name"));
    expect(fdTableSize(part, part.length)).toBe(64);
  });
});
