// What the exporter costs in a cluster: one more sidecar where there are ten, how soon it is ready, and one exporter for a
// node full of pods.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KiB, MiB, scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { type RunningExporter, startOurs } from "./exporters.ts";
import type { Farm } from "./farm.ts";
import type { Finding } from "./limits.ts";
import { median, memoryOf, seriesValue } from "./measure.ts";
import { cpuTime } from "./programs.ts";

export interface KubernetesPlan {
  sidecars: number;
  /** Scrapes of each sidecar before memory is looked at. */
  scrapes: number;
  /** Scrapes of the node's exporter, at the interval at which Prometheus scrapes. */
  nodeScrapes: number;
}

/** Scrapes until the node's exporter runs as fast as it does the rest of its life. */
const warmUp = 30;

/** Pods of a full node, and containers in each. */
export const node = { pods: 110, containers: 3 } as const;

/** The sidecars share the pages of Node.js itself; the rest is what one more of them costs. */
export async function measureSidecars(farm: Farm, { sidecars, scrapes }: KubernetesPlan): Promise<Finding[]> {
  const running: RunningExporter[] = [];
  const readyAfter: number[] = [];
  const start = async () => {
    const started = performance.now();
    const exporter = await startOurs({ procfs: farm.procfs, configured: false });
    await ready(exporter);
    readyAfter.push(performance.now() - started);
    running.push(exporter);
  };
  const total = async () => {
    for (let round = 0; round < scrapes; round++) {
      await Promise.all(running.map(({ scraper }) => scraper.scrape("gzip")));
      await sleep(1000); // so that the next scrape takes a new pass
    }
    return running.reduce((sum, { pid }) => sum + proportional(pid), 0);
  };
  await start();
  const first = await total();
  while (running.length < sidecars) await start();
  const last = await total();
  for (const exporter of running) await exporter.stop();
  console.log(`\nPSS of 1 sidecar: ${first.toFixed(1)} MiB; of ${sidecars} together: ${last.toFixed(1)} MiB`);
  return [
    { limit: "moreSidecar", how: `${sidecars} beside 5 processes`, value: (last - first) / (sidecars - 1) },
    { limit: "sidecarReady", how: `median of ${sidecars}`, value: median(readyAfter) },
  ];
}

/** One exporter, 330 processes, each in a cgroup of its own below that of its pod, where the machine lets us make some. */
export async function measureNode(farm: Farm, { nodeScrapes }: KubernetesPlan): Promise<Finding[]> {
  const pods = makePods(readFileSync(farm.pidfile, "utf8").trim().split("\n"));
  const exporter = await startOurs({ configured: false }); // as the DaemonSet runs it
  try {
    const text = (await exporter.scraper.scrape("plain")).body.toString();
    const containers = text.match(/^leakwatch_cgroup_info\{.*pod_uid="[^"]/gm)?.length ?? 0;
    const how = `${seriesValue(text, "leakwatch_watched_processes")} processes, ${containers} containers`;
    for (let i = 0; i < warmUp; i++) await exporter.scraper.scrape("gzip");
    const started = { cpu: cpuTime(exporter.pid), at: performance.now() };
    let resident = 0;
    for (let i = 0; i < nodeScrapes; i++) {
      await sleep(scrapeIntervalSeconds * 1000);
      await exporter.scraper.scrape("gzip");
      resident = Math.max(resident, memoryOf(exporter.pid).resident);
    }
    const cpu = (100 * (cpuTime(exporter.pid) - started.cpu)) / (performance.now() - started.at);
    return [
      { limit: "nodeMemory", how, value: resident },
      { limit: "nodeCpu", how: `${how}, ${nodeScrapes} scrapes at ${scrapeIntervalSeconds} s`, value: cpu },
    ];
  } finally {
    await exporter.stop();
    process.once("exit", pods.remove); // the farm's processes must have left
  }
}

async function ready(exporter: RunningExporter): Promise<void> {
  const url = exporter.scraper.url.replace(/\/metrics$/, "/-/ready");
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(5);
}

/** Proportional set size, in MiB. */
function proportional(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1];
  return (Number(kib) * KiB) / MiB;
}

/** Puts each process into a container's cgroup, three to a pod. */
function makePods(pids: readonly string[]): { remove: () => void } {
  const version1 = "/sys/fs/cgroup/memory";
  const root = existsSync(`${version1}/cgroup.procs`) ? version1 : "/sys/fs/cgroup";
  const top = path.join(root, `leakwatch-bench-${process.pid}`);
  const made: string[] = [];
  const make = (folder: string, parent = path.dirname(folder)) => {
    const control = path.join(parent, "cgroup.subtree_control");
    if (existsSync(control)) writeFileSync(control, "+memory");
    mkdirSync(folder);
    made.push(folder);
    return folder;
  };
  try {
    make(top);
    for (let pod = 0; pod < node.pods; pod++) {
      const uid = `00000000-0000-4000-8000-${String(pod).padStart(12, "0")}`;
      const folder = make(path.join(top, `pod${uid}`));
      for (let container = 0; container < node.containers; container++) {
        const pid = pids[pod * node.containers + container];
        const id = `${pod.toString(16).padStart(32, "0")}${container.toString(16).padStart(32, "0")}`;
        const scope = make(path.join(folder, id));
        if (pid !== undefined) writeFileSync(path.join(scope, "cgroup.procs"), pid);
      }
    }
  } catch (error) {
    console.log(`\nThe processes are not in cgroups of their own: ${(error as Error).message}`);
  }
  const remove = () => {
    for (const folder of made.toReversed()) {
      try {
        rmdirSync(folder);
      } catch {
        // a process is still there: it ends with the bench, and the folder stays behind, empty
      }
    }
  };
  return { remove };
}
