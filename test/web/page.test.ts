import { describe, expect, test } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { type PageFacts, renderPage } from "../../exporter/web/page.ts";
import type { CgroupStatus, GroupStatus, ProcessStatus } from "../../exporter/web/status.ts";

const processStatus = (differs: Partial<ProcessStatus> = {}): ProcessStatus => ({
  slot: 0,
  pid: 4242,
  exe: "/usr/bin/api",
  cgroup: "/api",
  container_id: null,
  pod_uid: null,
  start_time_seconds: 1_795_213_000,
  uptime_seconds: 3 * 3600,
  resident_memory_bytes: 48 * MiB,
  peak_resident_memory_bytes: 60 * MiB,
  anonymous_memory_bytes: 40 * MiB,
  swap_bytes: 0,
  threads: 7,
  max_threads: 512,
  open_fds: 21,
  max_fds: 1024,
  memory_limit_bytes: 64 * MiB,
  memory_limit_source: "cgroup",
  heap_limit_bytes: null,
  heap_limit_runtime: null,
  heap_limit_source: null,
  headroom_bytes: 16 * MiB,
  floor_bytes: 40 * MiB,
  verdict: "stable",
  severity: "none",
  observed_seconds: 3 * 3600,
  needed_seconds: 1200,
  growth_bytes_per_second: 0,
  gained_bytes: 0,
  growth_by_window_bytes_per_second: { "15m": 0, "1h": 0, "6h": null, "1d": null, "7d": null },
  confidence_ratio: null,
  time_to_oom_seconds: null,
  leaking_since_timestamp_seconds: null,
  reasons: [],
  would_change: null,
  unreadable: {},
  ...differs,
});

const group = (differs: Partial<GroupStatus> = {}): GroupStatus => ({
  group: "api",
  verdict: "stable",
  severity: "none",
  reasons: [],
  would_change: null,
  scheduled_restart: null,
  processes: [processStatus()],
  restarts: { oom: 0, suspected_oom: 0, scheduled: 0, exit: 0, unknown: 0 },
  worker_exits: { oom: 0, suspected_oom: 0, recycled: 0, unknown: 0 },
  worker_exits_growing: 0,
  lives_ended: 0,
  lives_ended_growing: 0,
  oom_kills: 0,
  oom_growth: [],
  last_restart_timestamp_seconds: null,
  last_end: null,
  ...differs,
});

const page = (differs: Partial<PageFacts> = {}): string =>
  renderPage({
    version: "0.1.0",
    groups: [group()],
    cgroups: [],
    notReady: undefined,
    configError: undefined,
    leftOut: [],
    unreadable: [],
    telemetryPath: "/metrics",
    sampleInterval: 5,
    speed: 1,
    ...differs,
  });

/** What a reader sees, without tags and style. */
const visible = (html: string) =>
  html
    .replace(/<style>.*<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("a process", () => {
  test("is shown in human units", () => {
    expect(visible(page())).toContain(
      "api stable 0 B – – 48.0 MiB 75 % 16.0 MiB left 64.0 MiB cgroup 60.0 MiB 7 21 of 1024 3 h 4242 0",
    );
  });

  test("has the limit of its threads where the pointer rests on them", () => {
    expect(page()).toContain('<td class="n" title="of 512">7</td>');
    expect(page({ groups: [group({ processes: [processStatus({ max_threads: null })] })] })).not.toContain('title="of');
  });

  test("is marked when it is near its limit", () => {
    const near = (mebibytes: number) =>
      page({ groups: [group({ processes: [processStatus({ headroom_bytes: (64 - mebibytes) * MiB })] })] });
    expect(near(57)).not.toContain('class="near"'); // 89 % of 64 MiB
    expect(near(58)).toContain('<meter class="near"');
  });

  test("of which nothing is known has dashes, not zeros", () => {
    const unknown = processStatus({
      uptime_seconds: null,
      resident_memory_bytes: null,
      peak_resident_memory_bytes: null,
      threads: null,
      max_threads: null,
      open_fds: null,
      max_fds: null,
      memory_limit_bytes: null,
      headroom_bytes: null,
      gained_bytes: null,
      growth_bytes_per_second: null,
    });
    expect(visible(page({ groups: [group({ processes: [unknown] })] }))).toContain(
      "api stable – – – – – – cgroup – – – – 4242 0",
    );
  });
});

describe("groups", () => {
  test("come with the largest first, and so do their processes", () => {
    const named = (name: string, pids: Record<number, number>) =>
      group({
        group: name,
        processes: Object.entries(pids).map(([pid, mebibytes]) =>
          processStatus({ pid: Number(pid), resident_memory_bytes: mebibytes * MiB }),
        ),
      });
    const html = page({
      groups: [named("small", { 1: 10 }), named("large", { 2: 30, 3: 70 }), named("middle", { 4: 50 })],
    });
    const pids = [...html.matchAll(/3 h<\/td><td class="n">(\d+)<\/td>/g)].map(([, pid]) => Number(pid));
    expect(pids).toEqual([3, 2, 4, 1]);
    expect(visible(html)).toContain("large 100 MiB in 2");
    expect(visible(html)).toContain("4 processes in 3 groups, sampled every 5 s.");
  });

  test("show their restarts by reason", () => {
    const restarts = { oom: 2, suspected_oom: 1, scheduled: 0, exit: 0, unknown: 0 };
    expect(visible(page({ groups: [group({ restarts })] }))).toContain(" 3 2 oom, 1 suspected oom ");
    const worker_exits = { oom: 1, suspected_oom: 0, recycled: 6, unknown: 0 };
    expect(visible(page({ groups: [group({ worker_exits })] }))).toContain(" 0 1 worker oom, 6 workers recycled ");
  });

  test("that have no process now are listed apart, with their last end", () => {
    const ended = group({
      group: "backup",
      processes: [],
      lives_ended: 3,
      last_end: {
        reason: "suspected_oom",
        evidence: "node_oom_kill",
        memory_limit_ratio: 0.97,
        growth_bytes_per_second: null,
        lifetime_seconds: 90,
      },
    });
    const text = visible(page({ groups: [group(), ended] }));
    expect(text).toContain("1 process in 1 group,");
    expect(text).toContain("Not running now: 1 group");
    const quiet = { ...ended, last_end: ended.last_end && { ...ended.last_end, reason: "exit", evidence: "none" } };
    expect(visible(page({ groups: [quiet] }))).toContain("backup 3 exited (no sign of a memory problem) 1 min");
    expect(text).toContain("backup 3 suspected oom (node oom kill) 1 min");
  });
});

describe("notices", () => {
  test.each<[string, Partial<PageFacts>, string]>([
    ["a demo", { speed: 60 }, "A demo: verdicts are made on a clock 60 times faster than real time."],
    ["stale numbers", { notReady: "the last pass was 60 s ago" }, "Not ready: the last pass was 60 s ago."],
    [
      "a refused configuration",
      { configError: "leakwatch.yml:3: no" },
      "The new configuration was rejected, and the previous one is kept: leakwatch.yml:3: no",
    ],
    [
      "files of other users",
      { unreadable: [[{ file: "fd", reason: "permission" }, 12]] },
      "fd of 12 processes cannot be read: it belongs to another user (run as the same one, or as root with CAP_SYS_PTRACE).",
    ],
    [
      "exhausted descriptors",
      { unreadable: [[{ file: "status", reason: "descriptors" }, 1]] },
      "status of 1 process cannot be read: too many open files (raise the limit of open files).",
    ],
  ])("tell of %s", (_, facts, text) => {
    expect(visible(page(facts))).toContain(text);
    expect(page(facts)).toContain('<p class="notice">');
  });

  test("are absent when all is well", () => {
    expect(page()).not.toContain('<p class="notice">');
  });
});

describe("hostile text", () => {
  const hostile = `<img src=x onerror="alert('1')">&`;
  const harmless = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;";

  test.each<[string, Partial<PageFacts>]>([
    ["in the name of a group", { groups: [group({ group: hostile })] }],
    ["in the name of an ended group", { groups: [group({ group: hostile, processes: [] })] }],
    ["in a configuration's complaint", { configError: hostile }],
    ["in the reason for not being ready", { notReady: hostile }],
  ])("%s is only text", (_, facts) => {
    expect(page(facts)).toContain(harmless);
    expect(page(facts)).not.toContain("<img");
  });
});

describe("the first minutes", () => {
  const young = { uptime_seconds: 750, observed_seconds: 745, needed_seconds: 1200 };
  const shown = (differs: Partial<ProcessStatus>) =>
    visible(page({ groups: [group({ verdict: "collecting", processes: [processStatus({ ...young, ...differs })] })] }));

  test("say how much of the data there is", () => {
    expect(shown({ verdict: "collecting" })).toContain("collecting data (12 of 20 min)");
  });

  test("of a demo count seconds", () => {
    expect(shown({ verdict: "collecting", observed_seconds: 12.4, needed_seconds: 20 })).toContain(
      "collecting data (12 of 20 s)",
    );
  });

  test("have growth since the start, and name what grows", () => {
    const text = shown({
      verdict: "growing",
      growth_bytes_per_second: (3 * MiB) / 60,
      gained_bytes: 37 * MiB,
      reasons: ["collecting data (12 of 20 min)", "grew by 37.0 MiB in the last 12 min"],
    });
    expect(text).toContain("growing (12 of 20 min) +180 MiB +37.0 MiB so far");
    expect(text).toContain("Collecting data (12 of 20 min); grew by 37.0 MiB in the last 12 min.");
  });

  test("are over when a first verdict is there", () => {
    expect(shown({ verdict: "stable", observed_seconds: 1200 })).not.toContain(" of 20 min");
  });
});

describe("the limit", () => {
  test.each([
    ["cgroup", "64.0 MiB cgroup"],
    ["ancestor", "64.0 MiB limit of a parent cgroup"],
    ["config", "64.0 MiB configuration"],
    ["node", "64.0 MiB no limit (whole machine)"],
    ["unknown", "64.0 MiB limit unknown: no access to cgroups"],
  ])("from %s reads %s", (memory_limit_source, text) => {
    expect(visible(page({ groups: [group({ processes: [processStatus({ memory_limit_source })] })] }))).toContain(text);
  });

  test("of the heap stands below it, with its runtime and where it was found", () => {
    const heap = { heap_limit_bytes: 48 * MiB, heap_limit_runtime: "v8", heap_limit_source: "command_line" };
    expect(visible(page({ groups: [group({ processes: [processStatus(heap)] })] }))).toContain(
      "V8 heap 48.0 MiB (command line)",
    );
  });
});

describe("memory outside of processes", () => {
  const cgroup = (differs: Partial<CgroupStatus> = {}): CgroupStatus => ({
    cgroup: "/docker/<abc>",
    outside_processes_bytes: 200 * MiB,
    memory_limit_bytes: 512 * MiB,
    verdict: "leaking",
    severity: "high",
    growth_bytes_per_second: (60 * MiB) / 3600,
    time_to_oom_seconds: 5 * 3600,
    reasons: ["grew by 60.0 MiB in the last 1 h"],
    ...differs,
  });

  test("that leaks is named, with its reasons", () => {
    const text = visible(page({ cgroups: [cgroup()] }));
    expect(text).toMatch(
      /Memory outside of processes .*\/docker\/&lt;abc&gt; leaking high \+60\.0 MiB 5 h 200 MiB 512 MiB Grew by 60\.0 MiB/,
    );
  });

  test("that does not grow is left out", () => {
    expect(visible(page({ cgroups: [cgroup({ verdict: "stable", severity: "none" })] }))).not.toContain(
      "Memory outside",
    );
  });
});

describe("the verdict", () => {
  const leaking = processStatus({
    verdict: "leaking",
    growth_bytes_per_second: (50 * MiB) / 3600,
    confidence_ratio: 0.87,
    time_to_oom_seconds: 2 * 3600 + 5 * 60,
  });

  test("of a leak says how fast, how sure and how long", () => {
    const html = page({ groups: [group({ verdict: "leaking", processes: [leaking] })] });
    expect(html).toContain('<td class="leaking">leaking');
    expect(html).toContain("+50.0 MiB");
    expect(html).toContain("87 %");
    expect(html).toContain("2 h 5 min");
  });

  test("of a group stands with its name where its processes do not say it", () => {
    const html = page({ groups: [group({ verdict: "masked_leak" })] });
    expect(html).toContain('<span class="masked_leak">masked leak</span>');
  });

  test("tells whether the scheduled restart may go", () => {
    const scheduled_restart = {
      verdict: "less_often" as const,
      interval_seconds: 7200,
      recommended_interval_seconds: 8 * 3600,
      longest_safe_life_seconds: 9 * 3600,
      restarts_avoided_per_week: 63,
      reasons: ["restarts every 2 h; every 8 h would do: at most 1 process in 100 would reach its limit"],
    };
    expect(visible(page({ groups: [group({ scheduled_restart })] }))).toContain(
      "Restarts every 2 h; every 8 h would do: at most 1 process in 100 would reach its limit.",
    );
  });

  test("tells what would change it", () => {
    const would_change = "no longer called a leak once it has not grown like this for 1 h";
    const leaks = {
      ...leaking,
      severity: "high" as const,
      reasons: ["grew by 48.0 MiB in the last 18 min"],
      would_change,
    };
    expect(visible(page({ groups: [group({ verdict: "leaking", processes: [processStatus(leaks)] })] }))).toContain(
      "Grew by 48.0 MiB in the last 18 min. No longer called a leak once it has not grown like this for 1 h.",
    );
  });

  test("of a leak has its severity, and its reasons in a row of their own", () => {
    const reasons = ["grew by 48.0 MiB in the last 18 min", "100 MiB are left of 256 MiB: about 37 min at this pace"];
    const severe = { ...leaking, severity: "critical" as const, reasons };
    const html = page({
      groups: [group({ verdict: "leaking", processes: [severe, processStatus({ reasons: ["level"] })] })],
    });
    expect(visible(html)).toContain("leaking critical");
    expect(visible(html)).toContain(
      "Grew by 48.0 MiB in the last 18 min; 100 MiB are left of 256 MiB: about 37 min at this pace.",
    );
    expect(visible(html)).not.toContain("Level.");
    expect(html).toContain('title="Level."'); // of others the pointer shows them
    expect(html).toContain('<th scope="rowgroup" rowspan="3">');
    const [, columns] = /<tr class="why"><td colspan="(\d+)">/.exec(html) ?? [];
    const [, cells = ""] = /<\/th>(<td.*?)<\/tr>/.exec(html) ?? [];
    expect(Number(columns)).toBe((cells.match(/<td/g)?.length ?? 0) - 1); // all but the restarts
  });

  test("of a masked leak says what its exits showed, running or not", () => {
    const masked = {
      verdict: "masked_leak" as const,
      severity: "high" as const,
      reasons: ["5 of 6 processes were still growing"],
    };
    for (const processes of [[processStatus()], []])
      expect(visible(page({ groups: [group({ ...masked, processes })] }))).toContain(
        "masked leak high 5 of 6 processes were still growing.",
      );
  });

  test("orders the page by severity before all", () => {
    const named = (name: string, severity: GroupStatus["severity"]) =>
      group({ group: name, verdict: "leaking", severity, processes: [{ ...leaking, severity }] });
    const html = page({
      groups: [named("slow", "low"), named("urgent", "critical"), group({ group: "loop", verdict: "restart_loop" })],
    });
    expect(["urgent", "slow", "loop"].map((name) => html.indexOf(`>${name}`))).toEqual(
      ["urgent", "slow", "loop"].map((name) => html.indexOf(`>${name}`)).sort((a, b) => a - b),
    );
  });

  test("orders the page: a leak stands above a larger process that is stable", () => {
    const large = group({ group: "large", processes: [processStatus({ resident_memory_bytes: 4096 * MiB })] });
    const small = group({ group: "small", verdict: "leaking", processes: [leaking] });
    const html = page({ groups: [large, small] });
    expect(html.indexOf("small")).toBeLessThan(html.indexOf("large"));
  });
});
