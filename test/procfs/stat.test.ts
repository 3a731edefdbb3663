import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKernelThread, parseExitStatus, parseStat } from "../../exporter/procfs/stat.ts";
import { fixture } from "../support/fixtures.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

describe("parseStat on captured machines", () => {
  test.each([
    ["Node.js", 7769, "MainThread", "S", 7717, 73950],
    ["Python", 7770, "python3", "S", 7717, 73950],
    ["Java", 7771, "java", "S", 7717, 73950],
    ["a PostgreSQL backend", 7840, "postgres", "S", 7772, 74360],
    ["an nginx worker", 7796, "nginx", "S", 7773, 73958],
    [
      "a name with a parenthesis, a newline and bytes that are no text",
      7774,
      "x) S 1 (\n\ufffd\ufffd y",
      "S",
      7717,
      73950,
    ],
    ["a name that the kernel cut inside a character", 7776, "job (nightly)\n\ufffd", "S", 7717, 73952],
    ["a zombie", 7780, "workload", "Z", 7778, 73953],
    ["a kernel thread", 2, "kthreadd", "S", 0, 24],
  ])("reads %s", (_, pid, comm, state, ppid, startTicks) => {
    const stat = parseStat(fixture("debian12-host-v1/proc", String(pid), "stat"));
    expect(stat).toMatchObject({ pid, comm, state, ppid, startTicks });
  });

  test.each([
    ["Node.js with its pool", 7769, 7],
    ["a single thread", 7840, 1],
    ["a zombie", 7780, 1],
  ])("counts the threads of %s, as status does", (_, pid, threads) => {
    expect(parseStat(fixture("debian12-host-v1/proc", String(pid), "stat")).threads).toBe(threads);
    expect(fixture("debian12-host-v1/proc", String(pid), "status")).toContain(`\nThreads:\t${threads}\n`);
  });

  test.each([
    ["kthreadd", "debian12-host-v1/proc/2", true],
    ["oom_reaper", "debian12-host-v1/proc/33", true],
    ["kthreadd on 6.1", "cgroup-v2-nested/proc/2", true],
    ["Node.js", "debian12-host-v1/proc/7769", false],
    ["a zombie, which has no memory either", "debian12-host-v1/proc/7780", false],
  ])("tells whether %s is a kernel thread", (_, folder, expected) => {
    expect(isKernelThread(parseStat(fixture(folder, "stat")))).toBe(expected);
  });

  test("sees that the same path holds another life after an OOM kill", () => {
    const [before, after] = ["cgroup-v2-nested/proc/118", "cgroup-v2-after-main-oom/proc/3690"].map((folder) =>
      parseStat(fixture(folder, "stat")),
    );
    expect(before).toMatchObject({ pid: 118, comm: "worker", startTicks: 249 });
    expect(after).toMatchObject({ pid: 3690, comm: "worker" });
    expect(after?.startTicks).toBeGreaterThan(249);
  });
});

describe("parseStat", () => {
  const rest = "S 1 2 3 0 -1 4194560 7 0 0 0 11 3 0 0 20 0 11 0 8812345 1034567680 9876";

  test.each([
    ["empty", "", "no name"],
    ["without a name", "4242 node S 1 2 3", "no name"],
    ["with its parentheses the wrong way round", "4242 )node( S 1", "no name"],
    ["cut after the name", "4242 (node)", "cut short"],
    ["cut after the state", "4242 (node) S", "cut short"],
    ["cut before the start time", `4242 (node) ${rest.split(" ").slice(0, 19).join(" ")}`, "cut short"],
    ["without a pid", `(node) ${rest}`, "cut short"],
  ])("rejects a line that is %s", (_, text, message) => {
    expect(() => parseStat(text)).toThrow(message);
  });

  test("finds the same numbers whatever the name is", () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (name, pid) => {
        expect(parseStat(`${pid} (${name}) ${rest}\n`)).toEqual({
          pid,
          comm: name,
          state: "S",
          ppid: 1,
          flags: 4194560,
          threads: 11,
          terminal: 0,
          startTicks: 8812345,
        });
      }),
    );
  });

  test("is not misled by names that look like the rest of the line", () => {
    const name = fc.array(fc.constantFrom("(", ")", " ", ") Z 9", "\n", "0", "x"), { maxLength: 10 });
    fc.assert(
      fc.property(name, (parts) => {
        const comm = parts.join("");
        expect(parseStat(`5 (${comm}) ${rest}`)).toMatchObject({
          pid: 5,
          comm,
          state: "S",
          ppid: 1,
          startTicks: 8812345,
        });
      }),
    );
  });
});

describe("parseExitStatus", () => {
  const zombie = (status: number) =>
    `4242 (node) Z 1 4242 4242 0 -1 4194564 0 0 0 0 0 0 0 0 20 0 1 0 8812345 0 0 ${status}\n`;

  test.each([
    ["exit code 3", 3 << 8, { code: 3, signal: undefined }],
    ["SIGKILL", 9, { code: undefined, signal: 9 }],
    ["SIGABRT, with a core dump", 6 | 0x80, { code: undefined, signal: 6 }],
    ["nothing that is shown to us", 0, undefined],
  ])("tells %s", (_, status, expected) => {
    expect(parseExitStatus(zombie(status))).toEqual(expected);
  });

  test("tells nothing from a file that is cut short", () => {
    expect(parseExitStatus("4242 (node) Z")).toBeUndefined();
  });
});
