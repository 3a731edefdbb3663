import { describe, expect, test } from "vitest";
import type { Container, ContainerEnd, ContainerList } from "../../../exporter/discovery/containers/container.ts";
import { Containers } from "../../../exporter/discovery/containers/containers.ts";
import { Failures } from "../../../exporter/failures.ts";
import { createLogger } from "../../../exporter/log.ts";
import { FakeClock } from "../../support/machine.ts";

const container = (id: string, changes: Partial<Container> = {}): Container => ({
  ...{ id, podUid: "", namespace: "", pod: "", workload: "", container: id, image: "", version: "" },
  ...{ isJob: false, restarts: undefined },
  ...changes,
});
const killed: ContainerEnd = { oomKilled: true, exitCode: 137, signal: 9, finishedAt: 1 };

/** Says what it is told to say, when it is told to. */
class FakeSource {
  readonly description = "a source";
  readonly interval = { usual: 60, soonest: 10 };
  readonly asked: string[][] = [];
  readonly file: "engine" | "pods";
  containers: Container[] = [];
  ends = new Map<string, ContainerEnd>();
  problem: unknown;
  answer: () => Promise<void> = async () => undefined;

  constructor(file: "engine" | "pods" = "pods") {
    this.file = file;
  }

  async list(ended: ReadonlySet<string>): Promise<ContainerList> {
    this.asked.push([...ended]);
    await this.answer();
    const containers = new Map(this.containers.map((one) => [one.id, one]));
    return { containers, ends: this.ends, problem: this.problem };
  }
}

function pollingOf(...sources: FakeSource[]) {
  const logged: string[] = [];
  const failures = new Failures(createLogger("info", "logfmt", (line) => logged.push(line)));
  const clock = new FakeClock();
  let changes = 0;
  const containers = new Containers({ sources, failures, clock, onChange: () => changes++ });
  const after = async (seconds: number) => {
    clock.advance(seconds);
    await containers.refreshIfDue();
  };
  return { containers, failures, clock, logged, after, changes: () => changes };
}

/** How often it was asked within so many seconds, when it could be at each of them. */
async function askedWithin(source: FakeSource, after: (seconds: number) => Promise<void>, seconds: number) {
  const before = source.asked.length;
  for (let second = 0; second < seconds; second++) await after(1);
  return source.asked.length - before;
}

describe("a list is asked for", () => {
  test("at once, and then at the usual times", async () => {
    const source = new FakeSource();
    const { after, containers, clock } = pollingOf(source);
    await after(0);
    await after(59);
    expect(source.asked).toHaveLength(1);
    await after(1);
    expect(source.asked).toHaveLength(2);
    expect(containers.listedAt).toBe(clock.unix());
  });

  test("one at a time, however slow the answer is", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    let answer = () => {};
    source.answer = () => new Promise((resolve) => (answer = resolve));
    const first = after(0);
    const second = after(3600);
    expect(source.asked).toHaveLength(1);
    expect(containers.listedAt).toBeUndefined();
    answer();
    await Promise.all([first, second]);
    expect(containers.listedAt).toBeDefined();
  });

  test("sooner when a container is not known, yet not at once", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    await after(0);
    expect(containers.of("new")).toBeUndefined();
    await after(9);
    expect(source.asked).toHaveLength(1);
    source.containers = [container("new")];
    await after(1);
    expect(containers.of("new")?.container).toBe("new");
  });

  test("three times for one that nobody knows, then at the usual times", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    await after(0);
    for (let search = 0; search < 3; search++) {
      containers.of("of another engine");
      await after(10);
    }
    expect(source.asked).toHaveLength(4);
    containers.of("of another engine");
    await after(59);
    expect(source.asked).toHaveLength(4);
    await after(1);
    expect(source.asked).toHaveLength(5);
  });

  test("not because somebody peeks", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    await after(0);
    expect(containers.peek("new")).toBeUndefined();
    await after(30);
    expect(source.asked).toHaveLength(1);
  });

  test("sooner when a process of one ended, which the source is told", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    source.containers = [container("api")];
    await after(0);
    containers.ended("api");
    source.ends = new Map([["api", killed]]);
    await after(9);
    expect(containers.endOf("api")).toBeUndefined();
    await after(1);
    expect(source.asked).toEqual([[], ["api"]]);
    expect(containers.endOf("api")).toEqual(killed);
  });
});

describe("an end", () => {
  test("that the source does not know yet is asked for again soon", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    source.containers = [container("api")];
    await after(0);
    containers.ended("api");
    await after(10); // the kubelet has not told the API yet
    source.ends = new Map([["api", killed]]);
    await after(10);
    expect(containers.endOf("api")).toEqual(killed);
    expect(await askedWithin(source, after, 120)).toBe(2);
  });

  test("that the source never tells is asked for three times", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    source.containers = [container("api")];
    await after(0);
    containers.ended("api");
    expect(await askedWithin(source, after, 30)).toBe(3);
    expect(await askedWithin(source, after, 59)).toBe(0);
    containers.ended("api");
    expect(await askedWithin(source, after, 30)).toBe(3);
  });
});

describe("a source that fails", () => {
  test("is asked less and less often, up to every five minutes, and its last list stays", async () => {
    const source = new FakeSource();
    const { after, containers, failures, logged } = pollingOf(source);
    source.containers = [container("api")];
    await after(0);
    source.answer = () => Promise.reject(new Error("is shutting down"));
    await after(60);
    containers.of("new");
    containers.ended("api");
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure++) {
      let seconds = 0;
      for (const asked = source.asked.length; source.asked.length === asked; seconds++) await after(1);
      waits.push(seconds);
    }
    expect(waits).toEqual([20, 40, 80, 160, 300, 300, 300]);
    expect(containers.peek("api")).toBeDefined();
    expect([...failures]).toEqual([{ file: "pods", reason: "io", count: 8 }]);
    expect(logged).toEqual([expect.stringContaining("is shutting down")]);
  });

  test("is asked at the usual times again when it answers, for what was wanted meanwhile as well", async () => {
    const source = new FakeSource();
    const { after, containers } = pollingOf(source);
    source.answer = () => Promise.reject(new Error("is shutting down"));
    containers.ended("api");
    await after(0);
    source.answer = async () => undefined;
    source.ends = new Map([["api", killed]]);
    await after(20);
    expect(source.asked).toEqual([["api"], ["api"]]);
    expect(await askedWithin(source, after, 120)).toBe(2);
  });

  test("in part only is counted, and not asked less often", async () => {
    const source = new FakeSource("engine");
    const { after, failures } = pollingOf(source);
    source.problem = new Error("no state");
    await after(0);
    expect(await askedWithin(source, after, 120)).toBe(2);
    expect([...failures]).toEqual([{ file: "engine", reason: "io", count: 3 }]);
  });
});

describe("changes are told", () => {
  test.each<[string, Container[], number]>([
    ["of nothing, where the list is the same", [container("a")], 1],
    ["of nothing, where only a restart was counted", [container("a", { restarts: 3 })], 1],
    ["of another container", [container("b")], 2],
    ["of one that is called otherwise", [container("a", { container: "renamed" })], 2],
    ["of one that is no more", [], 2],
  ])("%s", async (_, next, times) => {
    const source = new FakeSource();
    const { after, changes } = pollingOf(source);
    source.containers = [container("a")];
    await after(0);
    source.containers = next;
    await after(60);
    expect(changes()).toBe(times);
  });
});

test("of two sources the first that knows a container describes it", async () => {
  const [pods, engine] = [new FakeSource("pods"), new FakeSource("engine")];
  const { after, containers } = pollingOf(pods, engine);
  pods.containers = [container("both", { workload: "api" })];
  engine.containers = [container("both"), container("plain")];
  engine.ends = new Map([["plain", killed]]);
  await after(0);
  expect(containers.of("both")?.workload).toBe("api");
  expect(["both", "plain"].map((id) => containers.peek(id)?.id)).toEqual(["both", "plain"]);
  expect(containers.endOf("plain")).toEqual(killed);
  containers.ended("plain");
  await after(10);
  expect([pods.asked.length, engine.asked.length]).toEqual([1, 2]);
});

test("ends are forgotten, the oldest first, when there are many", async () => {
  const source = new FakeSource();
  const { after, containers } = pollingOf(source);
  source.ends = new Map(Array.from({ length: 1500 }, (_, i) => [`c${i}`, killed]));
  await after(0);
  expect([containers.endOf("c499"), containers.endOf("c500")]).toEqual([undefined, killed]);
});
