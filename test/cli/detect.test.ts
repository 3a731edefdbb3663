// `leakwatch detect`, as far as it refuses.

import { describe, expect, test } from "vitest";
import { leakwatch } from "../support/command-line.ts";

describe("what cannot be done is exit 2, with a message that says why", () => {
  test.each([
    ["nothing to watch", [], "expected one of --pid, --group and a command after --"],
    ["two things to watch", ["--pid=1", "--group=api"], "expected one of --pid, --group and a command"],
    ["a pid that is none", ["--pid=one"], 'expected the id of a process, got "one"'],
    ["a pid that nobody has", ["--pid=4194305"], "there is no process 4194305"], // above the kernel's largest
    ["a group that nobody is in", ["--group=no-such.js"], "no process here is named no-such.js"],
    ["a look too short", ["--pid=1", "--for=3s"], "expected --for from 10s to 24h, got 3s"],
    ["a time that is none", ["--pid=1", "--for=soon"], '--for: expected a duration such as 5s or 1m30s, got "soon"'],
    ["a limit that is none", ["--pid=1", "--limit=much"], "--limit: expected a size such as 512MiB"],
    [
      "a limit of 512 bytes",
      ["--pid=1", "--limit=512"],
      '--limit: expected a size with its unit such as 512MiB, got "512"',
    ],
    ["a report that cannot be written", ["--junit=/no/such/folder/x.xml", "--", "true"], "--junit: ENOENT"],
    ["a command that is not there", ["--", "no-such-command"], "cannot start no-such-command: no such command"],
    ["a command that is no program", ["--", "/dev/null"], "cannot start /dev/null: it may not be executed"],
  ])("%s", async (_, args, says) => {
    const { code, stdout, stderr } = await leakwatch("detect", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(says);
  });
});
