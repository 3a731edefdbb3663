import bcrypt from "bcryptjs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { BasicAuth } from "../../exporter/web/basic-auth.ts";

vi.mock("bcryptjs", async (original) => {
  const real = (await original<{ default: typeof bcrypt }>()).default;
  return { default: { ...real, compare: vi.fn(real.compare) } };
});

// 4 rounds, the least: what is tested is not bcrypt
const users = new Map([
  ["prometheus", bcrypt.hashSync("correct horse", 4)],
  ["grafana", bcrypt.hashSync("pass:word", 4).replace("$2b$", "$2y$")], // as htpasswd writes it
]);

const header = (credentials: string) => `Basic ${Buffer.from(credentials).toString("base64")}`;

describe("BasicAuth", () => {
  beforeEach(() => {
    vi.mocked(bcrypt.compare).mockClear();
  });

  test.each<[string, string | undefined, boolean]>([
    ["the right password", header("prometheus:correct horse"), true],
    ["a password with a colon, against a hash of htpasswd", header("grafana:pass:word"), true],
    ["a scheme in small letters", header("prometheus:correct horse").replace("Basic", "basic"), true],
    ["a wrong password", header("prometheus:wrong horse"), false],
    ["another user's password", header("prometheus:pass:word"), false],
    ["an unknown user", header("nobody:correct horse"), false],
    ["no password", header("prometheus:"), false],
    ["no colon", header("prometheus"), false],
    ["no header", undefined, false],
    ["another scheme", "Bearer abcdef", false],
    ["text that is not base64", "Basic %%%", false],
    ["the hash itself", header(`prometheus:${users.get("prometheus")}`), false],
  ])("%s", async (_, authorization, accepted) => {
    expect(await new BasicAuth().accepts(authorization, users)).toBe(accepted);
  });

  test("computes the hash of a right password once", async () => {
    const auth = new BasicAuth();
    for (let i = 0; i < 5; i++) expect(await auth.accepts(header("prometheus:correct horse"), users)).toBe(true);
    expect(bcrypt.compare).toHaveBeenCalledTimes(1);
  });

  test("never remembers a wrong one", async () => {
    const auth = new BasicAuth();
    for (let i = 0; i < 3; i++) expect(await auth.accepts(header("prometheus:wrong"), users)).toBe(false);
    expect(bcrypt.compare).toHaveBeenCalledTimes(3);
  });

  test("takes as long for an unknown user as for a known one, so that names cannot be guessed", async () => {
    await new BasicAuth().accepts(header("nobody:correct horse"), users);
    expect(bcrypt.compare).toHaveBeenCalledExactlyOnceWith("correct horse", expect.stringMatching(/^\$2b\$10\$/));
  });

  test("forgets a password that was changed, and a user who was removed", async () => {
    const auth = new BasicAuth();
    expect(await auth.accepts(header("prometheus:correct horse"), users)).toBe(true);
    const changed = new Map([["prometheus", bcrypt.hashSync("new", 4)]]);
    expect(await auth.accepts(header("prometheus:correct horse"), changed)).toBe(false);
    expect(await auth.accepts(header("prometheus:correct horse"), new Map())).toBe(false);
    expect(await auth.accepts(header("prometheus:new"), changed)).toBe(true);
  });
});
