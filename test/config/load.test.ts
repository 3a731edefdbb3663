// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${word} is the configuration's own notation
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultConfig } from "../../exporter/config/config.ts";
import { ConfigError, loadConfig, parseConfig } from "../../exporter/config/load.ts";

/** The lines of a file, as an editor counts them. */
const lines = (...all: string[]) => `${all.join("\n")}\n`;

async function messageOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

const complaint = (source: string) => messageOf(parseConfig(source, "leakwatch.yml"));

const topLevel = "sampling, groups, ignore, unmatched, memory_limit, max_processes, detection, advice, smaps";
const conditions = "name, exe, cmdline, cgroup, uid, port";

describe("parseConfig names file, line, place, what was expected and what came", () => {
  test.each([
    ["an unknown key", lines("smaling:", "  interval: 5s"), `1: smaling: expected one of ${topLevel}, got "smaling"`],
    [
      "an unknown key deep inside",
      lines("ignore:", "  - name: a", "  - name: b", "    prot: 80"),
      `4: ignore[1].prot: expected one of ${conditions}, got "prot"`,
    ],
    [
      "an unknown key in a line of its own mapping",
      lines("unmatched: watch", "smaps: {enabled: true, every: 5s}"),
      '2: smaps.every: expected one of enabled, interval, max_resident, budget, got "every"',
    ],
    ["a text for a mapping", lines("sampling: 5s"), '1: sampling: expected a mapping, got "5s"'],
    ["a mapping for a list", lines("", "groups:", "  name: api"), "2: groups: expected a list, got a mapping"],
    ["a text for a rule", lines("groups:", "  - api"), '2: groups[0]: expected a mapping, got "api"'],
    ["a list for a text", lines("groups:", "  - name: [a]"), "2: groups[0].name: expected a text, got a list"],
    ["a number for a text", lines("groups:", "  - name: 7"), "2: groups[0].name: expected a text, got 7"],
    ["an empty section", lines("sampling:", "unmatched: watch"), "1: sampling: expected a mapping, got an empty value"],
    [
      "a text for a truth, which YAML 1.1 would have understood",
      lines("smaps:", "  enabled: yes"),
      '2: smaps.enabled: expected true or false, got "yes"',
    ],
    ["an unknown word", lines("unmatched: drop"), '1: unmatched: expected watch or ignore, got "drop"'],
    [
      "a number without a unit",
      lines("sampling:", "  # in seconds", "  interval: 5"),
      "3: sampling.interval: expected a duration such as 5s or 1m30s, got 5",
    ],
    [
      "a duration that is too short",
      lines("sampling:", "  interval: 10ms"),
      '2: sampling.interval: expected a duration from 500ms to 5m, got "10ms"',
    ],
    [
      "a value on the line below its key",
      lines("sampling:", "  max_age:", "    soon"),
      '2: sampling.max_age: expected a duration such as 5s or 1m30s, got "soon"',
    ],
    ["a bad size", lines("memory_limit: 512mb"), '1: memory_limit: expected a size such as 512MiB or 1GB, got "512mb"'],
    [
      "a bad size in a rule",
      lines("groups:", "  - name: a", "    match: {uid: 1}", "    memory_limit: 80%"),
      '4: groups[0].memory_limit: expected a size such as 512MiB or 1GB, got "80%"',
    ],
    ["no match", lines("groups:", "  - name: api"), "2: groups[0].match: expected a mapping, got nothing"],
    ["no name", lines("groups:", "  - match:", "      uid: 1"), "2: groups[0].name: expected a text, got nothing"],
    [
      "a match without a condition, which would fit everything",
      lines("groups:", "  - name: api", "    match: {}"),
      `3: groups[0].match: expected at least one of ${conditions}, got nothing`,
    ],
    [
      "a match that was left empty",
      lines("groups:", "  - name: api", "    match:"),
      "3: groups[0].match: expected a mapping, got an empty value",
    ],
    [
      "an empty thing to ignore",
      lines("ignore:", "  - {}"),
      `2: ignore[0]: expected at least one of ${conditions}, got nothing`,
    ],
    [
      "a port out of range, in the second rule",
      lines("groups:", "  - name: a", "    match: {uid: 1}", "  - name: b", "    match:", "      port: 70000"),
      "6: groups[1].match.port: expected a whole number from 1 to 65535, got 70000",
    ],
    [
      "a user's name",
      lines("ignore:", "  - uid: root"),
      '2: ignore[0].uid: expected a whole number from 0 to 4294967295, got "root"',
    ],
    [
      "a word that no pattern has",
      lines("groups:", "  - name: a-${queue}", "    match:", "      cmdline: worker"),
      '2: groups[0].name: expected a pattern with (?<queue>…) for ${queue}, got "a-${queue}"',
    ],
    ["a list as the whole", lines("- name: api"), "1: expected a mapping, got a list"],
    ["a text as the whole", lines("just a text"), '1: expected a mapping, got "just a text"'],
    [
      "lines that end as on Windows",
      "groups:\r\n  - name: a\r\n    match:\r\n      uid: 1.5\r\n",
      "4: groups[0].match.uid: expected a whole number from 0 to 4294967295, got 1.5",
    ],
    [
      "a place behind comments, empty lines and an anchor",
      lines(
        "# one",
        "",
        "groups:",
        "",
        "  - name: a # the first",
        "",
        "    match: &m",
        "      # root",
        "      uid: -1",
      ),
      "9: groups[0].match.uid: expected a whole number from 0 to 4294967295, got -1",
    ],
    [
      "a key in quotes",
      lines("unmatched: watch", "'smaps':", '  "budget": 1'),
      "3: smaps.budget: expected a duration such as 5s or 1m30s, got 1",
    ],
  ])("for %s", async (_, source, message) => {
    expect(await complaint(source)).toBe(`leakwatch.yml:${message}`);
  });

  test("for a bad regular expression, with the reason", async () => {
    const source = lines("groups:", "  - name: api", "    match:", "      name: '['");
    expect(await complaint(source)).toMatch(
      /^leakwatch\.yml:4: groups\[0\]\.match\.name: expected a regular expression of RE2 \(.*\[.*\), got "\["$/,
    );
  });
});

describe("parseConfig explains what is not YAML", () => {
  test.each([
    ["a tab", "sampling:\n\tinterval: 5s\n", "2: not valid YAML: tab characters must not be used in indentation"],
    [
      "an unclosed list",
      "unmatched: watch\ngroups: [",
      "2: not valid YAML: unexpected end of the stream within a flow collection",
    ],
    ["bad indentation", "groups:\n- name: a\n - b\n", "3: not valid YAML: bad indentation of a sequence entry"],
    ["a key that is given twice", "unmatched: watch\nunmatched: ignore\n", "2: not valid YAML: duplicated mapping key"],
    ["an unknown alias", "groups:\n  - name: a\n    match: *m\n", '3: not valid YAML: unidentified alias "m"'],
    ["an unknown tag", "memory_limit: !size 5\n", "1: not valid YAML: unknown scalar tag !<!size>"],
  ])("%s", async (_, source, message) => {
    expect(await complaint(source)).toBe(`leakwatch.yml:${message}`);
  });

  test("two documents", async () => {
    expect(await complaint("---\nunmatched: watch\n---\nunmatched: ignore\n")).toBe(
      "leakwatch.yml: expected one YAML document, got 2",
    );
  });
});

describe("parseConfig accepts", () => {
  test.each([
    ["an empty file", ""],
    ["comments only", "# nothing yet\n"],
    ["an empty document", "---\n"],
    ["an empty mapping", "{}\n"],
  ])("%s as the default", async (_, source) => {
    expect(await parseConfig(source, "leakwatch.yml")).toEqual(defaultConfig);
  });

  test("one document with its marks, a byte order mark and Windows' line ends", async () => {
    const config = await parseConfig("\ufeff---\r\nsampling:\r\n  interval: 2s\r\n...\r\n", "leakwatch.yml");
    expect(config.sampleInterval).toBe(2);
  });

  test("anchors and aliases", async () => {
    const source = lines("ignore:", "  - &root {uid: 0}", "groups:", "  - name: a", "    match: *root");
    const config = await parseConfig(source, "leakwatch.yml");
    expect(config.groups[0]?.match).toEqual({ uid: 0 });
  });

  test("the example of docs/configuration.md", async () => {
    const page = fs.readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const example = /^```yaml\n(.*?)^```/ms.exec(page)?.[1] ?? "";
    const config = await parseConfig(example, "leakwatch.yml");
    expect(config.groups.map(({ name }) => name)).toContain("worker-${queue}");
  });
});

describe("loadConfig", () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-config-"));
  });
  afterAll(() => {
    fs.rmSync(folder, { recursive: true });
  });

  test("without a file, is the default", async () => {
    expect(await loadConfig(undefined)).toEqual(defaultConfig);
  });

  test("reads a file, and names it in complaints", async () => {
    const file = path.join(folder, "leakwatch.yml");
    fs.writeFileSync(file, "unmatched: ignore\n");
    expect((await loadConfig(file)).unmatched).toBe("ignore");
    fs.writeFileSync(file, "unmatched: drop\n");
    expect(await messageOf(loadConfig(file))).toBe(`${file}:1: unmatched: expected watch or ignore, got "drop"`);
  });

  test("says why a file cannot be read", async () => {
    const missing = path.join(folder, "missing.yml");
    expect(await messageOf(loadConfig(missing))).toBe(
      `${missing}: cannot be read: ENOENT: no such file or directory, open '${missing}'`,
    );
    expect(await messageOf(loadConfig(folder))).toMatch(/: cannot be read: EISDIR: /);
  });
});
