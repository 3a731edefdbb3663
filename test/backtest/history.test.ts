import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { inspect } from "node:util";
import zlib from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { backtestHistory } from "../../exporter/backtest/history.ts";
import { historyOptions } from "../../exporter/backtest/history-options.ts";
import type { BacktestOptions } from "../../exporter/backtest/options.ts";
import { PrometheusApi } from "../../exporter/prometheus/api.ts";
import type { LabelSet } from "../../exporter/prometheus/labels.ts";
import { MiB } from "../support/fixtures.ts";
import { evil, shownEvil } from "../support/foreign.ts";
import { curves } from "../support/memory-curves.ts";
import { type Process, traceMember } from "../support/memory-traces.ts";
import { type Asked, deadAddress, FakePrometheus, gauge, refusal, type Samples } from "./fake-prometheus.ts";
import { StandInJudge } from "./stand-in-judge.ts";

const hour = 3600;
const now = 1_750_000_800; // a whole hour
const limit = 1536 * MiB;

/** A process of the last hours, at the times of a Prometheus. */
function recorded(process: Omit<Process, "limit">) {
  const { times, resident, startTime } = traceMember({ limit, ...process });
  const begin = now - process.hours * hour;
  return {
    times: times.map((t) => t + begin),
    resident,
    startTime: startTime.map((start) => start + begin),
  };
}

const defaults = { since: "6h", step: "60s" } as const;

async function backtest(series: readonly Samples[] | FakePrometheus, options: Partial<BacktestOptions> = {}) {
  const server = series instanceof FakePrometheus ? series : await FakePrometheus.start(series);
  const wanted = historyOptions({ ...defaults, ...options }, now);
  const judges: StandInJudge[] = [];
  const newJudge = () => {
    const judge = new StandInJudge();
    judges.push(judge);
    return judge;
  };
  const report = await backtestHistory(new PrometheusApi(server.url), newJudge, wanted, () => () => {});
  return { ...report, judges, byName: Object.fromEntries(report.traces.map((trace) => [trace.id, trace.episodes])) };
}

/** The URL of a server that answers everything in the same way. */
async function listening(answer: (response: http.ServerResponse) => void): Promise<string> {
  const server = http.createServer((_, response) => answer(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** Alerts of class leak, each once. */
const leaks = (episodes: readonly { alert: string; class: string }[] | undefined) => [
  ...new Set(episodes?.filter((one) => one.class === "leak").map(({ alert }) => alert)),
];

/** When each life that the judge was told of began. */
const startsOf = (judge: StandInJudge | undefined, slot = "0") => [
  ...new Set(judge?.samples.get(slot)?.map(({ startTime }) => startTime)),
];

describe("leakwatch's own series", () => {
  const exposed = (labels: LabelSet, slot: string, process: Omit<Process, "limit">) => {
    const { times, resident, startTime } = recorded(process);
    return [
      gauge("leakwatch_process_resident_memory_bytes", { ...labels, slot }, times, resident),
      gauge("leakwatch_process_start_time_seconds", { ...labels, slot }, times, startTime),
      gauge("leakwatch_process_memory_limit_bytes", { ...labels, slot }, times, limit),
    ];
  };
  const leak = { curve: curves.fastLeak, hours: 5, age: 0 };
  const flat = { curve: curves.flat, hours: 5 };

  test("are taken when there are any, service by service", async () => {
    const { byName, what, processes, named } = await backtest([
      ...exposed({ job: "leakwatch", group: "api" }, "0", flat),
      ...exposed({ job: "leakwatch", group: "api" }, "1", leak),
      ...exposed({ job: "leakwatch", group: "web" }, "0", flat),
      gauge("process_resident_memory_bytes", { job: "node" }, [now], 1),
    ]);
    expect(what).toContain("leakwatch_process_resident_memory_bytes of 3 processes of 2 services, limits from");
    expect(leaks(byName["api"])).toEqual(["LeakwatchMemoryLeak"]);
    expect(byName["api"]?.every(({ slot }) => slot === "1")).toBe(true);
    expect(byName["web"]).toEqual([]);
    expect({ processes, named }).toEqual({ processes: 3, named: 1 });
  });

  test("what cannot be given back is judged where it is exposed, in all its parts", async () => {
    const labels = { group: "api", slot: "0" };
    const times = [now - 120, now - 60, now];
    const { judges } = await backtest([
      gauge("leakwatch_process_resident_memory_bytes", labels, times, 900 * MiB),
      gauge("leakwatch_process_anonymous_memory_bytes", labels, times, [100 * MiB, 100 * MiB, Number.NaN]),
      gauge("leakwatch_process_shared_memory_bytes", labels, times, 20 * MiB),
      gauge("leakwatch_process_swap_bytes", labels, times, [Number.NaN, 3 * MiB, 3 * MiB]),
    ]);
    expect(judges[0]?.samples.get("0")?.map(({ bytes }) => bytes / MiB)).toEqual([120, 123, 900]);
  });

  test("groups of the same name are told apart by what else they have, or have not", async () => {
    const { byName } = await backtest([
      ...exposed({ job: "a", group: "api" }, "0", flat),
      ...exposed({ job: "a", group: "api", cluster: "east" }, "0", leak),
      ...exposed({ job: "b", group: "api" }, "0", leak),
    ]);
    expect(Object.entries(byName).map(([name, episodes]) => [name, leaks(episodes).length > 0])).toEqual([
      ["api/a", false],
      ["east/api/a", true],
      ["api/b", true],
    ]);
  });

  test("--match picks some of them", async () => {
    const { byName } = await backtest(
      [...exposed({ group: "api" }, "0", leak), ...exposed({ group: "web" }, "0", flat)],
      { match: '{group=~"w.*"}' },
    );
    expect(Object.keys(byName)).toEqual(["web"]);
  });
});

describe("a gauge of processes", () => {
  const series = (labels: LabelSet, process: Omit<Process, "limit">, withStart = true) => {
    const { times, resident, startTime } = recorded(process);
    const memory = gauge("process_resident_memory_bytes", labels, times, resident);
    return withStart ? [memory, gauge("process_start_time_seconds", labels, times, startTime)] : [memory];
  };

  test("is found by itself: a process for each set of labels, named by what differs", async () => {
    const { byName, what, traces } = await backtest(
      [
        ...series({ job: "api", instance: "a:80", zone: "1" }, { curve: curves.fastLeak, hours: 5, age: 0 }),
        ...series({ job: "api", instance: "b:80", zone: "1" }, { curve: curves.flat, hours: 5 }),
      ],
      { metric: "process_resident_memory_bytes", limitMetric: "1.5GiB" },
    );
    expect(what).toBe(
      "process_resident_memory_bytes of 2 processes, limit 1.50 GiB, 1 restart from process_start_time_seconds",
    );
    expect(leaks(byName["a:80"])).toContain("LeakwatchMemoryLeak");
    expect(byName["b:80"]).toEqual([]);
    expect(traces[0]?.labels).toEqual({ job: "api", instance: "a:80", zone: "1" });
  });

  test("a process that has no limit anywhere is judged without one", async () => {
    const { judges, what } = await backtest(series({ job: "api" }, { curve: curves.flat, hours: 4, age: 0 }));
    expect(what).toBe(
      "process_resident_memory_bytes of 1 process, no limits, no restarts in process_start_time_seconds",
    );
    expect(judges[0]?.samples.get("0")?.every((sample) => Number.isNaN(sample.limit))).toBe(true);
  });

  // 300 MiB an hour from 400 MiB: at the limit, and started again, every 3 h 45 min
  const loop = { curve: curves.fastLeak, hours: 24, age: 0 };
  const options = { metric: "process_resident_memory_bytes", limitMetric: "1536Mi", since: "1d" };

  test("restarts are those of the start time", async () => {
    const { judges, byName, what } = await backtest(series({ job: "api" }, loop), options);
    expect(startsOf(judges[0])).toHaveLength(7);
    expect(what).toContain("6 restarts from process_start_time_seconds");
    expect(leaks(byName["api"])).toContain("LeakwatchMemoryLeakMasked");
  });

  test("restarts are guessed from falls of memory where there is no start time", async () => {
    const guessed = await backtest(series({ job: "api" }, loop, false), options);
    const told = await backtest(series({ job: "api" }, loop), options);
    expect(guessed.what).toContain("6 restarts from falls of memory to the level of a fresh start");
    expect(guessed.byName["api"]).toEqual(told.byName["api"]);
  });

  test.each<[string, (i: number) => number]>([
    ["by seconds", (i) => i % 7],
    ["a little further each time", (i) => i / 4],
    ["when a clock is set", (i) => (i > 100 ? 4 * hour : 0)],
  ])("a start time that wanders %s is no restart", async (_, by) => {
    const { times, resident } = recorded({ curve: curves.flat, hours: 6 });
    const { judges } = await backtest([
      gauge("process_resident_memory_bytes", { job: "api" }, times, resident),
      gauge(
        "process_start_time_seconds",
        { job: "api" },
        times,
        times.map((_, i) => now - 10 * hour + by(i)),
      ),
    ]);
    expect(startsOf(judges[0])).toEqual([now - 10 * hour]);
  });

  test("alerts are counted by the week in which there was data", async () => {
    const { alerts, from, to } = await backtest(series({ job: "api" }, loop), { ...options, since: "30d" });
    expect([from, to]).toEqual([now - 24 * hour, now]);
    expect(alerts.find(({ alert }) => alert === "LeakwatchMemoryLeakMasked")?.per_week).toBeCloseTo(7, 5);
  });
});

describe("a gauge of containers", () => {
  const pod = { namespace: "shop", pod: "api-7d9-x2", container: "app", job: "kubelet", instance: "node1:10250" };
  const service = { namespace: "shop", workload: "api-7d9-x2", container: "app" };

  /** Each life of a container is a series with an id of its own. */
  function container(process: Omit<Process, "limit">): Samples[] {
    const { times, resident, startTime } = recorded(process);
    return [...new Set(startTime)].flatMap((start, life) => {
      const own = [...startTime.keys()].filter((i) => startTime[i] === start);
      const labels = { ...pod, id: `/kubepods/${life}`, name: `c${life}`, image: "api:1" };
      const at = own.map((i) => times[i] as number);
      return [
        gauge(
          "container_memory_working_set_bytes",
          labels,
          at,
          own.map((i) => resident[i] as number),
        ),
        gauge("container_spec_memory_limit_bytes", labels, at, limit),
        gauge("container_start_time_seconds", labels, at, start),
      ];
    });
  }

  test("is one process through all its restarts", async () => {
    const { traces, what } = await backtest(container({ curve: curves.fastLeak, hours: 24, age: 0 }), { since: "1d" });
    expect(what).toBe(
      "container_memory_working_set_bytes of 1 process, limits from container_spec_memory_limit_bytes, 6 restarts from container_start_time_seconds",
    );
    expect(traces.map(({ labels }) => labels)).toEqual([service]);
    expect(leaks(traces[0]?.episodes)).toContain("LeakwatchMemoryLeakMasked");
  });

  test("sums of containers and the container of the network are left out, and counted", async () => {
    const { times, resident } = recorded({ curve: curves.flat, hours: 2 });
    const of = (labels: LabelSet) => gauge("container_memory_working_set_bytes", labels, times, resident);
    const { traces, notes } = await backtest([
      of(pod),
      of({ ...pod, container: "POD" }),
      of({ ...pod, container: "" }),
      of({ id: "/" }),
    ]);
    expect(traces.map(({ labels }) => labels)).toEqual([service]);
    expect(notes).toContain("2 cgroups without a container's name not judged: sums, and services of the system");
  });

  test.each([
    ["0", 0],
    ["as cgroup v1 has it", 2 ** 63 - 4096],
  ])("no limit, %s, is no limit", async (_, none) => {
    const { times, resident } = recorded({ curve: curves.flat, hours: 1 });
    const { judges } = await backtest([
      gauge("container_memory_working_set_bytes", pod, times, resident),
      gauge("container_spec_memory_limit_bytes", pod, times, none),
    ]);
    expect(judges[0]?.samples.get("0")?.[0]?.limit).toBeNaN();
  });
});

describe("queries", () => {
  /** A fair piece of what is read at most. */
  const padding = " ".repeat(16 * MiB);

  const labels = { job: "api" };
  const ranges = ({ asked }: FakePrometheus, metric: string): Asked[] =>
    asked.filter(({ endpoint, query }) => endpoint === "/api/v1/query_range" && query.startsWith(metric));
  const month = Array.from({ length: 31 * 24 }, (_, i) => now - 31 * 24 * hour + i * hour + hour);
  const sparse = [gauge("process_resident_memory_bytes", labels, month, 400 * MiB)];

  /** Each begins a step after the one before, and all together are what was wanted. */
  function expectWithoutGap(asked: readonly Asked[], from: number, to: number): void {
    expect(asked[0]?.start).toBe(from);
    expect(asked.at(-1)?.end).toBe(to);
    for (const [i, one] of asked.slice(1).entries()) expect(one.start).toBe((asked[i]?.end as number) + one.step);
  }

  test("are cut so that none asks for more points than a server gives", async () => {
    const server = await FakePrometheus.start(sparse);
    await backtest(server, { since: "30d" });
    const asked = ranges(server, "process_resident_memory_bytes");
    expect(asked).toHaveLength(Math.ceil((30 * 24 * 60 + 1) / 11_000));
    for (const { start, end, step } of asked) expect((end - start) / step + 1).toBeLessThanOrEqual(11_000);
    expectWithoutGap(asked, now - 30 * 24 * hour, now);
  });

  test("become shorter when the server says that they take too many samples", async () => {
    const tooMany = ({ endpoint, start, end }: Asked) =>
      endpoint.endsWith("query_range") && end - start > 24 * hour
        ? refusal(422, "query processing would load too many samples into memory in query execution")
        : undefined;
    const server = await FakePrometheus.start(sparse, tooMany);
    const { traces } = await backtest(server, { since: "7d" });
    expect(traces).toHaveLength(1);
    const taken = ranges(server, "process_resident_memory_bytes").filter(({ start, end }) => end - start <= 24 * hour);
    expectWithoutGap(taken, now - 7 * 24 * hour, now);
  });

  test("become shorter when the answer is larger than what is read", async () => {
    const tooLarge = ({ endpoint, start, end }: Asked) =>
      endpoint.endsWith("query_range") && end - start > 24 * hour
        ? { status: 200, body: `${padding.repeat(4)} {"status":"success","data":{"result":[]}}` }
        : undefined;
    const server = await FakePrometheus.start(sparse, tooLarge);
    const { traces } = await backtest(server, { since: "2d" });
    expect(traces).toHaveLength(1);
    const taken = ranges(server, "process_resident_memory_bytes").filter(({ start, end }) => end - start <= 24 * hour);
    expectWithoutGap(taken, now - 2 * 24 * hour, now);
  });

  test("of many series are shorter, so that what is held at a time does not grow with the fleet or the years", async () => {
    const fleet = Array.from({ length: 100 }, (_, i) =>
      gauge("container_memory_rss", { pod: `api-${i}`, namespace: "shop", container: "api" }, month, (200 + i) * MiB),
    );
    const server = await FakePrometheus.start(fleet);
    const { processes, traces } = await backtest(server, { since: "30d" });
    expect([processes, traces.length]).toEqual([100, 1]);
    const asked = ranges(server, "container_memory_rss").filter(({ step }) => step === 60);
    for (const { start, end, step } of asked) expect(100 * ((end - start) / step + 1)).toBeLessThanOrEqual(300_000);
    expectWithoutGap(asked, now - 30 * 24 * hour, now);
  });

  test("are of one service at a time", async () => {
    const services = ["a", "b", "c"].map((job) => gauge("process_resident_memory_bytes", { job }, month, 400 * MiB));
    const server = await FakePrometheus.start(services);
    await backtest(server, { since: "30d" });
    const jobs = ranges(server, "process_resident_memory_bytes").map(({ query }) => /job="(.)"/.exec(query)?.[1]);
    expect(jobs.join("")).toMatch(/^a+b+c+$/);
  });

  test("report progress day by day, of all services", async () => {
    const services = ["a", "b"].map((job) => gauge("process_resident_memory_bytes", { job }, month, 400 * MiB));
    const server = await FakePrometheus.start(services);
    const wanted = historyOptions({ ...defaults, since: "30d" }, now);
    const seen = { total: 0, done: 0 };
    await backtestHistory(
      new PrometheusApi(server.url),
      () => new StandInJudge(),
      wanted,
      (total) => {
        seen.total = total;
        return () => void seen.done++;
      },
    );
    expect(seen).toEqual({ total: 60, done: 60 });
  });

  test("take the step that is wanted, at its multiples", async () => {
    const server = await FakePrometheus.start(sparse);
    await backtest(server, { since: "1d", step: "5m" });
    const [one] = ranges(server, "process_resident_memory_bytes");
    expect([one?.step, (one?.start as number) % 300]).toEqual([300, 0]);
  });

  test("hold what labels say, with whatever is in them", async () => {
    const odd = { job: 'a"b\\c\nd' };
    const { traces } = await backtest([gauge("process_resident_memory_bytes", odd, [now], 1)]);
    expect(traces.map((trace) => trace.labels)).toEqual([odd]);
  });
});

describe("a failure is told in words, with its exit code", () => {
  test.each<[string, Partial<BacktestOptions>, RegExp, number]>([
    [
      "no gauge that is known",
      {},
      /has no series leakwatch_process_resident_memory_bytes or container_memory_rss or container_memory_working_set_bytes or process_resident_memory_bytes or namedprocess_namegroup_memory_bytes\{memtype="resident"\} in this time. Name a gauge of memory with --metric$/,
      2,
    ],
    ["a gauge that is not there", { metric: "rss" }, /has no series rss in this time$/, 2],
    [
      "nothing that matches",
      { metric: "other", match: 'job="db"' },
      /has no series other\{job="db"\} in this time$/,
      2,
    ],
    [
      "a limit that is not there",
      { metric: "other", limitMetric: "quota" },
      /^--limit-metric: .* has no series quota in this time$/,
      2,
    ],
    [
      "a start time that is not there",
      { metric: "other", startTimeMetric: "born" },
      /^--start-time-metric: .* has no series born in/,
      2,
    ],
  ])("%s", async (_, options, message, exitCode) => {
    const failure = backtest([gauge("other", { job: "api" }, [now], 1)], options);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ name: "CommandError", exitCode });
  });

  test.each<[string, () => ReturnType<typeof refusal>, RegExp, number]>([
    [
      "401",
      () => ({ status: 401, body: "Unauthorized", type: "text/plain" }),
      /refuses access \(401 Unauthorized\). .*--bearer-token-file$/,
      1,
    ],
    ["403", () => ({ status: 403, body: "<h1>no</h1>", type: "text/html" }), /refuses access \(403 Forbidden\)/, 1],
    [
      "another server",
      () => ({ status: 404, body: "<h1>404</h1>", type: "text/html" }),
      /is not a Prometheus server: it answers 404 with text\/html$/,
      1,
    ],
    [
      "another program's JSON",
      () => ({ status: 200, body: '{"version":"1"}' }),
      /is not a Prometheus server: it answers 200 with application\/json$/,
      1,
    ],
    [
      "a selector that the server refuses",
      () => refusal(400, "parse error: bad regexp"),
      /parse error: bad regexp$/,
      2,
    ],
    ["a server that is not well", () => refusal(503, "query timed out in expression evaluation"), /query timed out/, 1],
    [
      "too many samples however little is asked for",
      () => refusal(422, "query processing would load too many samples into memory"),
      /too many samples into memory. Narrow it with --match, or use a longer --step$/,
      1,
    ],
    [
      "a connection that is cut",
      () => "hang up",
      /^cannot reach http:\/\/127\.0\.0\.1:\d+: the connection was cut$/,
      1,
    ],
  ])("%s", async (_, answer, message, exitCode) => {
    const failure = backtest(await FakePrometheus.start([], answer));
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ name: "CommandError", exitCode });
  });

  test("a server that nobody runs", async () => {
    const url = await deadAddress();
    await expect(new PrometheusApi(url).series("up", 0, 1)).rejects.toMatchObject({
      message: `cannot reach ${url}: nothing listens there`,
      exitCode: 1,
    });
  });

  test("a server that never answers", async () => {
    const silent = net.createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const url = `http://127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
    const api = new PrometheusApi(url, { timeoutSeconds: 0.05 });
    await expect(api.series("up", 0, 1)).rejects.toThrow(`${url}: no complete answer within 0.05 seconds`);
  });

  test("a server that never comes to an end of its answer", async () => {
    const url = await listening((response) => {
      const drip = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(drip));
    });
    const api = new PrometheusApi(url, { timeoutSeconds: 0.3 });
    await expect(api.series("up", 0, 1)).rejects.toThrow(`${url}: no complete answer within 0.3 seconds`);
  });

  test("a server that sends more than is read: plainly, and without reading on", async () => {
    const url = await listening((response) => {
      const piece = " ".repeat(100_000);
      const more = () => {
        while (response.write(piece));
      };
      response.on("drain", more);
      more();
    });
    const api = new PrometheusApi(url);
    const [short, long] = ["4.00", "64.0"].map(
      (size) => `its answer is larger than ${size} MiB, and the rest was not read`,
    );
    await expect(api.get("status/buildinfo", {})).rejects.toThrow(`${url}: ${short}`);
    await expect(api.series("up", 0, 1)).rejects.toThrow(`${url}: ${long}`);
    await expect(api.range("up", 0, 1, 1)).rejects.toThrow(
      `${url}: ${long}. Narrow it with --match, or use a longer --step`,
    );
  });

  test("so does one that packs it", async () => {
    const packed = zlib.gzipSync(Buffer.alloc(80 * MiB, " "));
    const url = await listening((response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(packed);
    });
    expect(packed.length).toBeLessThan(MiB);
    await expect(new PrometheusApi(url).series("up", 0, 1)).rejects.toThrow("its answer is larger than 64.0 MiB");
  });

  const wrong = "is not a Prometheus server: its answer to";
  test.each<[string, unknown, string]>([
    ["nothing", null, `${wrong} series has another form`],
    ["labels that are none", [{ job: { a: 1 } }], `${wrong} series has another form`],
  ])("a list of series with %s", async (_, data, message) => {
    const body = JSON.stringify({ status: "success", data });
    const server = await FakePrometheus.start([], () => ({ status: 200, body }));
    await expect(new PrometheusApi(server.url).series("up", 0, 1)).rejects.toThrow(message);
  });

  test.each<[string, unknown]>([
    ["nothing", null],
    ["no result", {}],
    ["a result that is none", { result: [7] }],
    ["no values", { result: [{ metric: {} }] }],
    ["values that are none", { result: [{ metric: {}, values: [["now", 1]] }] }],
  ])("an answer to a query with %s", async (_, data) => {
    const body = JSON.stringify({ status: "success", data });
    const server = await FakePrometheus.start([], () => ({ status: 200, body }));
    await expect(new PrometheusApi(server.url).range("up", 0, 1, 1)).rejects.toThrow(`${wrong} query_range`);
  });

  test("what it says is cut, without secrets and visible", async () => {
    const error = `${evil} at http://me:hunter2@db?token=hunter2 ${"x".repeat(100_000)}`;
    const server = await FakePrometheus.start([], () => refusal(503, error));
    const thrown = await new PrometheusApi(server.url).series("up", 0, 1).catch((one: Error) => one);
    const { message } = thrown as Error;
    expect(message).toContain(shownEvil.replace("\\x23", "#"));
    expect(message).not.toContain("hunter2");
    expect(message.length).toBeLessThan(400);
  });

  test("what it says is looked through in no time", async () => {
    const error = `exceeded maximum ${"exceeded maximum ".repeat(60_000)}`; // a second for 100 kB, once, and minutes for 1 MB
    const server = await FakePrometheus.start([], () => refusal(503, error));
    const started = performance.now();
    await expect(new PrometheusApi(server.url).series("up", 0, 1)).rejects.toThrow("exceeded maximum");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("a header or reason with control characters", async () => {
    const raw = net.createServer((socket) => {
      socket.once("data", () =>
        socket.end(Buffer.from("HTTP/1.1 401 No\u009b31m\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")),
      );
    });
    raw.listen(0, "127.0.0.1");
    await once(raw, "listening");
    onTestFinished(() => void raw.close());
    const url = `http://127.0.0.1:${(raw.address() as net.AddressInfo).port}`;
    await expect(new PrometheusApi(url).series("up", 0, 1)).rejects.toThrow("refuses access (401 No\\x9b31m)");
    const server = await FakePrometheus.start([], () => ({ status: 200, body: "", type: "text/\u009bplain" }));
    await expect(new PrometheusApi(server.url).series("up", 0, 1)).rejects.toThrow("answers 200 with text/\\x9bplain");
  });

  test.each(["", "localhost:9090", "ftp://host", "http://"])("%j is no address", (address) => {
    expect(() => new PrometheusApi(address)).toThrow(`expected a URL such as http://127.0.0.1:9090, got "${address}"`);
  });
});

describe("no secret is shown", () => {
  test.each([
    ["htp://me:hunter2@prometheus:9090", 'got "htp://prometheus:9090"'],
    ["me:hunter2@prometheus:9090", 'got "prometheus:9090"'],
    ["http://me:hunter2/@prometheus", 'got "http://prometheus"'],
    ["http://me:2#hunter2@prometheus", "must have / as %2F"],
    ["http://me:2/hunter2@prometheus", "must have / as %2F"],
    ["http://me@example.org:2/hunter2@prometheus", "must have / as %2F"],
    ["http//?token=hunter2", 'got "http//?token=***"'],
  ])("of an address that is refused: %s", (address, says) => {
    const refused = () => new PrometheusApi(address);
    expect(refused).toThrow(says);
    expect(refused).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2"), exitCode: 2 }));
  });

  test.each<[string, (url: string) => Promise<string> | string]>([
    ["nobody listens", () => deadAddress()],
    ["it refuses", async () => (await FakePrometheus.start([], () => ({ status: 401, body: "" }))).url],
    ["it has none of the series", async () => (await FakePrometheus.start([])).url],
    ["it hangs up", async () => (await FakePrometheus.start([], () => "hang up")).url],
  ])("of the address, nor of the causes of the error, when %s", async (_, start) => {
    const url = (await start("")).replace("http://", "http://me:hunter2@");
    const wanted = historyOptions(defaults, now);
    const thrown = await backtestHistory(
      new PrometheusApi(`${url}/?token=hunter2`),
      () => new StandInJudge(),
      wanted,
      () => () => {},
    ).catch((error: Error) => error);
    expect(thrown).toMatchObject({ name: "CommandError" });
    expect(inspect(thrown, { depth: 10, showHidden: true })).not.toContain("hunter2");
  });

  test.each(["two\nlines", "hunter2 and more", "hunter2\u009b"])(
    "of a token that cannot be sent: %j",
    (bearerToken) => {
      expect(() => new PrometheusApi("http://prometheus", { bearerToken })).toThrow(
        "the token for http://prometheus must be a single word; it is not shown here",
      );
    },
  );

  test("a lone % in a password stands for itself", async () => {
    const server = await FakePrometheus.start([]);
    await new PrometheusApi(server.url.replace("//", "//me:5%@")).series("up", 0, 1);
    expect(server.asked[0]?.authorization).toBe(`Basic ${Buffer.from("me:5%").toString("base64")}`);
  });
});

describe("access", () => {
  const authorization = async (address: (url: string) => string, bearerToken?: string) => {
    const server = await FakePrometheus.start([]);
    const api = new PrometheusApi(address(server.url), { bearerToken });
    await api.series("up", 0, 1);
    return {
      sent: server.asked[0]?.authorization,
      shown: api.url.replace(/\d+$/, "PORT"),
      path: server.asked[0]?.endpoint,
    };
  };

  test("user and password of the URL are sent, and not shown", async () => {
    expect(await authorization((url) => url.replace("//", "//me:p%40ss@"))).toEqual({
      sent: `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
      shown: "http://127.0.0.1:PORT",
      path: "/api/v1/series",
    });
  });

  test("so is a token", async () => {
    expect((await authorization((url) => url, "s3cret")).sent).toBe("Bearer s3cret");
  });

  test("a path before the API is kept", async () => {
    expect((await authorization((url) => `${url}/prometheus/`)).path).toBe("/prometheus/api/v1/series");
  });
});

describe("options", () => {
  const parsed = (options: Partial<BacktestOptions>) => historyOptions({ ...defaults, ...options }, now + 42);

  test("the stretch ends now, on multiples of the step", () => {
    expect(parsed({ since: "1d12h", step: "1m" })).toMatchObject({ from: now - 36 * hour, to: now, step: 60 });
  });

  test.each<[Partial<BacktestOptions>, object | undefined]>([
    [{}, undefined],
    [{ match: '{job="a"}' }, undefined],
    [{ match: 'rss{job="a"}' }, { metric: { name: "rss" }, limits: [], starts: [], startSource: "none" }],
    [
      { metric: "process_resident_memory_bytes" },
      { starts: [{ name: "process_start_time_seconds" }], startSource: "process" },
    ],
    [{ metric: "rss", limitMetric: "512MiB" }, { limits: 512 * MiB }],
    [{ metric: "rss", limitMetric: "2Gi" }, { limits: 2048 * MiB }],
    [{ metric: "rss", limitMetric: "100 MB" }, { limits: 100e6 }],
    [{ metric: "rss", limitMetric: "1000000" }, { limits: 1e6 }],
    [
      { metric: 'rss{a!~"b"}', limitMetric: "q" },
      { metric: { name: "rss", matchers: 'a!~"b"' }, limits: [{ name: "q" }] },
    ],
  ])("%j", (options, wanted) => {
    const { metric } = parsed(options);
    if (wanted === undefined) expect(metric).toBeUndefined();
    else expect(metric).toMatchObject(wanted);
  });

  test.each<[Partial<BacktestOptions>, string]>([
    [{ since: "30" }, "--since: expected a duration such as 30d or 90s, got 30"],
    [{ since: "5m" }, "--since: expected at least 1h, got 5m"],
    [{ step: "1s" }, "--step: expected 10s to 5m, got 1s"],
    [{ step: "15m" }, "--step: expected 10s to 5m, got 15m"],
    [{ match: "sum(a)" }, '--match: expected a selector such as up{job="api"} or {job="api"}, got sum(a)'],
    [{ match: "{job=}" }, 'got {job=}: expected a quoted text, got "}" at character 6'],
    [{ metric: '{job="a"}' }, '--metric: expected the name of a gauge, got {job="a"}'],
    [{ limitMetric: "1GiB" }, "--limit-metric only goes with --metric"],
    [{ startTimeMetric: "born" }, "--start-time-metric only goes with --metric"],
    [{ metric: "rss", limitMetric: "1e3" }, "--limit-metric: expected a gauge's name or bytes such as 512MiB, got 1e3"],
    [{ metric: "rss", limitMetric: "0" }, "--limit-metric: expected a gauge's name or bytes such as 512MiB, got 0"],
  ])("%j is refused", (options, message) => {
    expect(() => parsed(options)).toThrow(message);
  });
});
