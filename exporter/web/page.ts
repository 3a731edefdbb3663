// The landing page: everything that is watched, on one page, without a script. What leaks comes first.

import { ledger, MiB } from "../../catalog/defaults.ts";
import { leakSeverities, verdictCode } from "../../catalog/verdicts.ts";
import { progressText } from "../judge/sentences.ts";
import { humanBytes, humanDuration, humanGrowth, humanShare } from "../text/human.ts";
import type { CgroupStatus, GroupStatus, ProcessStatus } from "./status.ts";

export interface PageFacts {
  version: string;
  groups: readonly GroupStatus[];
  /** Memory outside of processes; only what grows is shown. */
  cgroups: readonly CgroupStatus[];
  notReady: string | undefined;
  configError: string | undefined;
  /** Files that cannot be read, by reason, with the number of processes. */
  unreadable: readonly (readonly [{ file: string; reason: string }, number])[];
  /** Processes that are not watched because a bound is reached. */
  leftOut: readonly { bound: string; limit: number; processes: number }[];
  telemetryPath: string;
  sampleInterval: number;
  /** How many times faster than life the verdicts' clock runs: 1, but in a demonstration. */
  speed: number;
}

/** A whole HTML document. */
export function renderPage(facts: PageFacts): string {
  const running = facts.groups.filter(({ processes }) => processes.length > 0);
  const ended = facts.groups.filter(({ processes }) => processes.length === 0);
  const processes = running.reduce((sum, group) => sum + group.processes.length, 0);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${Math.min(30, Math.max(5, 6 * facts.sampleInterval))}">
<title>leakwatch</title>
<style>${style}</style>
<header>
  <h1>leakwatch</h1>
  <nav>
    <a href="${escapeHtml(facts.telemetryPath)}">Metrics</a>
    <a href="/api/v1/groups">JSON</a>
    <a href="/-/ready">Health</a>
  </nav>
</header>
<main>
${notices(facts)}
<p class="summary">${count(processes, "process", "processes")} in ${count(running.length, "group", "groups")},
sampled every ${facts.sampleInterval} s.</p>
<table>
  <thead>
    <tr>
      <th>Group <th>Verdict <th class="n">Growth per hour <th class="n">Confidence <th class="n">Time to OOM
      <th class="n">Resident <th>Used <th class="n">Limit <th class="n">Peak
      <th class="n">Threads <th class="n">Descriptors <th class="n">Uptime <th class="n">Pid <th class="n">Restarts
    </tr>
  </thead>
${[...running].sort(byGravity).map(groupRows).join("\n")}
</table>
${outsideTable(facts.cgroups)}
${ended.length === 0 ? "" : endedTable(ended)}
</main>
<footer>leakwatch ${escapeHtml(facts.version)}. Sizes are resident memory (VmRSS); growth, and what is left, are
of memory that cannot be given back. "–" is not known or not readable.</footer>
</html>
`;
}

function notices({ notReady, configError, unreadable, leftOut, speed }: PageFacts): string {
  const lines = [
    ...(speed === 1 ? [] : [`A demo: verdicts are made on a clock ${speed} times faster than real time.`]),
    ...(notReady === undefined ? [] : [`Not ready: ${notReady}.`]),
    ...(configError === undefined
      ? []
      : [`The new configuration was rejected, and the previous one is kept: ${configError}`]),
    ...leftOut.map((left) => `${leftOutText(left)}.`),
    ...unreadable.map(
      ([{ file, reason }, n]) =>
        `${file} of ${count(n, "process", "processes")} cannot be read: ${reasonText(reason)}.`,
    ),
  ];
  return lines.map((line) => `<p class="notice">${escapeHtml(line)}</p>`).join("\n");
}

/** For the page and for `/-/ready`. */
export function leftOutText({ bound, limit, processes }: PageFacts["leftOut"][number]): string {
  const reached: Record<string, string> = {
    processes: `no more than ${limit} processes are watched`,
    groups: `no more than ${limit} groups are watched`,
    processes_per_group: `no more than ${limit} processes of one group are watched`,
    processes_per_owner: `no more than ${limit} processes of one container or user are watched`,
  };
  return `${count(processes, "process is", "processes are")} not watched: ${reached[bound]} (max_processes)`;
}

function reasonText(reason: string): string {
  const texts: Record<string, string> = {
    permission: "it belongs to another user (run as the same one, or as root with CAP_SYS_PTRACE)",
    descriptors: "too many open files (raise the limit of open files)",
    format: "it does not look as documented",
    io: "the read failed",
    timeout: "the process holds up the reading",
    untrusted: "not a cgroup file: the process shows something else in its place",
  };
  return texts[reason] ?? reason;
}

function groupRows(group: GroupStatus): string {
  const restarts = Object.values(group.restarts).reduce((sum, n) => sum + n, 0);
  const rows = [...group.processes].sort((a, b) => (b.resident_memory_bytes ?? 0) - (a.resident_memory_bytes ?? 0));
  const advice = adviceRow(group);
  const height = rows.length + rows.filter(hasReasonRow).length + (advice === "" ? 0 : 1);
  const name = `<th scope="rowgroup" rowspan="${height}">${escapeHtml(group.group)}${
    rows.length > 1 ? ` <small>${humanBytes(totalMemory(group))} in ${rows.length}</small>` : ""
  }${groupVerdict(group)}</th>`;
  const last = `<td class="n restarts" rowspan="${height}">${restarts} ${restartDetail(group)}</td>`;
  return `  <tbody>
${rows.map((process, i) => `    <tr>${i === 0 ? name : ""}${processCells(process)}${i === 0 ? last : ""}</tr>${reasonRow(process)}`).join("\n")}${advice}
  </tbody>`;
}

/** Said of the group where it is more than what its processes say. */
function groupVerdict(group: GroupStatus): string {
  const { verdict, severity, processes } = group;
  if (processes.some((process) => process.verdict === verdict)) return "";
  const why = group.reasons.length === 0 ? "" : `<small class="why">${escapeHtml(evidence(group))}</small>`;
  return `<br><span class="${verdict}">${word(verdict)}</span>${severityText(severity)}${why}`;
}

/** A leak, and growth that is too young to be judged, say why in a row of their own; of the rest the pointer shows it. */
const hasReasonRow = ({ verdict, severity, reasons }: ProcessStatus) =>
  reasons.length > 0 && (severity !== "none" || verdict === "growing");

/** As many as `processCells` has. */
const processColumns = 12;

function reasonRow(process: ProcessStatus): string {
  if (!hasReasonRow(process)) return "";
  return whyRow(evidence(process));
}

/** May the scheduled restart go? */
const adviceRow = ({ scheduled_restart: advice }: GroupStatus) =>
  advice === null ? "" : whyRow(advice.reasons.map((reason) => sentence([reason])).join(" "));

const whyRow = (text: string) => `\n    <tr class="why"><td colspan="${processColumns}">${escapeHtml(text)}</td></tr>`;

/** Reasons as one sentence. */
function sentence(reasons: readonly string[]): string {
  const text = reasons.join("; ");
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

/** What speaks for the verdict, and what would change it. */
const evidence = ({ reasons, would_change: change }: { reasons: readonly string[]; would_change: string | null }) =>
  [sentence(reasons), sentence(change === null ? [] : [change])].filter((text) => text !== "").join(" ");

const word = (verdict: string) => verdict.replaceAll("_", " ");

const severityText = (severity: (typeof leakSeverities)[number]) =>
  severity === "none" ? "" : ` <small>${severity}</small>`;

function verdictCell(process: ProcessStatus): string {
  const { verdict, severity, observed_seconds: observed, needed_seconds: needed } = process;
  const isYoung = observed !== null && needed !== null && observed < needed;
  const text = verdict === "collecting" ? "collecting data" : word(verdict);
  const progress = isYoung ? ` <small>(${progressText(observed, needed)})</small>` : "";
  const why = evidence(process);
  const title = why === "" ? "" : ` title="${escapeHtml(why)}"`;
  return `<td class="${verdict}"${title}>${text}${severityText(severity)}${progress}</td>`;
}

/** Growth by the hour, and what it gained since it was first seen, where that is worth a word. */
function growthCell({ growth_bytes_per_second: growth, gained_bytes: gained }: ProcessStatus): string {
  const since = gained !== null && gained >= MiB ? ` <small class="line">+${humanBytes(gained)} so far</small>` : "";
  return `<td class="n">${show(growth, humanGrowth)}${since}</td>`;
}

/** All that fills the limit and cannot be given back; where the heap's limit is nearer, or that is not known, its resident memory. */
function usedShare(process: ProcessStatus): number | null {
  const { resident_memory_bytes: resident, memory_limit_bytes: limit, headroom_bytes: headroom } = process;
  if (limit === null || resident === null) return null;
  const endsAtHeap = process.heap_limit_runtime === "v8" && (process.heap_limit_bytes ?? limit) < limit;
  return headroom === null || endsAtHeap ? resident / limit : 1 - headroom / limit;
}

function usedCell(share: number | null, headroom: number | null): string {
  const left = headroom === null ? "" : ` <small class="line">${humanBytes(headroom)} left</small>`;
  return `<td>${share === null ? "–" : meter(share)}${left}</td>`;
}

function limitCell(process: ProcessStatus): string {
  const { memory_limit_bytes: limit, memory_limit_source: source, heap_limit_bytes: heap } = process;
  const runtime = runtimeNames[process.heap_limit_runtime ?? ""] ?? process.heap_limit_runtime;
  const from = (process.heap_limit_source ?? "").replaceAll("_", " ");
  const ofHeap = heap === null ? "" : ` <small class="line">${runtime} heap ${humanBytes(heap)} (${from})</small>`;
  return `<td class="n">${show(limit, humanBytes)} <small class="line">${limitText[source] ?? source}</small>${ofHeap}</td>`;
}

const runtimeNames: Record<string, string> = { v8: "V8", jvm: "JVM", go: "Go", dotnet: ".NET" };

/** Files in tmpfs, socket buffers and kernel memory that grow belong to no process, and would be missed in the table of processes. */
function outsideTable(cgroups: readonly CgroupStatus[]): string {
  const growing = cgroups.filter(({ severity, verdict }) => severity !== "none" || verdict === "growing");
  if (growing.length === 0) return "";
  const rows = growing.map(
    (cgroup) => `<tr><th scope="row">${escapeHtml(cgroup.cgroup)}</th>
      <td class="${cgroup.verdict}">${word(cgroup.verdict)}${severityText(cgroup.severity)}</td>
      <td class="n">${show(cgroup.growth_bytes_per_second, humanGrowth)}</td>
      <td class="n">${show(cgroup.time_to_oom_seconds, humanDuration)}</td>
      <td class="n">${humanBytes(cgroup.outside_processes_bytes)}</td>
      <td class="n">${show(cgroup.memory_limit_bytes, humanBytes)}</td>
      <td class="why">${escapeHtml(sentence(cgroup.reasons))}</td></tr>`,
  );
  return `<h2>Memory outside of processes</h2>
<p class="summary">Files in tmpfs, socket buffers and kernel memory of a cgroup: no process has them, and they fill its limit all the same.</p>
<table>
  <thead><tr><th>Cgroup <th>Verdict <th class="n">Growth per hour <th class="n">Time to OOM <th class="n">Size <th class="n">Limit <th>Why</tr></thead>
  <tbody>${rows.join("\n")}</tbody>
</table>`;
}

function processCells(process: ProcessStatus): string {
  const { resident_memory_bytes: resident } = process;
  const share = usedShare(process);
  const fds = `${show(process.open_fds, String)}${process.max_fds === null ? "" : ` <small>of ${process.max_fds}</small>`}`;
  // mostly huge, and the table is wide enough
  const maxThreads = process.max_threads === null ? "" : ` title="of ${process.max_threads}"`;
  return [
    verdictCell(process),
    growthCell(process),
    `<td class="n">${show(process.confidence_ratio, humanShare)}</td>`,
    `<td class="n">${show(process.time_to_oom_seconds, humanDuration)}</td>`,
    `<td class="n">${show(resident, humanBytes)}</td>`,
    usedCell(share, process.headroom_bytes),
    limitCell(process),
    `<td class="n">${show(process.peak_resident_memory_bytes, humanBytes)}</td>`,
    `<td class="n"${maxThreads}>${show(process.threads, String)}</td>`,
    `<td class="n">${fds}</td>`,
    `<td class="n">${show(process.uptime_seconds, humanDuration)}</td>`,
    `<td class="n">${process.pid}</td>`,
  ].join("");
}

const limitText: Record<string, string> = {
  ancestor: "limit of a parent cgroup",
  config: "configuration",
  node: "no limit (whole machine)",
  unknown: "limit unknown: no access to cgroups",
};

function meter(share: number): string {
  const near = share >= ledger.nearLimitRatio ? ' class="near"' : "";
  return `<meter${near} min="0" max="1" high="${ledger.nearLimitRatio}" value="${share.toFixed(4)}"></meter> ${humanShare(share)}`;
}

function restartDetail({ restarts, worker_exits: exits }: GroupStatus): string {
  const some = (counts: Record<string, number>) => Object.entries(counts).filter(([, n]) => n > 0);
  const parts = [
    ...some(restarts).map(([reason, n]) => `${n} ${reason.replace("_", " ")}`),
    ...some(exits).map(([reason, n]) => `${count(n, "worker", "workers")} ${reason.replace("_", " ")}`),
  ];
  return parts.length === 0 ? "" : `<small>${parts.join(", ")}</small>`;
}

function endedTable(groups: readonly GroupStatus[]): string {
  const rows = groups.map((group) => {
    const end = group.last_end;
    return `<tr><th scope="row">${escapeHtml(group.group)}${isMasked(group) ? groupVerdict(group) : ""}</th><td class="n">${group.lives_ended}</td>
      <td>${end === null ? "–" : escapeHtml(exitText(end))}</td>
      <td class="n">${end?.lifetime_seconds == null ? "–" : humanDuration(end.lifetime_seconds)}</td></tr>`;
  });
  return `<details><summary>Not running now: ${count(groups.length, "group", "groups")}</summary>
<table>
  <thead><tr><th>Group <th class="n">Exits <th>Last exit <th class="n">Ran for</tr></thead>
  <tbody>${rows.join("\n")}</tbody>
</table></details>`;
}

const isMasked = ({ verdict }: GroupStatus) => verdict === "masked_leak" || verdict === "restart_loop";

function exitText({ reason, evidence }: NonNullable<GroupStatus["last_end"]>): string {
  if (reason === "exit" && evidence === "none") return "exited (no sign of a memory problem)";
  return `${reason.replace("_", " ")} (${evidence.replaceAll("_", " ")})`;
}

/** What leaks first, then the soonest to die, then the largest. */
function byGravity(a: GroupStatus, b: GroupStatus): number {
  const gravity = ({ verdict, severity }: GroupStatus) =>
    20 * leakSeverities.indexOf(severity) + Math.max(0, verdictCode[verdict] - verdictCode.bounded_growth);
  const soonest = ({ processes }: GroupStatus) =>
    Math.min(...processes.map((process) => process.time_to_oom_seconds ?? Number.POSITIVE_INFINITY));
  const sooner = gravity(a) > 0 && soonest(a) !== soonest(b) ? soonest(a) - soonest(b) : 0;
  return gravity(b) - gravity(a) || sooner || totalMemory(b) - totalMemory(a);
}

function totalMemory({ processes }: GroupStatus): number {
  return processes.reduce((sum, process) => sum + (process.resident_memory_bytes ?? 0), 0);
}

const show = <T>(value: T | null, format: (value: T) => string) => (value === null ? "–" : format(value));

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#e2e5e9, #32363c); --dim: light-dark(#666d76, #9aa2ac);
  --back: light-dark(#fff, #16181b); --head: light-dark(#f5f6f8, #1d2024); --text: light-dark(#1c2024, #e4e7ea);
  --accent: light-dark(#5b3fb8, #b29cf5); --warn: light-dark(#8a4b00, #ffb454); --warn-back: light-dark(#fff4e0, #33270f);
  --bad: light-dark(#b3261e, #ff8a80); }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.5 system-ui, sans-serif }
header { display: flex; align-items: baseline; gap: 2rem; padding: .8rem 1rem; border-bottom: 1px solid var(--line) }
h1 { margin: 0; font-size: 1.2rem }
nav { display: flex; gap: 1.2rem }
a { color: var(--accent) }
main { padding: .5rem 1rem; overflow-x: auto; font-size: 13px }
.summary { color: var(--dim) }
.notice { margin: .6rem 0; padding: .5rem .8rem; border-radius: 4px; background: var(--warn-back); color: var(--warn) }
table { border-collapse: collapse; width: 100% }
th, td { padding: .35rem .4rem; text-align: left; vertical-align: top; white-space: nowrap; font-variant-numeric: tabular-nums }
thead th { position: sticky; top: 0; background: var(--head); font-weight: 600; color: var(--dim);
  white-space: normal; vertical-align: bottom }
tbody { border-bottom: 1px solid var(--line) }
tbody th { font-weight: 600; max-width: 26rem; overflow: hidden; text-overflow: ellipsis }
.n { text-align: right }
.leaking, .masked_leak, .restart_loop { color: var(--bad); font-weight: 600 }
.bounded_growth, .high_stable, .warming_up, .growing { color: var(--warn) }
.collecting { color: var(--dim) }
small { color: var(--dim); font-weight: 400 }
h2 { margin: 1.5rem 0 .2rem; font-size: 1rem }
.why { color: var(--dim) } td.why, tr.why td, small.why { white-space: normal }
tr.why td { padding-top: 0; max-width: 60rem }
small.why { display: block; max-width: 20rem }
.line { display: block; white-space: normal } .n .line { min-width: 6rem; max-width: 8rem; margin-left: auto }
.restarts { white-space: normal; min-width: 5.5rem }
.restarts small { display: block }
meter { width: 3.5rem; height: .9rem; vertical-align: -2px }
details { margin-top: 1.5rem } summary { cursor: pointer; color: var(--dim); margin-bottom: .5rem }
footer { padding: 1rem 1rem 2rem; color: var(--dim) }
`;
