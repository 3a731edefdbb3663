// npm run preview: pictures of the dashboards, without a Grafana. Draws the generated JSON with Grafana's own components
// against a real Prometheus: one with a made-up day, or your own.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scrapeIntervalSeconds } from "../../catalog/defaults.ts";
import { stopEverything } from "../../test/bench/programs.ts";
import { PrometheusServer, prometheusProgram } from "../../test/bench/prometheus.ts";
import { exportedDay } from "../../test/support/exported-day.ts";
import { ensurePrograms, findProgram } from "../../test/support/packages.ts";

const usage = `usage: npm run preview -- [options]
  --board NAME       fleet, process, trend, restarts or exporter; may be given several times (default: all that are generated)
  --theme THEME      dark or light (default: both)
  --url URL          your own Prometheus, as it is now, instead of one with a made-up day
  --var NAME=VALUE   value of a variable, for instance --var group=api; may be given several times
  --from, --to WHEN  ends of the range, for instance --to now+24h (default: the board's own)
  --boards FOLDER    where their JSON is (default: dashboards/generated)
  --out FOLDER       where the pictures go (default: dashboards/preview/pictures)`;

const here = fileURLToPath(new URL(".", import.meta.url));
const themes = ["dark", "light"] as const;

/** What the boards of one thing show when nobody says which. */
const shownByDefault: Record<string, Record<string, string>> = { process: { group: "checkout-api" } };

interface Wanted {
  folder: string;
  boards: string[];
  themes: readonly (typeof themes)[number][];
  url: string | undefined;
  values: Record<string, string>;
  time: { from?: string; to?: string };
  out: string;
}

const nameInFile = /^leakwatch-(.+)\.json$/;
const fileOf = (board: string) => `leakwatch-${board}.json`;

let wanted: Wanted;
try {
  wanted = readArguments();
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(2);
}
process.exitCode = await preview(wanted);

async function preview({ folder, boards: names, themes: shades, url, values, time, out }: Wanted): Promise<number> {
  const chromium = findChromium();
  installPackages();
  const { buildPage, draw, servePage } = await import("./pictures.ts");
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-preview-"));
  try {
    await step("building the page", buildPage);
    const now = Math.floor(Date.now() / 60_000) * 60;
    const prometheus = url ?? (await startPrometheus(now));
    const server = await servePage(folder, prometheus);
    let complaints = 0;
    fs.mkdirSync(out, { recursive: true });
    const wishes = names.flatMap((board) =>
      shades.map((theme) => ({
        board: fileOf(board),
        theme,
        now,
        time,
        values: { ...(url === undefined ? shownByDefault[board] : {}), ...values },
        scrapeInterval: scrapeIntervalSeconds,
        file: path.join(out, `${board}-${theme}.png`),
      })),
    );
    for await (const { file, messages } of draw(chromium, temporary, server.url, wishes)) {
      console.log(path.relative(process.cwd(), file));
      for (const message of messages) console.error(`  ${message}`);
      complaints += messages.length;
    }
    server.stop();
    return complaints === 0 ? 0 : 1;
  } finally {
    stopEverything();
    fs.rmSync(temporary, { recursive: true });
  }
}

async function startPrometheus(now: number): Promise<string> {
  ensurePrograms([{ program: "prometheus", packages: ["prometheus"] }]);
  const server = await PrometheusServer.start(prometheusProgram("prometheus").path);
  await step("writing a day", async () => {
    for (const body of exportedDay(now)) await server.write(body);
  });
  return server.url;
}

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const begin = Date.now();
  console.log(`${what} …`);
  await work();
  console.log(`  ${((Date.now() - begin) / 1000).toFixed(1)} s`);
}

/** The packages of the preview are its own: they are many, and nothing else needs them. */
function installPackages(): void {
  const lock = path.join(here, "package-lock.json");
  const installed = path.join(here, "node_modules/.package-lock.json");
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lock).mtimeMs) return;
  console.log("installing the packages of the preview, some 700 MB …");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
}

function findChromium(): string {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const found = process.env["CHROMIUM"] ?? names.map(findProgram).find((program) => program !== undefined);
  if (found !== undefined) return found;
  ensurePrograms([{ program: "chromium", packages: ["chromium"] }]);
  return findProgram("chromium") as string;
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      board: { type: "string", multiple: true },
      theme: { type: "string", multiple: true, default: [...themes] },
      url: { type: "string" },
      var: { type: "string", multiple: true, default: [] },
      from: { type: "string" },
      to: { type: "string" },
      boards: { type: "string", default: path.join(here, "../generated") },
      out: { type: "string", default: path.join(here, "pictures") },
    },
  });
  const generated = fs.readdirSync(values.boards).flatMap((file) => nameInFile.exec(file)?.slice(1) ?? []);
  return {
    folder: values.boards,
    boards: (values.board ?? generated).map((name) => oneOf("--board", generated, name)),
    themes: values.theme.map((theme) => oneOf("--theme", themes, theme)),
    url: values.url?.replace(/\/+$/, ""),
    values: Object.fromEntries(values.var.map(assignment)),
    time: { ...(values.from && { from: values.from }), ...(values.to && { to: values.to }) },
    out: values.out,
  };
}

function oneOf<T extends string>(option: string, known: readonly T[], given: string): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new Error(`${option}: expected ${known.join(", ")}, got "${given}"`);
  return found;
}

function assignment(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--var: expected NAME=VALUE, got "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
