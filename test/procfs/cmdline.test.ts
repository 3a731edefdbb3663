import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizes } from "../../catalog/defaults.ts";
import { parseCmdline } from "../../exporter/procfs/cmdline.ts";
import { fixture } from "../support/fixtures.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

describe("parseCmdline", () => {
  test.each([
    ["Node.js", 7769, ["node", "server.js"]],
    ["Python", 7770, ["python3", "-m", "http.server", "8000", "--directory", "/srv/www"]],
    ["Java", 7771, ["java", "-Xmx64m", "-jar", "orders.jar"]],
    ["the PostgreSQL postmaster", 7772, ["/usr/lib/postgresql/15/bin/postgres", "-D", "/srv/db", "-k", "/srv/db"]],
    ["a PostgreSQL title, padded with NULs", 7808, ["postgres: checkpointer "]],
    ["a PostgreSQL backend", 7840, ["postgres: postgres postgres [local] SELECT"]],
    ["an nginx title", 7773, ["nginx: master process nginx -g daemon off;"]],
    ["a path with blanks, a newline and broken bytes", 7776, ["/srv/app/job (nightly)\n\ufffd\ufffd run", "hold", "3"]],
    ["a zombie", 7780, []],
    ["a kernel thread", 2, []],
  ])("reads %s", (_, pid, argv) => {
    expect(parseCmdline(fixture("debian12-host-v1/proc", String(pid), "cmdline"))).toEqual(argv);
  });

  test.each([
    ["an empty argument in the middle", "sh\0-c\0\0x\0", ["sh", "-c", "", "x"]],
    ["a title without a NUL", "gunicorn: master [shop]", ["gunicorn: master [shop]"]],
    ["nothing but NULs", "\0\0\0", []],
    ["nothing", "", []],
    ["one letter", "x", ["x"]],
    ["an empty first argument", "\0-x\0", ["", "-x"]],
    ["a title, padded with NULs", "nginx: worker\0\0\0\0", ["nginx: worker"]],
    ["a last argument that is cut off, since the file is read no further", "sh\0-c\0slee", ["sh", "-c", "slee"]],
  ])("understands %s", (_, text, argv) => {
    expect(parseCmdline(text)).toEqual(argv);
  });

  test("gives back any arguments, but for empty ones at the end", () => {
    const argument = anyText.map((text) => text.replaceAll("\0", ""));
    fc.assert(
      fc.property(fc.array(argument), argument, (argv, last) => {
        const all = [...argv, `${last}.`];
        expect(parseCmdline(all.map((one) => `${one}\0`).join(""))).toEqual(all);
      }),
    );
  });

  test("never throws, and never invents a NUL", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(parseCmdline(text).join("")).not.toContain("\0");
      }),
    );
  });

  test("gives no more than the first 4096, of however many there are", () => {
    const all = Array.from({ length: 5000 }, (_, i) => `${i}`);
    expect(parseCmdline(`${all.join("\0")}\0`)).toEqual(all.slice(0, sizes.argumentCount));
    expect(parseCmdline("a\0".repeat(sizes.argumentCount))).toHaveLength(sizes.argumentCount);
    expect(parseCmdline(`${"\0".repeat(100_000)}x`)).toEqual(Array(sizes.argumentCount).fill(""));
  });

  test.each(hostileTexts)("takes time in proportion to a text of %j", (_, text) => {
    for (const file of [text, `${text}x`, `x${text}`, text.replaceAll("=", "\0")]) {
      expect(cpuSeconds(() => parseCmdline(file))).toBeLessThan(mostCpuSeconds);
    }
  });
});
