// `leakwatch doctor`: observes, judges and prints.

import fs from "node:fs";
import { ruleGroups } from "../../alerts/index.ts";
import { scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import type { Config } from "../config/config.ts";
import { maxHeldDescriptors } from "../descriptors.ts";
import { KernelFiles } from "../kernel/files.ts";
import { PrometheusApi } from "../prometheus/api.ts";
import { wantsColour } from "../terminal/colour.ts";
import { CommandError } from "../terminal/command-error.ts";
import { reportColumns } from "../terminal/wrap.ts";
import { version } from "../version.ts";
import { parseListenAddress } from "../web/listen-address.ts";
import { examine, exitCodeOf, type Finding, failure } from "./finding.ts";
import { GrafanaError, observeGrafana } from "./grafana.ts";
import { grafanaSections } from "./grafana-checks.ts";
import { type MachineFacts, observeMachine } from "./machine.ts";
import { machineSections, ruleSections } from "./machine-checks.ts";
import { observePrometheus, type PrometheusFacts } from "./prometheus.ts";
import { prometheusSections } from "./prometheus-checks.ts";
import { asJson, renderText } from "./report.ts";
import { observeSetup } from "./setup.ts";
import { configurationSections, exporterSections } from "./setup-checks.ts";

export interface DoctorOptions {
  configFile?: string;
  webListenAddress: string;
  webTelemetryPath: string;
  pathProcfs: string;
  pathCgroupfs: string;
  prometheusUrl?: string;
  bearerTokenFile?: string;
  grafanaUrl?: string;
  grafanaTokenFile?: string;
  json: boolean;
  verbose: boolean;
  color: boolean;
}

/** What the user gave cannot be used. */
export class DoctorMisuse extends Error {}

/** How long a server may take for an answer, in seconds. */
const timeoutSeconds = 10;

/** Prints the findings and returns the exit code. */
export async function doctor(options: DoctorOptions): Promise<0 | 1 | 2> {
  const findings = await findAll(options);
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(findings, version), undefined, 2)}\n`);
  else
    process.stdout.write(
      renderText(findings, {
        ...options,
        colour: options.color && wantsColour(),
        columns: reportColumns(),
        notAsked: notAsked(options),
      }),
    );
  return exitCodeOf(findings);
}

async function findAll(options: DoctorOptions): Promise<Finding[]> {
  const { configFile, webListenAddress: address, webTelemetryPath: telemetryPath } = options;
  const setup = await observeSetup({ configFile, address, telemetryPath });
  const server = await askPrometheus(options);
  const machine = await machineOrFinding(options, setup.config);
  return [
    ...("findings" in machine ? machine.findings : examine(machineSections, machine)),
    ...examine(configurationSections, setup),
    ...("findings" in machine ? [] : examine(ruleSections, machine)),
    ...examine(exporterSections, setup),
    ...(server === undefined ? [] : examine(prometheusSections, { server, shipped: ruleGroups() })),
    ...(await findInGrafana(options, server)),
  ];
}

/** The facts, or why there are none. */
async function machineOrFinding(
  options: DoctorOptions,
  config: Config,
): Promise<MachineFacts | { findings: readonly Finding[] }> {
  const files = new KernelFiles({ procfs: options.pathProcfs, cgroupfs: options.pathCgroupfs });
  try {
    return await observeMachine({ files, config, maxKept: maxHeldDescriptors(), program: process.argv[1] });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EACCES" && code !== "ENOTDIR") throw error;
    const sentence = `${options.pathProcfs} cannot be read: ${message}.`;
    const advice = "Point --path.procfs at a mounted procfs; on a host that is /proc.";
    return { findings: [{ id: "processes.seen", section: "Processes", ...failure(sentence, advice) }] };
  }
}

async function askPrometheus(options: DoctorOptions): Promise<PrometheusFacts | undefined> {
  if (options.prometheusUrl === undefined) return undefined;
  const { port } = parseListenAddress(options.webListenAddress);
  const bearerToken = tokenIn(options.bearerTokenFile);
  try {
    return await observePrometheus(new PrometheusApi(options.prometheusUrl, { bearerToken, timeoutSeconds }), { port });
  } catch (error) {
    throw error instanceof CommandError ? new DoctorMisuse(error.message) : error;
  }
}

async function findInGrafana(options: DoctorOptions, prometheus: PrometheusFacts | undefined): Promise<Finding[]> {
  if (options.grafanaUrl === undefined) return [];
  const token = tokenIn(options.grafanaTokenFile) ?? process.env["LEAKWATCH_GRAFANA_TOKEN"]?.trim();
  try {
    const server = await observeGrafana(options.grafanaUrl, { token, timeoutSeconds });
    const scrapeInterval = prometheus?.targets?.find(({ interval }) => interval !== undefined)?.interval;
    return examine(grafanaSections, { server, scrapeInterval: scrapeInterval ?? scrapeIntervalSeconds });
  } catch (error) {
    throw error instanceof GrafanaError ? new DoctorMisuse(error.message) : error;
  }
}

function tokenIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new DoctorMisuse(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

const notAsked = ({ prometheusUrl, grafanaUrl }: DoctorOptions) => [
  ...(prometheusUrl === undefined ? ["Prometheus (--prometheus-url)"] : []),
  ...(grafanaUrl === undefined ? ["Grafana (--grafana-url)"] : []),
];
