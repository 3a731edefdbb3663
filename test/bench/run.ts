// npm run bench: what the exporter costs, measured on real processes and held against what it promises.

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, release } from "node:os";
import { parseArgs } from "node:util";
import { measureBlock } from "./block.ts";
import { type CpuPlan, compareCpu } from "./cpu.ts";
import { type DashboardsPlan, measureDashboards } from "./dashboards.ts";
import { type Farm, type FarmShape, startFarm, startFarmInNamespace } from "./farm.ts";
import { type KubernetesPlan, measureNode, measureSidecars, node } from "./kubernetes.ts";
import { type Finding, judge, type Limit, limits } from "./limits.ts";
import { type MemoryPlan, measureMemory, measureSidecar } from "./memory.ts";
import { CannotRun, stopEverything } from "./programs.ts";
import { measureRules, type RulesPlan } from "./rules.ts";
import { show, table } from "./table.ts";

const usage = `usage: npm run bench -- [--quick] [--only PART]... [--json FILE] [--leaks N] [--prometheus PROGRAM]
  --quick               fewer rounds and scrapes: less exact, about a minute and a half
  --only PART           cpu, memory, sidecar or block; or kubernetes, rules, dashboards, which are left out otherwise
  --json FILE           write the findings there too
  --leaks N             for rules: one process in N leaks, 10, 20 or 40 (default: 10)
  --prometheus PROGRAM  server for rules and dashboards; by default the newest that Debian has`;

/** What the exporter costs; what its rules cost in Prometheus is another question. */
const defaultParts = ["cpu", "memory", "sidecar", "block"] as const;
const parts = [...defaultParts, "kubernetes", "rules", "dashboards"] as const;
type Part = (typeof parts)[number];

interface Plan {
  cpu: CpuPlan;
  memory: MemoryPlan;
  /** Scrapes of which the longest block is taken. */
  blockScrapes: number;
  kubernetes: KubernetesPlan;
  rules: RulesPlan;
  dashboards: DashboardsPlan;
}

const scrapesOfRounds = { scrapes: 6, peerScrapes: 2, pacedScrapes: 2, gap: 1000 };
const fullPlan: Plan = {
  cpu: { rounds: 10, pacedRounds: 8, ...scrapesOfRounds },
  memory: { warmUp: 300, scrapes: 1000 },
  blockScrapes: 200,
  kubernetes: { sidecars: 10, scrapes: 30, nodeScrapes: 8 },
  rules: { evaluations: 12 },
  dashboards: { rounds: 5 },
};
const quickPlan: Plan = {
  cpu: { rounds: 3, pacedRounds: 2, ...scrapesOfRounds },
  memory: { warmUp: 300, scrapes: 200 },
  blockScrapes: 60,
  kubernetes: { sidecars: 10, scrapes: 10, nodeScrapes: 3 },
  rules: { evaluations: 4 },
  dashboards: { rounds: 2 },
};

/** Four threads each: what the peer reads of each thread is a good part of its cost. */
const farm: FarmShape = { count: 1000, threads: 4, anonMib: 2 };
/** Cost does not depend on their threads and memory here, so they are small. */
const largeFarm: FarmShape = { count: 4000, threads: 1, anonMib: 0 };
const sidecarFarm: FarmShape = { count: 5, threads: 4, anonMib: 2 };

/** Of a node: one process in each container. */
const nodeFarm: FarmShape = { count: node.pods * node.containers, threads: 4, anonMib: 2 };

const longestRun = { exporter: 350_000, rules: 900_000, dashboards: 900_000 };

process.on("exit", stopEverything);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

try {
  const { plan, wanted, json, leaks, prometheus } = readArguments();
  endAfter(
    longestRun.exporter + (wanted("rules") ? longestRun.rules : 0) + (wanted("dashboards") ? longestRun.dashboards : 0),
  );
  console.log(`Node.js ${process.version}, Linux ${release()}, ${availableParallelism()} cores, ${load()}`);
  const findings = await run(plan, wanted);
  if (wanted("rules")) findings.push(...(await measureRules(plan.rules, leaks, prometheus)));
  if (wanted("dashboards")) findings.push(...(await measureDashboards(plan.dashboards, prometheus)));
  report(findings);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(findings.map(withLimit), undefined, 2)}\n`);
  end(findings.some((finding) => judge(finding) === "FAIL") ? 1 : 0, "");
} catch (error) {
  end(2, error instanceof CannotRun ? error.message : ((error as Error).stack ?? String(error)));
}

async function run(plan: Plan, wanted: (part: Part) => boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (wanted("cpu") || wanted("memory")) {
    await withFarm(startFarm(farm), async (thousand) => {
      if (wanted("cpu")) findings.push(...(await compareCpu(thousand, plan.cpu)));
      if (wanted("memory")) findings.push(...(await measureMemory(plan.memory)));
    });
  }
  if (wanted("sidecar")) {
    await withFarm(startFarmInNamespace(sidecarFarm), async (few) => {
      findings.push(...(await measureSidecar(few, sidecarFarm.count, plan.memory)));
    });
  }
  if (wanted("block")) {
    await withFarm(startFarm(largeFarm), async (many) => {
      findings.push(...(await measureBlock(many, plan.blockScrapes)));
    });
  }
  if (wanted("kubernetes")) {
    await withFarm(startFarmInNamespace(sidecarFarm), async (few) => {
      findings.push(...(await measureSidecars(few, plan.kubernetes)));
    });
    await withFarm(startFarm(nodeFarm), async (full) => {
      findings.push(...(await measureNode(full, plan.kubernetes)));
    });
  }
  return findings;
}

async function withFarm(starting: Promise<Farm>, work: (farm: Farm) => Promise<void>): Promise<void> {
  const started = await starting;
  await work(started);
  await started.stop();
}

function endAfter(milliseconds: number): void {
  setTimeout(() => end(2, `stopped: it took longer than ${milliseconds / 1000} s`), milliseconds).unref();
}

interface Arguments {
  plan: Plan;
  wanted: (part: Part) => boolean;
  json: string | undefined;
  /** One process in so many leaks, where rules are measured. */
  leaks: number;
  prometheus: string | undefined;
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true, default: [...defaultParts] },
        json: { type: "string" },
        leaks: { type: "string", default: "10" },
        prometheus: { type: "string" },
      },
    });
    const unknown = values.only.find((part) => !parts.some((known) => known === part));
    if (unknown !== undefined) throw new Error(`--only: expected ${parts.join(", ")}, got "${unknown}"`);
    const leaks = Number(values.leaks);
    if (![10, 20, 40].includes(leaks)) throw new Error(`--leaks: expected 10, 20 or 40, got "${values.leaks}"`);
    return {
      plan: values.quick ? quickPlan : fullPlan,
      wanted: (part) => values.only.includes(part),
      json: values.json,
      leaks,
      prometheus: values.prometheus,
    };
  } catch (error) {
    throw new CannotRun(`${(error as Error).message}\n${usage}`);
  }
}

function report(findings: readonly Finding[]): void {
  const order = Object.keys(limits);
  const sorted = findings.toSorted((a, b) => order.indexOf(a.limit) - order.indexOf(b.limit));
  const rows = sorted.map((finding) => {
    const { what, unit, must, aim }: Limit = limits[finding.limit];
    const aimed = aim === undefined ? "" : `≤ ${aim}`;
    return [`${what}, ${finding.how}`, `${show(finding.value)} ${unit}`, `≤ ${must}`, aimed, judge(finding)];
  });
  console.log(`\n${table([["what", "measured", "must", "aim", ""], ...rows])}`);
  if (findings.some((finding) => judge(finding) === "noise")) {
    console.log(
      "  noise: over the limit by no more than the machine may have added: it held up a program that does nothing, too.",
    );
  }
  console.log(`  ${load()}`);
}

function withLimit(finding: Finding) {
  return { ...finding, ...limits[finding.limit], verdict: judge(finding) };
}

/** Other work on the machine, so that one can see how far to trust the numbers. */
function load(): string {
  const running = readFileSync("/proc/loadavg", "utf8").split(" ")[3];
  return `load ${loadavg()
    .map((n) => n.toFixed(2))
    .join(" ")}, ${running} tasks`;
}

/** Leaves at once; whatever still runs is ended by the handler of `exit`. */
function end(code: number, message: string): never {
  if (message !== "") console.error(message);
  process.exit(code);
}
