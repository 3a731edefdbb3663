import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KiB, sizes } from "../../catalog/defaults.ts";
import { isPlaceholder, safeArguments } from "../../exporter/discovery/arguments.ts";
import { type Candidate, isPauseProcess } from "../../exporter/discovery/identity.ts";
import { defaultName } from "../../exporter/discovery/name.ts";
import { parseCmdline } from "../../exporter/procfs/cmdline.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

const leftOut = "…";
/** As many arguments of 99 characters as are told apart by their numbers. */
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `--option-${i}`.padEnd(99, "x"));

describe("safeArguments", () => {
  test.each([
    ["no arguments", []],
    ["an empty one", [""]],
    ["empty ones", ["", "", ""]],
    ["ordinary ones", ["node", "--port", "80", "server.js"]],
    ["a title", ["nginx: worker process"]],
    ["one that is just short enough", ["app", "x".repeat(sizes.argument)]],
    ["as many as fit", numbered(80)],
    ["as many as fit into both halves, though not into one", numbered(160)],
  ])("leaves %s", (_, argv) => {
    expect(safeArguments(argv)).toEqual(argv);
  });

  test("hides secrets", () => {
    expect(safeArguments(["app", "--token", "hunter2", "--db=postgres://a:hunter2@b/c"])).toEqual([
      "app",
      "--token",
      "***",
      "--db=postgres://***@b/c",
    ]);
    expect(safeArguments(["app: password=hunter2"])).toEqual(["app: password=***"]);
  });

  test("leaves out a single one that is too long, and nothing beside it", () => {
    expect(safeArguments(["java", "-cp", "x".repeat(sizes.argument + 1), "Main"])).toEqual([
      "java",
      "-cp",
      leftOut,
      "Main",
    ]);
  });

  test("of too many keeps the first and the last, in their order and each once", () => {
    const argv = numbered(1000);
    const safe = safeArguments(argv);
    const at = safe.indexOf(leftOut);
    expect(safe.slice(0, at)).toEqual(argv.slice(0, at));
    expect(safe.slice(at + 1)).toEqual(argv.slice(-(safe.length - at - 1)));
    // 81 of 100 characters, with the blank between them, fill half of the room
    expect([at, safe.length - at - 1]).toEqual([81, 81]);
    expect(safe.filter((one) => one === leftOut)).toHaveLength(1);
  });

  test.each([162, 163, 164])("leaves one out where %i do not fit, and doubles none", (count) => {
    const safe = safeArguments(numbered(count));
    expect(new Set(safe).size).toBe(safe.length);
    expect(safe.includes(leftOut)).toBe(count > 162);
  });

  test("finds a Java class behind kilobytes of options", () => {
    const safe = safeArguments(["java", ...numbered(500), "-jar", "orders.jar", "--fast"]);
    expect(safe[0]).toBe("java");
    expect(safe.slice(-3)).toEqual(["-jar", "orders.jar", "--fast"]);
    expect(defaultName({ comm: "java", exe: "/usr/bin/java", argv: safe }).name).toBe("orders.jar");
  });

  test.each([
    ["an option", ["--token", "hunter2"]],
    ["a word", ["AUTH", "hunter2"]],
    ["a letter", ["-u", "me:hunter2"]],
  ])("hides what is announced by %s at any place of a cut", (_, pair) => {
    const filler = numbered(400);
    for (let before = 70; before < 90; before++) {
      const front = [...filler.slice(0, before), ...pair, ...filler];
      const back = [...filler, ...pair, ...filler.slice(0, before)];
      expect(safeArguments(front).join(" ")).not.toContain("hunter2");
      expect(safeArguments(back).join(" ")).not.toContain("hunter2");
    }
  });

  test("hides behind the cut what only the program before it makes a secret", () => {
    expect(safeArguments(["mysql", ...numbered(400), "-phunter2", "shop"]).slice(-2)).toEqual(["-p***", "shop"]);
    expect(safeArguments(["app", ...numbered(100), "redis-cli", ...numbered(200), "-a", "hunter2"]).slice(-2)).toEqual([
      "-a",
      "***",
    ]);
  });

  test("hides a value that is too long, and what follows an option that was too long", () => {
    expect(safeArguments(["app", "--token", "x".repeat(5000), "y"])).toEqual(["app", "--token", "***", "y"]);
    expect(safeArguments(["app", `--token=${"x".repeat(5000)}`, "y"])).toEqual(["app", leftOut, "y"]);
  });

  test("cuts a title between words, so that no half of a secret is left", () => {
    const title = `worker: ${"x ".repeat(2040)}`;
    for (let blanks = 0; blanks < 30; blanks++) {
      const [safe = ""] = safeArguments([
        `${title}${" ".repeat(blanks)} ghp_0123456789abcdefghij0123456789 ${"y ".repeat(50)}`,
      ]);
      expect(safe).not.toMatch(/ghp|y{2}/);
      expect(safe.length).toBeLessThanOrEqual(sizes.argument + 1);
    }
    expect(safeArguments([`worker: --token ${"x".repeat(5000)}`])).toEqual([`worker: --token${leftOut}`]);
    expect(safeArguments(["x".repeat(5000)])).toEqual([leftOut]);
  });

  test("is never much longer than its room, and never shows what an option announces", () => {
    const word = fc.oneof(
      fc.constantFrom("--token", "", "a b", "-x", "--port=80"),
      fc.nat({ max: 5000 }).map((length) => "y".repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), fc.array(word, { maxLength: 60 }), (before, after) => {
        const safe = safeArguments(["app", ...before, "--password", "hunter2", ...after]);
        expect(safe.join(" ")).not.toContain("hunter2");
        expect(safe.join(" ").length).toBeLessThanOrEqual(sizes.arguments + leftOut.length + 2 + 3 * safe.length);
      }),
    );
  });
});

describe("isPlaceholder", () => {
  test.each([
    [leftOut, true],
    ["***", true],
    ["--token=***", true],
    ["server.js", false],
    ["…server.js", false],
    ["**", false],
    ["", false],
  ])("%j: %s", (argument, expected) => {
    expect(isPlaceholder(argument)).toBe(expected);
  });

  test("is true of all that safeArguments puts in", () => {
    const argv = ["node", "--token", "hunter2", "x".repeat(5000), "--password=a", "server.js"];
    expect(
      safeArguments(argv)
        .filter((one) => !argv.includes(one))
        .every(isPlaceholder),
    ).toBe(true);
  });
});

describe("nothing that looks at arguments can be made to work for long", () => {
  const candidate = { comm: "x", exe: undefined } as Candidate;

  test.each(hostileTexts)("by %j", (_, text) => {
    const argv = parseCmdline(text);
    const words = text.split(" ").slice(0, sizes.argumentCount);
    const looks: (() => unknown)[] = [
      () => parseCmdline(text),
      () => parseCmdline(`a${text}`),
      () => safeArguments(argv),
      () => safeArguments(["app", ...argv]),
      () => safeArguments(words),
      ...["node", "java", "python3", "sh", "busybox"].map(
        (program) => () => defaultName({ comm: program, exe: `/bin/${program}`, argv: [program, text, ...words] }),
      ),
      ...["puma ", "puma 6 [", "gunicorn: master [", "sidekiq 7 ", "npm ", "x-"].map(
        (title) => () => defaultName({ comm: "ruby", exe: "/usr/bin/ruby", argv: [title + text] }),
      ),
      ...["gunicorn", "celery -A", "bundle exec", "artisan", "npm-cli.js run"].map((launcher) => () => {
        const argv = ["ruby", ...launcher.split(" "), text, ...words];
        return defaultName({ comm: "ruby", exe: "/usr/bin/ruby", argv, cwd: () => text, unit: text });
      }),
      () => defaultName({ comm: "java", exe: "/bin/java", argv: ["java", `-Dspring.application.name=${text}`, text] }),
      () => defaultName({ comm: "beam.smp", exe: "/bin/beam.smp", argv: ["beam.smp", "-sname", text, ...words] }),
      () => defaultName({ comm: "node", exe: "/bin/node", argv: ["node", "."], cwd: () => `/${text}` }),
      () => defaultName({ comm: text, exe: text, argv: [text] }),
      () => defaultName({ comm: "x", exe: undefined, argv: [`${text} (deleted)`] }),
      () => isPauseProcess({ ...candidate, cmdline: text }),
      () => isPauseProcess({ ...candidate, cmdline: `sleep ${text}`, exe: text }),
    ];
    for (const look of looks) expect(cpuSeconds(look)).toBeLessThan(mostCpuSeconds);
  });

  test("even where all arguments are as long as they may be", () => {
    const argv = Array.from({ length: 32 }, () => "--a=".repeat(KiB));
    expect(cpuSeconds(() => safeArguments(argv))).toBeLessThan(mostCpuSeconds);
  });
});
