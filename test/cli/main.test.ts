// The built command line as users start it: a process of its own, its exit code and what it prints. What it complains about is tried
// in our own process; one start of each command shows that this is what users get.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { builtMain } from "../support/built.ts";
import { leakwatch } from "../support/command-line.ts";
import { fakeMachine } from "../support/machine.ts";
import { request } from "../web/support.ts";

/** A machine is slow at times; nothing here waits longer than this, in milliseconds. */
const patience = 50_000;

const start = (...args: string[]) => startNode([builtMain, ...args]);

/** Starts a program of Node's; it is killed when the test has finished, or when patience is at its end. */
function startNode(words: readonly string[], stdout: "pipe" | number = "pipe") {
  const child: ChildProcess = spawn(process.execPath, words, { stdio: ["ignore", stdout, "pipe"] });
  const printed = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (printed.stdout += chunk));
  child.stderr?.on("data", (chunk) => (printed.stderr += chunk));
  const closed = once(child, "close").then(([code, signal]) => ({ code, signal, ...printed }));
  const killer = setTimeout(() => child.kill("SIGKILL"), patience);
  onTestFinished(async () => {
    clearTimeout(killer);
    child.kill("SIGKILL");
    await closed;
  });
  return {
    child,
    closed,
    /** Resolves with what the pattern matched in the log. */
    async logged(pattern: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = pattern.exec(printed.stderr);
        if (found !== null) return found;
        const ended = await Promise.race([once(child.stderr as NodeJS.ReadableStream, "data"), closed]);
        if (!Array.isArray(ended)) throw new Error(`ended without ${pattern}:\n${printed.stderr}`);
      }
    },
  };
}

const run = (...args: string[]) => start(...args).closed;

/** Serves a machine made of files on a free port. */
async function serve(...args: string[]) {
  const machine = fakeMachine();
  machine.start();
  const started = start(
    ...args,
    "--web.listen-address=127.0.0.1:0",
    `--path.procfs=${machine.root}/proc`,
    `--path.cgroupfs=${machine.root}/sys/fs/cgroup`,
  );
  const [, url] = await started.logged(/msg=listening url=(\S+)/);
  return { ...started, url: url as string, get: async (place: string) => request(`${url}${place}`) };
}

function temporaryFile(name: string, text: string): string {
  const machine = fakeMachine(); // any folder that is removed afterwards
  machine.write(name, text);
  return machine.path(name);
}

describe("help and version", () => {
  test.each([
    ["--help", "Usage: leakwatch [options] [command]"],
    ["help", "serve [options]"],
    ["help serve", "--web.listen-address <host:port>"],
    ["serve --help", '(default: "127.0.0.1:9847")'],
  ])("leakwatch %s", async (line, says) => {
    const { code, stdout, stderr } = await leakwatch(...line.split(" "));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(says);
  });

  test.each(["--version", "-V"])("leakwatch %s", async (flag) => {
    expect(await leakwatch(flag)).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });
});

/** Prints the packages that a program has loaded, when it ends. */
const listPackages = `
  import { writeSync } from "node:fs";
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    load(url, context, nextLoad) {
      const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name !== undefined) packages.add(name);
      return nextLoad(url, context);
    },
  });
  process.on("exit", () => writeSync(2, "loaded: " + [...packages].join(" ") + "\\n"));
`;

async function loadedBy(...args: string[]): Promise<string[]> {
  const hook = ["--import", `data:text/javascript,${encodeURIComponent(listPackages)}`];
  const { stderr } = await startNode([...hook, builtMain, ...args]).closed;
  return /^loaded: (.*)$/m.exec(stderr)?.[1]?.split(" ") ?? [];
}

describe("what a command needs is loaded when it runs", () => {
  test.each([
    "--help",
    "--version",
    "rules --help",
    "detect --help",
    "doctor --help",
    "backtest --help",
    "completion --help",
    "completion bash",
    "serve --help",
  ])("leakwatch %s loads the parser of the command line, and no other package", async (line) => {
    expect(await loadedBy(...line.split(" "))).toEqual(["commander"]);
  });

  test("leakwatch rules needs no server", async () => {
    const packages = await loadedBy("rules");
    expect(packages).toContain("js-yaml");
    for (const one of ["express", "prom-client"]) expect(packages).not.toContain(one);
  });

  test("leakwatch serve does", async () => {
    expect(await loadedBy("serve", "--config.file=/nowhere.yml")).toEqual(
      expect.arrayContaining(["express", "prom-client"]),
    );
  });
});

describe("misuse is exit 2, with a message that names it", () => {
  test.each([
    ["an unknown flag", ["--web.listen-adress", ":1"], "(Did you mean --web.listen-address?)"],
    ["an unknown flag after the command", ["serve", "--confg.file=x"], "(Did you mean --config.file?)"],
    ["an unknown flag with its value", ["--web.listen-adress=:1"], "(Did you mean --web.listen-address?)"],
    ["an unknown flag that is like no other", ["--zzz=1"], "error: unknown option '--zzz'\n"],
    ["a word too many", ["serve", "now"], "too many arguments for 'serve'"],
    ["an address that is none", ["--web.listen-address=9847"], 'expected HOST:PORT or :PORT, got "9847"'],
    ["a path that is none", ["--web.telemetry-path=metrics"], 'expected a path such as /metrics, got "metrics"'],
    ["an unknown level", ["--log.level=loud"], "Allowed choices are debug, info, warn, error."],
    ["a flag without its value", ["--config.file"], "argument missing"],
    ["a configuration that is not there", ["--config.file=/nowhere.yml"], "leakwatch: /nowhere.yml: cannot be read"],
    ["a web configuration that is not there", ["--web.config.file=/nowhere.yml"], "leakwatch: /nowhere.yml: ENOENT"],
  ])("%s", async (_, args, says) => {
    const { code, stdout, stderr } = await leakwatch(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(says);
  });

  test.each([
    ["serve", ["--web.listen-adress=:1"]],
    ["backtest", ["backtest", "--traces=/nowhere"]],
    ["detect", ["detect", "--group=no-such.js"]],
    ["doctor", ["doctor", "--prometheus-url=prometheus"]],
    ["rules", ["rules", "--label", "group=api"]],
  ])("%s started as a program refuses in the same words, without a stack", async (_, args) => {
    const expected = await leakwatch(...args);
    expect(expected).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/\S/) });
    expect(await run(...args)).toEqual({ signal: null, ...expected });
  });

  test("a configuration that is wrong: file and line", async () => {
    const file = temporaryFile("leakwatch.yml", "groups:\n  - name: api\n    match:\n      uid: root\n");
    expect(await leakwatch(`--config.file=${file}`)).toMatchObject({
      code: 2,
      stderr: `leakwatch: ${file}:4: groups[0].match.uid: expected a whole number from 0 to 4294967295, got "root"\n`,
    });
  });

  test("a configuration that is not YAML: file and line", async () => {
    const { code, stderr } = await leakwatch(
      `--config.file=${temporaryFile("leakwatch.yml", "unmatched: watch\ngroups: [\n")}`,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^leakwatch: \S+leakwatch\.yml:3: not valid YAML: .+\n$/);
  });

  test("a web configuration that is wrong: file and place", async () => {
    const file = temporaryFile("web.yml", "tls_server_config:\n  cert_file: a.pem\n");
    expect(await leakwatch(`--web.config.file=${file}`)).toMatchObject({
      code: 2,
      stderr: `leakwatch: ${file}: tls_server_config.key_file: expected a text, got nothing\n`,
    });
  });
});

describe("a reader that has seen enough is no error", () => {
  test.each(["--help", "rules", "detect --help", "completion bash"])("leakwatch %s | head -1", async (line) => {
    const { child, closed } = start(...line.split(" "));
    child.stdout?.destroy();
    expect(await closed).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  test("nor is one of what goes wrong", async () => {
    const { child, closed } = start("bogus");
    child.stderr?.destroy();
    expect(await closed).toMatchObject({ code: 2, signal: null });
  });

  test.runIf(fs.existsSync("/dev/full"))("a full disk is", async () => {
    const { closed } = startNode([builtMain, "rules"], fs.openSync("/dev/full", "w"));
    expect(await closed).toMatchObject({
      code: 1,
      stderr: "leakwatch: cannot write the output: ENOSPC: no space left on device, write\n",
    });
  });
});

describe("what the machine does not allow is exit 1, with one plain line", () => {
  test("a port that is in use", async () => {
    const holder = net.createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    onTestFinished(() => void holder.close());
    const address = `127.0.0.1:${(holder.address() as net.AddressInfo).port}`;
    expect(await run(`--web.listen-address=${address}`)).toMatchObject({
      code: 1,
      stderr: `leakwatch: cannot listen on ${address}: the port is in use. Choose another with --web.listen-address\n`,
    });
  });

  test("an address of another machine", async () => {
    const { code, stderr } = await run("--web.listen-address=192.0.2.1:0"); // TEST-NET-1, RFC 5737
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "leakwatch: cannot listen on 192.0.2.1:0: this machine has no such address\n",
    });
  });

  test("a procfs that is not there", async () => {
    const { code, stderr } = await run("--path.procfs=/nowhere", "--web.listen-address=127.0.0.1:0");
    expect(code).toBe(1);
    expect(stderr.split("\n").filter((line) => line.startsWith("leakwatch: "))).toEqual([
      "leakwatch: cannot read /nowhere: ENOENT: no such file or directory, scandir '/nowhere'",
    ]);
    expect(stderr).not.toContain("    at ");
  });
});

describe("leakwatch serve", () => {
  test("is what runs without a command, and serves what it watches", async () => {
    const { get, url } = await serve();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await get("/metrics")).text).toContain('leakwatch_process_threads{group="api",slot="0"} 1\n');
    expect((await get("/-/ready")).status).toBe(200);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "ends well on %s, though Prometheus keeps its connection",
    async (signal) => {
      const { child, closed, logged, url } = await serve("serve");
      const agent = new http.Agent({ keepAlive: true });
      onTestFinished(() => agent.destroy());
      await request(`${url}/metrics`, { agent });
      child.kill(signal);
      await logged(new RegExp(`msg=stopping signal=${signal}`));
      expect(await closed).toMatchObject({ code: 0, signal: null, stdout: "" });
    },
  );

  test("reads its configuration again on SIGHUP, and keeps the old one when the new one is wrong", async () => {
    // every scrape takes a pass of its own
    const groupsAre = (name: string) =>
      `sampling: { max_age: 1ms }\ngroups: [{ name: ${name}, match: { exe: ".*" } }]\n`;
    const file = temporaryFile("leakwatch.yml", groupsAre("before"));
    const { child, get, logged } = await serve("serve", `--config.file=${file}`);
    expect((await get("/metrics")).text).toContain('{group="before",slot="0"}');

    fs.writeFileSync(file, groupsAre("after"));
    child.kill("SIGHUP");
    await logged(/msg="configuration loaded"/);
    expect((await get("/metrics")).text).toContain('{group="after",slot="0"}');

    fs.writeFileSync(file, "groups: 7\n");
    child.kill("SIGHUP");
    await logged(
      /msg="configuration rejected, keeping the previous one" error="\S+leakwatch.yml:1: groups: expected a list/,
    );
    const { text } = await get("/metrics");
    expect(text).toContain('{group="after",slot="0"}');
    expect(text).toContain("leakwatch_config_last_reload_successful 0\n");
  });

  test("logs in JSON when told to", async () => {
    const started = start(
      "--log.format=json",
      "--web.listen-address=127.0.0.1:0",
      `--path.procfs=${fakeMachine().root}/proc`,
    );
    await started.logged(/"msg":"listening"/);
    started.child.kill("SIGTERM");
    const { stderr } = await started.closed;
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual(["watching", "listening", "stopping"]);
  });
});
