import bcrypt from "bcryptjs";
import { describe, expect, test, vi } from "vitest";
import { BasicAuth } from "../../exporter/web/basic-auth.ts";

// 4 rounds, the least: what is tested is not bcrypt
const users = new Map([
  ["prometheus", bcrypt.hashSync("correct horse", 4)],
  ["grafana", bcrypt.hashSync("pass:word", 4).replace("$2b$", "$2y$")], // as htpasswd writes it
]);

const header = (credentials: string) => `Basic ${Buffer.from(credentials).toString("base64")}`;
const right = header("prometheus:correct horse");
const wrong = (i: number | string = "") => header(`prometheus:wrong ${i}`);
const [here, elsewhere] = ["192.0.2.1", "192.0.2.2"];

/** With a clock of its own, and comparisons that are counted. */
function authentication(compare = (password: string, hash: string) => bcrypt.compare(password, hash)) {
  const clock = { seconds: 1000 };
  const counted = vi.fn(compare);
  const auth = new BasicAuth({ compare: counted, now: () => clock.seconds });
  const check = (authorization: string, { from = here, as = users } = {}) => auth.check(authorization, as, from);
  return { clock, counted, check };
}

describe("BasicAuth", () => {
  test.each<[string, string | undefined, "accepted" | "refused"]>([
    ["the right password", right, "accepted"],
    ["a password with a colon, against a hash of htpasswd", header("grafana:pass:word"), "accepted"],
    ["a scheme in small letters", right.replace("Basic", "basic"), "accepted"],
    ["a wrong password", header("prometheus:wrong horse"), "refused"],
    ["another user's password", header("prometheus:pass:word"), "refused"],
    ["an unknown user", header("nobody:correct horse"), "refused"],
    ["no password", header("prometheus:"), "refused"],
    ["no colon", header("prometheus"), "refused"],
    ["no header", undefined, "refused"],
    ["another scheme", "Bearer abcdef", "refused"],
    ["text that is not base64", "Basic %%%", "refused"],
    ["the hash itself", header(`prometheus:${users.get("prometheus")}`), "refused"],
  ])("%s", async (_, authorization, admission) => {
    expect(await new BasicAuth().check(authorization, users, here)).toBe(admission);
  });

  test("compares a right password once", async () => {
    const { counted, check } = authentication();
    for (let i = 0; i < 5; i++) expect(await check(right)).toBe("accepted");
    expect(counted).toHaveBeenCalledTimes(1);
  });

  test("compares for an unknown user as for a known one, at the same cost, so that names cannot be guessed", async () => {
    const { counted, check } = authentication();
    expect(await check(header("nobody:correct horse"))).toBe("refused");
    expect(await check(header("nobody:correct horse"))).toBe("refused");
    expect(counted).toHaveBeenCalledExactlyOnceWith("correct horse", expect.stringMatching(/^\$2b\$04\$.{53}$/));
  });

  test("forgets a password that was changed, and a user who was removed", async () => {
    const { check } = authentication();
    expect(await check(right)).toBe("accepted");
    const changed = new Map([["prometheus", bcrypt.hashSync("new", 4)]]);
    expect(await check(right, { as: changed })).toBe("refused");
    expect(await check(right, { as: new Map() })).toBe("refused");
    expect(await check(header("prometheus:new"), { as: changed })).toBe("accepted");
  });

  test("accepts at once what was refused under the old password", async () => {
    const { check } = authentication();
    expect(await check(header("prometheus:new"))).toBe("refused");
    const changed = new Map([["prometheus", bcrypt.hashSync("new", 4)]]);
    expect(await check(header("prometheus:new"), { as: changed })).toBe("accepted");
  });
});

describe("the cost of wrong passwords", () => {
  test("is one comparison for the same one, however often it is sent", async () => {
    const { clock, counted, check } = authentication();
    for (let i = 0; i < 1000; i++) expect(await check(wrong())).toBe("refused");
    expect(counted).toHaveBeenCalledTimes(1);
    clock.seconds += 61; // then it is forgotten
    expect(await check(wrong())).toBe("refused");
    expect(counted).toHaveBeenCalledTimes(2);
  }, 60_000);

  test("is one comparison for the same one sent by 50 at once", async () => {
    const { counted, check } = authentication();
    const answers = await Promise.all(Array.from({ length: 50 }, () => check(wrong())));
    expect(new Set(answers)).toEqual(new Set(["refused"]));
    expect(counted).toHaveBeenCalledTimes(1);
  }, 60_000);

  test("is a few comparisons for 1,000 different ones of a client in one second, and one more for each second", async () => {
    const { clock, counted, check } = authentication();
    const answers = [];
    for (let i = 0; i < 1000; i++) answers.push(await check(wrong(i)));
    expect(answers.filter((answer) => answer === "refused")).toHaveLength(5);
    expect(answers.filter((answer) => answer === "too many attempts")).toHaveLength(995);
    expect(counted).toHaveBeenCalledTimes(5);
    clock.seconds += 3;
    for (let i = 0; i < 1000; i++) await check(wrong(`again ${i}`));
    expect(counted).toHaveBeenCalledTimes(8);
  }, 60_000);

  test("is a few comparisons for 1,000 clients at once, one at a time", async () => {
    let [running, most] = [0, 0];
    const { counted, check } = authentication(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return false;
    });
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => check(wrong(i), { from: `10.0.${i >> 8}.${i & 255}` })),
    );
    expect(answers.filter((answer) => answer === "refused")).toHaveLength(5); // one runs, four wait
    expect(counted).toHaveBeenCalledTimes(5);
    expect(most).toBe(1);
  }, 60_000);

  test("is at most half of the time: after each comparison comes a rest", async () => {
    const times: number[] = [];
    const seconds = () => performance.now() / 1000;
    const busy = async () => {
      times.push(seconds());
      while (seconds() - (times.at(-1) as number) < 0.1);
      return false;
    };
    const auth = new BasicAuth({ compare: busy, now: seconds });
    await Promise.all(["a", "b", "c"].map((name) => auth.check(wrong(name), users, here)));
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThan(0.19);
    expect(third - second).toBeGreaterThan(0.19);
  }, 60_000);

  test("is not paid by a client that was let in before, nor by others' addresses", async () => {
    const { counted, check } = authentication();
    expect(await check(right)).toBe("accepted");
    const attack = Array.from({ length: 1000 }, (_, i) => check(wrong(i)));
    expect(await check(right)).toBe("accepted");
    await Promise.all(attack);
    expect(await check(wrong("one more"))).toBe("too many attempts");
    expect(await check(right)).toBe("accepted");
    expect(await check(header("grafana:pass:word"), { from: elsewhere })).toBe("accepted");
    expect(counted).toHaveBeenCalledTimes(5 + 1); // its own is among the five
  }, 60_000);

  test("goes on when a comparison fails", async () => {
    let failing = true;
    const { check } = authentication(async () => {
      if (failing) throw new Error("bcrypt is not there");
      return true;
    });
    await expect(check(right)).rejects.toThrow("bcrypt is not there");
    failing = false;
    expect(await check(right)).toBe("accepted");
  });

  test("is nothing for credentials that are longer than any", async () => {
    const { counted, check } = authentication();
    expect(await check(header(`prometheus:${"x".repeat(1024)}`))).toBe("refused");
    expect(await check(header("x".repeat(1024 - "x:".length).concat(":")))).toBe("refused");
    expect(counted).toHaveBeenCalledTimes(1);
  });
});
