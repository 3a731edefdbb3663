// Which images a run uses: what the user names, else the official ones where they can be had, else stand-ins made here.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pull } from "./pull.ts";
import { hostCaBundle, type Recipe, recipes, standIn, withCaBundle } from "./stand-ins.ts";

/** Each is named, with the image that it stands for, by a shipped file. */
const variables = [
  "NODE_IMAGE",
  "PROMETHEUS_IMAGE",
  "ALERTMANAGER_IMAGE",
  "PYTHON_IMAGE",
  "BUSYBOX_IMAGE",
  "GRAFANA_IMAGE",
] as const;

export type ImageVariable = (typeof variables)[number];

export interface Image {
  /** What goes into the environment; the official name when there is none. */
  name: string;
  /** `given`: the environment named it. `none`: it cannot be had here. */
  origin: "given" | "pulled" | "stand-in" | "none";
}

export type Images = Record<ImageVariable, Image>;

/** Pulls or makes every image, and prints which they are. `LEAKWATCH_TEST_PULL=never` goes straight to the stand-ins. */
export async function images(): Promise<Images> {
  const found: [ImageVariable, Image][] = [];
  const defaults = shippedDefaults();
  for (const variable of variables) {
    const official = defaults.get(variable);
    if (official === undefined) throw new Error(`no shipped file names an image for ${variable}`);
    const image = await imageOf(variable, official, recipes[variable]);
    console.log(`${variable}=${image.name} (${image.origin})`);
    found.push([variable, image]);
  }
  return Object.fromEntries(found) as Images;
}

/** Sets the `…_IMAGE` variables for the programs that this process starts. */
export function exportImages(found: Images): void {
  for (const [variable, { name, origin }] of Object.entries(found)) {
    if (origin !== "none") process.env[variable] = name;
  }
}

async function imageOf(variable: ImageVariable, official: string, recipe: Recipe | undefined): Promise<Image> {
  const given = process.env[variable];
  if (given) return { name: given, origin: "given" };
  if (await pull(official)) {
    // npm needs the bundle; nothing else here opens a connection that ends outside
    const bundle = variable === "NODE_IMAGE" ? hostCaBundle() : undefined;
    return { name: bundle === undefined ? official : withCaBundle(official, bundle), origin: "pulled" };
  }
  if (recipe === undefined) return { name: official, origin: "none" };
  return { name: standIn(recipe), origin: "stand-in" };
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** The names that the shipped files use when nothing is set: `ARG NODE_IMAGE=…`, `${NODE_IMAGE:-…}`. */
function shippedDefaults(): Map<string, string> {
  const files = ["docker-compose.yml", "demo/timings/Dockerfile", "demo/Dockerfile", "Dockerfile"];
  const texts = files.map((file) => path.join(repository, file)).filter((file) => fs.existsSync(file));
  const pairs = texts.flatMap((file) => [
    ...fs.readFileSync(file, "utf8").matchAll(/(?:\$\{|^ARG )([A-Z]+_IMAGE)(?::-|=)([^\s}]+)/gm),
  ]);
  return new Map(pairs.map(([, variable, name]) => [variable as string, name as string]));
}
