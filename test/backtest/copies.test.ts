// Series of a server that holds each process more than once, and of one where it only looks so.

import { expect, test } from "vitest";
import { backtestHistory } from "../../exporter/backtest/history.ts";
import { historyOptions } from "../../exporter/backtest/history-options.ts";
import { PrometheusApi } from "../../exporter/prometheus/api.ts";
import type { LabelSet } from "../../exporter/prometheus/labels.ts";
import { MiB } from "../support/fixtures.ts";
import { FakePrometheus, gauge, type Samples } from "./fake-prometheus.ts";
import { StandInJudge } from "./stand-in-judge.ts";

const hour = 3600;
const now = 1_750_000_800; // a whole hour
const times = Array.from({ length: 8 * 60 + 1 }, (_, i) => now - 8 * hour + i * 60);

/** MiB at an hour. */
type Curve = (hours: number) => number;
const leak: Curve = (h) => 300 + 60 * h;
const wave: Curve = (h) => 500 + 100 * Math.sin(2 * h);

const series = (name: string, labels: LabelSet, curve: Curve, at: readonly number[] = times): Samples =>
  gauge(
    name,
    labels,
    at,
    at.map((t) => Math.round(curve((t - now) / hour + 8) * MiB)),
  );

async function backtest(all: readonly Samples[], options: { replicaLabel?: string[] } = {}) {
  const server = await FakePrometheus.start(all);
  const judges: StandInJudge[] = [];
  const newJudge = () => {
    const judge = new StandInJudge();
    judges.push(judge);
    return judge;
  };
  const wanted = historyOptions({ since: "8h", step: "60s", ...options }, now);
  const report = await backtestHistory(new PrometheusApi(server.url), newJudge, wanted, () => () => {});
  const alerts = report.traces.flatMap(({ episodes }) => episodes).length;
  return { ...report, judges, alerts };
}

const rss = "process_resident_memory_bytes";
const working = "container_memory_working_set_bytes";
const pod = { namespace: "shop", pod: "api-0", container: "api", instance: "10.0.0.4:10250", job: "kubelet" };

test.each<[string, LabelSet, LabelSet[], string]>([
  [
    "replicas of a Prometheus operator",
    { job: "a", instance: "x:1" },
    [{ prometheus_replica: "0" }, { prometheus_replica: "1" }],
    "prometheus_replica",
  ],
  ["Cortex' own label", { job: "a", instance: "x:1" }, [{ __replica__: "a" }, { __replica__: "b" }], "__replica__"],
  ["a label that nobody knows", { job: "a", instance: "x:1" }, [{ site_prom: "east" }, { site_prom: "west" }], ""],
  [
    "one copy that has an external label, and one that came by remote write without",
    { job: "a", instance: "x:1" },
    [{}, { monitor: "east" }],
    "monitor",
  ],
])("%s: a process is counted once", async (_, labels, copies, by) => {
  const { processes, alerts, notes } = await backtest(copies.map((copy) => series(rss, { ...labels, ...copy }, leak)));
  expect({ processes, alerts }).toEqual({ processes: 1, alerts: 1 });
  expect(notes.join("\n")).toContain(
    by === "" ? "" : `copies of the same process, told apart by ${by}, were counted once (2 series in all)`,
  );
});

test("a kubelet that is scraped twice and two replicas of the server: one process", async () => {
  const copies = [
    { prometheus_replica: "0", service: "kubelet" },
    { prometheus_replica: "1", service: "kubelet" },
    { prometheus_replica: "0", service: "kps-kubelet" },
  ];
  const { processes, notes } = await backtest(copies.map((copy) => series(working, { ...pod, ...copy }, leak)));
  expect(processes).toBe(1);
  expect(notes.join("\n")).toContain("told apart by prometheus_replica and service");
});

test("a kubelet and a cAdvisor of one's own: one process", async () => {
  const hex = "a".repeat(64);
  const { processes, judges } = await backtest([
    series(working, { ...pod, id: `/kubepods/pod1/${hex}`, name: hex }, leak),
    series(
      working,
      {
        instance: "n1:8080",
        job: "cadvisor",
        id: `/kubepods.slice/pod1.slice/cri-containerd-${hex}.scope`,
        name: "k8s_api_api-0_shop_1111-2222_0",
      },
      leak,
    ),
  ]);
  expect(processes).toBe(1);
  expect(judges[0]?.samples.get("0")).toHaveLength(times.length);
});

test("two processes in one container, on two ports, are two, with a copy of each", async () => {
  const of = (port: number, replica: string) => ({ ...pod, instance: `10.1.1.1:${port}`, prometheus_replica: replica });
  const { processes, notes } = await backtest([
    series(rss, of(80, "0"), leak),
    series(rss, of(80, "1"), leak),
    series(rss, of(90, "0"), wave),
    series(rss, of(90, "1"), wave),
  ]);
  expect(processes).toBe(2);
  expect(notes.join("\n")).toContain("instance tells different processes apart here: their memory is not the same");
});

test("a target that two jobs scrape is one process; exporters under one name of a host are two", async () => {
  const { processes, notes, traces } = await backtest([
    series(rss, { job: "api", instance: "x:1" }, leak),
    series(rss, { job: "everything", instance: "x:1" }, leak),
    series(rss, { job: "mysqld", instance: "db1" }, wave),
    series(rss, { job: "node", instance: "db1" }, (h) => 480 + 10 * h),
  ]);
  expect(processes).toBe(3);
  expect(traces.map(({ labels }) => labels["job"]).sort()).toEqual(["api", "mysqld", "node"]);
  expect(notes).toContain("1 series of targets that another job scrapes too, with the same memory: left out");
});

test("pods of the same name in two clusters are two", async () => {
  const { processes } = await backtest([
    series(working, { ...pod, cluster: "a" }, leak),
    series(working, { ...pod, cluster: "b" }, wave),
  ]);
  expect(processes).toBe(2);
});

test("replicas of a database are two, though their label is one of copies", async () => {
  const { processes } = await backtest([
    series(rss, { job: "db", replica: "0" }, (h) => leak(h)),
    series(rss, { job: "db", replica: "1" }, wave),
  ]);
  expect(processes).toBe(2);
});

test("--replica-label says what cannot be seen", async () => {
  const flat: Curve = () => 300;
  const copies = ["east", "west"].map((site) => series(rss, { job: "a", instance: "x:1", site }, flat));
  expect((await backtest(copies)).processes).toBe(2);
  expect((await backtest(copies, { replicaLabel: ["site"] })).processes).toBe(1);
});

test("a rollout: the new pods take the slots of the old, as next lives of the same service", async () => {
  const half = times.length / 2;
  const [before, after] = [times.slice(0, half), times.slice(half)];
  const ended = (name: string, curve: Curve) => {
    const one = series(working, { ...pod, pod: name }, curve, before);
    const [t] = after; // the series goes stale
    return { ...one, times: [...before, t as number], values: [...Array.from(one.values), Number.NaN] };
  };
  const { traces, judges, processes } = await backtest([
    ended("api-7d9c6b5f4-x2x7k", wave),
    ended("api-7d9c6b5f4-m4n5p", wave),
    series(working, { ...pod, pod: "api-5b8f9c7d6-9zq4w" }, wave, after),
    series(working, { ...pod, pod: "api-5b8f9c7d6-t6v8x" }, wave, after.slice(5)),
  ]);
  expect(traces.map(({ labels }) => labels)).toEqual([{ namespace: "shop", workload: "api", container: "api" }]);
  expect(processes).toBe(2);
  expect(traces[0]?.names).toEqual({
    0: expect.stringMatching(/^api-5b8f9c7d6-/),
    1: expect.stringMatching(/^api-5b8f9c7d6-/),
  });
  for (const slot of ["0", "1"]) {
    expect(new Set(judges[0]?.samples.get(slot)?.map(({ startTime }) => startTime)).size).toBe(2);
  }
});

test("process-exporter: the resident memory of a group, as a sum", async () => {
  const of = (memtype: string) => ({ groupname: "nginx", instance: "h:9256", memtype });
  const { processes, judges, notes } = await backtest([
    series("namedprocess_namegroup_memory_bytes", of("resident"), leak),
    series("namedprocess_namegroup_memory_bytes", of("virtual"), () => 9000),
  ]);
  expect(processes).toBe(1);
  expect(judges[0]?.samples.get("0")?.[0]?.bytes).toBe(300 * MiB);
  expect(notes.join("\n")).toContain("each is the sum of all processes of one name");
});

test("memory without page cache is judged where containers have both", async () => {
  const { what } = await backtest([series(working, pod, leak), series("container_memory_rss", pod, wave)]);
  expect(what).toContain("container_memory_rss of 1 process");
});

test.each<[string, string]>([
  ["2", "kube_pod_container_resource_limits"],
  ["1", "kube_pod_container_resource_limits_memory_bytes"],
])("limits of kube-state-metrics %s are found by themselves; how many are missing is said", async (_, name) => {
  const limit = { exported_namespace: "shop", exported_pod: "api-0", exported_container: "api", resource: "memory" };
  const { judges, what, notes } = await backtest([
    series(working, pod, leak),
    series(working, { ...pod, pod: "db-0" }, wave),
    series(name, limit, () => 2048),
    series(name, { ...limit, resource: "cpu", exported_pod: name.endsWith("limits") ? "api-0" : "none" }, () => 1),
  ]);
  expect(what).toContain(`limits from ${name} for 1 of 2`);
  expect(notes).toContain(`no limit matched 1 process: ${name} has no series with the same labels`);
  expect(judges.map((judge) => judge.samples.get("0")?.[0]?.limit)).toEqual([2048 * MiB, Number.NaN]);
});

test("a limit holds while its exporter is restarted, and not for ever", async () => {
  const some = times.slice(0, 60);
  const { judges } = await backtest([
    series(working, pod, leak),
    series("container_spec_memory_limit_bytes", pod, () => 1024, some),
  ]);
  const limits = judges[0]?.samples.get("0")?.map(({ limit }) => limit) ?? [];
  expect(limits[100]).toBe(1024 * MiB);
  expect(limits.at(-1)).toBeNaN();
});

test("samples of 0 bytes are left out, and counted", async () => {
  const { judges, notes } = await backtest([series(rss, { job: "a" }, (h) => (h > 4 && h < 4.1 ? 0 : 300))]);
  expect(judges[0]?.samples.get("0")?.every(({ bytes }) => bytes > 0)).toBe(true);
  expect(notes.join("\n")).toMatch(/\d samples of 0 bytes left out/);
});

test("names with dots, backticks, quotes and line breaks reach the server as they are", async () => {
  const odd = { "service.name": 'run `date` "now"\nor \\ never' };
  const { traces, alerts } = await backtest([series(rss, odd, leak)]);
  expect(traces[0]?.labels).toEqual(odd);
  expect(alerts).toBe(1);
});
