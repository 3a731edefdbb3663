import { describe, expect, test } from "vitest";
import { EngineSource, parseDetails, parseList } from "../../../exporter/discovery/containers/engine.ts";
import { FakeEngine } from "./fake-engine.ts";

const api = "4f1e".repeat(16);
const web = "77aa".repeat(16);
const running = { Running: true, FinishedAt: "0001-01-01T00:00:00Z" };
const killed = {
  State: { Status: "exited", Running: false, OOMKilled: true, ExitCode: 137, FinishedAt: "2026-10-01T12:00:30.5Z" },
  RestartCount: 2,
};
const killedEnd = { oomKilled: true, exitCode: 137, signal: 9, finishedAt: 1_790_856_030.5 };

describe("EngineSource", () => {
  test("asks for the list and once for each container, and for the list only while all go on", async () => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    engine.list = [{ Id: api, Names: ["/api"], Image: "shop/api:1.4.2", Status: "Up 3 hours (healthy)" }];
    await source.list(new Set());
    const { containers, ends } = await source.list(new Set());
    expect(containers.get(api)).toMatchObject({
      container: "api",
      version: "1.4.2",
      isJob: false,
      restarts: undefined,
    });
    expect(ends.size).toBe(0);
    const list = "GET /containers/json";
    expect(engine.requests).toEqual([list, `GET /containers/${api}/json`, list]);
  });

  test.each([
    ["has just been started", "Up 4 seconds (health: starting)"],
    ["was started this very second", "Up Less than a second"],
    ["waits to be started again", "Restarting (137) 3 seconds ago"],
  ])("asks how often one was restarted that %s", async (_, Status) => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 3 hours" }];
    engine.details.set(api, { State: running, RestartCount: 6 });
    expect((await source.list(new Set())).containers.get(api)?.restarts).toBe(6);
    engine.list = [{ Id: api, Names: ["/api"], Status }];
    engine.details.set(api, { State: running, RestartCount: 7 });
    expect((await source.list(new Set())).containers.get(api)?.restarts).toBe(7);
  });

  test("remembers that while the container is listed", async () => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 4 seconds" }];
    engine.details.set(api, { State: running, RestartCount: 7 });
    await source.list(new Set());
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 2 minutes" }];
    expect((await source.list(new Set())).containers.get(api)?.restarts).toBe(7);
    expect(engine.requests).toHaveLength(3);
  });

  test("asks how one ended that is listed no more", async () => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 3 hours" }];
    await source.list(new Set());
    engine.list = [];
    engine.details.set(api, killed);
    expect((await source.list(new Set())).ends).toEqual(new Map([[api, killedEnd]]));
  });

  test("asks how one ended of which that is wanted, and gives nothing of one that runs again or was removed", async () => {
    const engine = await FakeEngine.start();
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 3 hours" }];
    engine.details.set(api, { State: { ...killed.State, Running: true }, RestartCount: 3 });
    const { ends, problem } = await new EngineSource(engine.socket).list(new Set([api, web]));
    expect(engine.requests.slice(1)).toEqual([`GET /containers/${api}/json`, `GET /containers/${web}/json`]);
    expect([ends.size, problem]).toEqual([0, undefined]);
  });

  test("asks for a few of many after each list, one after the other, and for each once", async () => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    const ids = Array.from({ length: 25 }, (_, i) => i.toString(16).padStart(64, "0"));
    for (const id of ids) engine.details.set(id, killed);
    const counts: number[] = [];
    for (const ended of [new Set(ids), new Set<string>(), new Set<string>(), new Set<string>()]) {
      counts.push((await source.list(ended)).ends.size);
    }
    expect(counts).toEqual([10, 10, 5, 0]);
    expect(engine.mostAtOnce).toBe(1);
    expect(engine.requests).toHaveLength(4 + ids.length);
  });

  test("gives the list where the details are wrong, says so, and does not ask for the same again", async () => {
    const engine = await FakeEngine.start();
    const source = new EngineSource(engine.socket);
    engine.list = [{ Id: api, Names: ["/api"], Status: "Up 3 hours" }];
    engine.details.set(api, []);
    const { containers, problem } = await source.list(new Set([api]));
    expect([...containers.keys()]).toEqual([api]);
    expect(problem).toMatchObject({ message: "the engine's container has no state" });
    expect((await source.list(new Set())).problem).toBeUndefined();
  });

  test("puts no id into a path that is none", async () => {
    const engine = await FakeEngine.start();
    await new EngineSource(engine.socket).list(new Set(["..", "../images", "a/b", "x y", ""]));
    expect(engine.requests).toEqual(["GET /containers/json"]);
  });
});

describe("an engine that answers badly is given up", () => {
  const asking = (engine: FakeEngine, seconds?: number) =>
    new EngineSource(engine.socket, seconds === undefined ? {} : { seconds }).list(new Set());

  test("one that does not answer", async () => {
    const engine = await FakeEngine.start();
    engine.behaviour = "silent";
    await expect(asking(engine, 0.2)).rejects.toThrow("the container engine did not answer within 0.2 s");
  });

  test("one that answers a byte now and then, for ever", async () => {
    const engine = await FakeEngine.start();
    engine.behaviour = "dribbling";
    await expect(asking(engine, 0.5)).rejects.toThrow("the container engine did not answer within 0.5 s");
    await expect.poll(() => engine.connections).toBe(0);
  });

  test("one that answers without end", async () => {
    const engine = await FakeEngine.start();
    engine.behaviour = "endless";
    await expect(asking(engine, 60)).rejects.toThrow(
      "the answer of the container engine is larger than 33554432 bytes",
    );
    await expect.poll(() => engine.connections).toBe(0);
  });

  test("one that closes in the middle", async () => {
    const engine = await FakeEngine.start();
    engine.behaviour = "closing";
    await expect(asking(engine)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("one that speaks another language", async () => {
    const engine = await FakeEngine.start();
    engine.behaviour = "no HTTP";
    await expect(asking(engine)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) });
  });

  test("one that refuses", async () => {
    const engine = await FakeEngine.start();
    engine.status = 500;
    await expect(asking(engine)).rejects.toThrow("the container engine answered 500");
  });

  test("one that is not there", async () => {
    await expect(new EngineSource("/nowhere/docker.sock").list(new Set())).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("parseList", () => {
  test.each([
    ["a web page", "<html>", "is not JSON"],
    ["an error of the engine", '{"message":"page not found"}', "is no list"],
  ])("rejects %s", (_, text, message) => {
    expect(() => parseList(text)).toThrow(message);
  });

  test.each([
    ["an element without an id", '[{"Names":["/api"]}]'],
    ["one that is nothing", "[null, 7]"],
  ])("leaves out %s", (_, text) => {
    expect(parseList(text)).toEqual([]);
  });
});

describe("parseDetails", () => {
  test("knows the end of a container that waits to be started again", () => {
    const State = { ...killed.State, Status: "restarting", Running: true, Restarting: true };
    // the engine counts the restart that it waits for
    expect(parseDetails(JSON.stringify({ State, RestartCount: 4 }))).toEqual({ restarts: 3, end: killedEnd });
  });

  test.each([
    ["runs", running],
    ["was never started", { Running: false, ExitCode: 0, FinishedAt: "0001-01-01T00:00:00Z" }],
  ])("knows no end of one that %s", (_, State) => {
    expect(parseDetails(JSON.stringify({ State }))).toEqual({ restarts: undefined, end: undefined });
  });

  test("takes no signal from an ordinary exit code", () => {
    const State = { Running: false, ExitCode: 3, FinishedAt: "2026-10-01T12:00:30.5Z" };
    expect(parseDetails(JSON.stringify({ State })).end).toEqual({
      ...killedEnd,
      oomKilled: false,
      exitCode: 3,
      signal: undefined,
    });
  });

  test.each([
    ["no JSON", "<html>", "is not JSON"],
    ["nothing", "null", "has no state"],
    ["a list", "[]", "has no state"],
  ])("rejects %s", (_, text, message) => {
    expect(() => parseDetails(text)).toThrow(message);
  });
});
