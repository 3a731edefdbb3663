import { describe, expect, test } from "vitest";
import { parseCredentials, parseHidepid } from "../../exporter/doctor/own-rights.ts";
import { fixture } from "../support/fixtures.ts";

describe("parseCredentials", () => {
  test("root in docker has no SYS_PTRACE by default", () => {
    expect(parseCredentials(fixture("docker-cgroup-v1/proc/self/status"))).toMatchObject({ uid: 0, ptrace: false });
  });

  test("root on a node has", () => {
    const text = fixture("cgroup-v2-private-namespace/proc/self/status"); // CapEff 000001ffffffffff, NSpid 11
    expect(parseCredentials(text)).toEqual({ uid: 0, effectiveUid: 0, ptrace: true, namespacePids: [11] });
  });

  test.each([
    ["only SYS_PTRACE, bit 19", "0000000000080000", true],
    ["the bits beside it", "0000000000140000", false],
  ])("%s", (_, capabilities, ptrace) => {
    const text = `Name:\tx\nUid:\t1000\t0\t0\t0\nNSpid:\t4242\t7\nCapEff:\t${capabilities}\n`;
    expect(parseCredentials(text)).toEqual({ uid: 1000, effectiveUid: 0, ptrace, namespacePids: [4242, 7] });
  });

  test("a file without ids", () => {
    expect(parseCredentials("Name:\tx\n")).toBeUndefined();
  });
});

describe("parseHidepid", () => {
  const mount = (options: string, at = "/proc") => `22 27 0:21 / ${at} rw,relatime - proc proc ${options}\n`;

  test.each([
    ["not given", mount("rw"), undefined],
    ["off", mount("rw,hidepid=0"), undefined],
    ["off, as newer kernels write it", mount("rw,hidepid=off"), undefined],
    ["a number", mount("rw,gid=4,hidepid=2"), "2"],
    ["a word", mount("rw,hidepid=ptraceable"), "ptraceable"],
    ["of another mount", mount("rw,hidepid=2", "/host/proc") + mount("rw"), undefined],
    ["of a mount that another covers", mount("rw,hidepid=2") + mount("rw"), undefined],
  ])("%s", (_, mountinfo, hidepid) => {
    expect(parseHidepid(mountinfo, "/proc")).toBe(hidepid);
  });
});
