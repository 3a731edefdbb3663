// What was typed, or put together by a script, in what the commands complain about: no secrets, nothing that a terminal acts on.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { leakwatch as run } from "../support/command-line.ts";
import { temporaryFile } from "../support/exporter-process.ts";
import { active, evil } from "../support/foreign.ts";

async function leakwatch(...args: string[]) {
  const { code, stdout, stderr } = await run(...args);
  return { code, stderr, printed: stdout + stderr };
}

const file = "/dev/null/app"; // below what is no folder
const here = ["--web.listen-address=127.0.0.1:0", "--path.procfs=/nowhere"];

describe("secrets are not shown", () => {
  test.each([
    ["a command that is not there", ["detect", "--", "no-such-app", "--password=hunter2", "-phunter2"]],
    ["a command line as one word", ["detect", "--", "no-such-app --password=hunter2 --token hunter2"]],
    ["a variable in front of a command", ["detect", "--", "PASSWORD=hunter2", "app"]],
    ["a command below a file", ["detect", "--", file, "--password=hunter2"]],
    ["an option of the command, without --", ["detect", "app", "--password=hunter2"]],
    ["the same in two words", ["detect", "app", "--password", "hunter2"]],
    ["the same in one letter", ["detect", "mysqldump", "-phunter2"]],
    ["a Prometheus that is no address", ["doctor", ...here, "--prometheus-url=htp://me:hunter2@prometheus"]],
    [
      "a Prometheus with a slash in its password",
      ["doctor", ...here, "--prometheus-url=http://me:2/hunter2@prometheus"],
    ],
    [
      "a Prometheus that does not answer",
      ["doctor", ...here, "--prometheus-url=http://me:hunter2@127.0.0.1:1/?token=hunter2"],
    ],
    ["the same as JSON", ["doctor", ...here, "--json", "--prometheus-url=http://me:hunter2@127.0.0.1:1"]],
    ["a Grafana that is no address", ["doctor", ...here, "--grafana-url=htp://me:hunter2@grafana"]],
    [
      "a Grafana that does not answer",
      ["doctor", ...here, "--grafana-url=http://me:hunter2@127.0.0.1:1/?token=hunter2"],
    ],
    ["words that are too many", ["doctor", "--", "app", "--password", "hunter2"]],
    ["the same to backtest", ["backtest", "--", "app", "--password", "hunter2"]],
    ["rules for a Grafana with a password", ["rules", "--grafana-url=https://me:hunter2@grafana"]],
    ["rules for a Grafana with a token", ["rules", "--grafana-url=https://grafana/?auth_token=hunter2"]],
    ["rules for no address", ["rules", "--runbook-url=htp://me:hun/ter2@grafana", "--label", "a=hunter3"]],
  ])("%s", async (_, args) => {
    const { code, printed } = await leakwatch(...args);
    expect(code).toBe(2);
    expect(printed).not.toMatch(/hunter2|ter2/);
    expect(printed.length).toBeGreaterThan(20);
  });

  test("a token of two lines", async () => {
    const token = temporaryFile("token", "hunter2\nhunter2\n");
    for (const server of ["prometheus", "grafana"]) {
      const option = server === "grafana" ? "grafana-token-file" : "bearer-token-file";
      const { code, stderr } = await leakwatch(
        "doctor",
        ...here,
        `--${server}-url=http://127.0.0.1:1`,
        `--${option}=${token}`,
      );
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^error: the token for http:\/\/127\.0\.0\.1:1 must be a single word; it is not shown here\n$/,
      );
    }
  });
});

describe("nothing acts on a terminal or on GitHub's runner", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-foreign-"));
  const thresholds = path.join(folder, "thresholds.yml");
  const rules = path.join(folder, evil);
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(thresholds, `"a\\u009b\\u202e::error::\\e[2J": 1\n`);
  fs.writeFileSync(rules, "old");

  test.each<[string, string[]]>([
    ["a group", ["detect", `--group=${evil}`]],
    ["a command", ["detect", "--", evil]],
    ["an option", ["detect", `--${evil}`]],
    ["a duration", ["detect", "--pid=1", `--for=${evil}`]],
    ["a word too many", ["doctor", evil]],
    ["a file of a token", ["doctor", "--prometheus-url=http://x", `--bearer-token-file=/nowhere/${evil}`]],
    ["an address", ["doctor", `--prometheus-url=${evil}`]],
    ["a folder of a kernel", ["doctor", "--web.listen-address=127.0.0.1:0", `--path.procfs=/${evil}`]],
    ["a configuration", ["doctor", ...here, `--config.file=${evil}`]],
    ["a folder of traces", ["backtest", `--traces=${evil}`]],
    ["a selector", ["backtest", "--prometheus-url=http://x", `--match=${evil}`]],
    ["a resolution", ["backtest", "--prometheus-url=http://x", `--step=${evil}`]],
    ["a file of thresholds", ["rules", `--thresholds=${evil}`]],
    ["what is in a file of thresholds", ["rules", `--thresholds=${thresholds}`]],
    ["a file of rules", ["rules", "--check", `--output=${rules}`]],
    ["a label", ["rules", `--label=${evil}=1`]],
    ["a format", ["rules", `--format=${evil}`]],
    ["a base of links", ["rules", `--grafana-url=https://grafana/${evil}`]],
  ])("%s", async (_, args) => {
    const { code, printed } = await leakwatch(...args);
    expect(code).toBeGreaterThan(0);
    expect(printed).not.toMatch(active);
    expect(printed.length).toBeGreaterThan(20);
  });
});
