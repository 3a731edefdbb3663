// Images that behave like the official ones in what our Dockerfiles and docker-compose.yml use of them, made without a
// registry: from Debian packages, and from the Node.js that npm installed. They are not the official ones, and their names say so.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, debianObstacle, unpackDebian, unpackDebianWithDependencies } from "../../support/debian.ts";
import { docker } from "../../support/docker.ts";
import type { ImageVariable } from "./index.ts";

export interface Recipe {
  name: string;
  packages: readonly string[];
  /** Is `packages` the whole list, or are there dependencies that only apt knows? */
  withDependencies?: true;
  /** What comes on top of packages, busybox and users. Returns the version for the tag. */
  finish(root: string): string;
  /** Folders that nobody (65534) may write to. */
  writable?: readonly string[];
  /** As in a Dockerfile. */
  settings: readonly string[];
}

/** The C library and its loader: what the programs of the packages below are linked with. */
const libc = ["libc6", "libgcc-s1"];

const caBundle = "/usr/local/share/leakwatch-extra-ca.crt";

const searchPath = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Grafana is in no Debian release. */
export const recipes: Partial<Record<ImageVariable, Recipe>> = {
  NODE_IMAGE: {
    name: "node",
    packages: [...libc, "libstdc++6"],
    finish: (root) => {
      installNode(root);
      addCaBundle(root);
      return process.versions.node.split(".")[0] as string;
    },
    settings: [searchPath, 'CMD ["node"]', ...caBundleSettings()],
  },
  PROMETHEUS_IMAGE: {
    name: "prometheus",
    packages: [...libc, "prometheus", "promtool"],
    finish: (root) => {
      const settings =
        "global:\n  scrape_interval: 15s\nscrape_configs:\n  - job_name: prometheus\n    static_configs:\n      - targets: [localhost:9090]\n";
      fs.writeFileSync(path.join(root, "etc/prometheus/prometheus.yml"), settings);
      return versionOf(root, "prometheus");
    },
    writable: ["prometheus"],
    settings: [
      searchPath,
      "USER 65534:65534",
      "WORKDIR /prometheus",
      "EXPOSE 9090",
      "VOLUME /prometheus",
      'ENTRYPOINT ["/bin/prometheus"]',
      'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]',
    ],
  },
  ALERTMANAGER_IMAGE: {
    name: "alertmanager",
    packages: [...libc, "prometheus-alertmanager"],
    finish: (root) => {
      fs.renameSync(path.join(root, "usr/bin/prometheus-alertmanager"), path.join(root, "usr/bin/alertmanager"));
      fs.mkdirSync(path.join(root, "etc/alertmanager"));
      const settings = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n";
      fs.writeFileSync(path.join(root, "etc/alertmanager/alertmanager.yml"), settings);
      return versionOf(root, "alertmanager");
    },
    writable: ["alertmanager"],
    settings: [
      searchPath,
      "USER 65534:65534",
      "WORKDIR /alertmanager",
      "EXPOSE 9093",
      "VOLUME /alertmanager",
      'ENTRYPOINT ["/bin/alertmanager"]',
      'CMD ["--config.file=/etc/alertmanager/alertmanager.yml","--storage.path=/alertmanager"]',
    ],
  },
  PYTHON_IMAGE: {
    name: "python-flask",
    packages: ["python3-flask", "python3-pip", "libgcc-s1", "ca-certificates"],
    withDependencies: true,
    finish: (root) => {
      fs.symlinkSync("python3", path.join(root, "usr/bin/python"));
      // Debian guards its own Python against pip; an image has no other
      for (const folder of fs.globSync(path.join(root, "usr/lib/python3*"))) {
        fs.rmSync(path.join(folder, "EXTERNALLY-MANAGED"), { force: true });
      }
      addCaBundle(root);
      // what update-ca-certificates makes when the package is installed; pip does not start without it
      const authorities = fs.globSync(path.join(root, "usr/share/ca-certificates/mozilla/*.crt"));
      fs.mkdirSync(path.join(root, "etc/ssl/certs"), { recursive: true });
      const texts = authorities.map((file) => fs.readFileSync(file, "utf8"));
      fs.writeFileSync(path.join(root, "etc/ssl/certs/ca-certificates.crt"), texts.join(""));
      return /^python3\.(\d+)$/m.exec(fs.readdirSync(path.join(root, "usr/bin")).join("\n"))?.[0].slice(6) ?? "3";
    },
    settings: [searchPath, "ENV LANG=C.UTF-8", 'CMD ["python3"]', ...caBundleSettings("PIP_CERT")],
  },
  BUSYBOX_IMAGE: {
    name: "busybox",
    packages: [],
    finish: (root) => {
      const banner = execFileSync(path.join(root, "usr/bin/busybox"), ["--help"], { encoding: "utf8" });
      return /^BusyBox v(\d+\.\d+\.\d+)/.exec(banner)?.[1] ?? "unknown";
    },
    settings: [searchPath, 'CMD ["sh"]'],
  },
};

/** Tag of the image. It is made when the engine has none by this very recipe. */
export function standIn(recipe: Recipe): string {
  const hash = recipeHash(recipe);
  const byRecipe = `leakwatch-local/${recipe.name}:recipe-${hash}`;
  const [known] = docker("image", "ls", "--format={{.ID}}", byRecipe).split("\n");
  if (known) return namesOf(recipe.name, known).find((name) => !name.includes(":recipe-")) ?? byRecipe;
  const obstacle = debianObstacle();
  if (obstacle !== undefined) {
    throw new Error(
      `No image for ${recipe.name}: none can be pulled, and none can be made, since ${obstacle}. Name one in the environment (NODE_IMAGE and so on).`,
    );
  }
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-image-"));
  try {
    const version = fill(root, recipe);
    const tag = `leakwatch-local/${recipe.name}:${version}`;
    importFolder(root, recipe, tag);
    docker("tag", tag, byRecipe);
    return tag;
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

/** An image that trusts what this machine trusts, for networks whose proxy signs anew what it passes on. */
export function withCaBundle(image: string, bundle: string): string {
  const tag = `leakwatch-local/with-ca/${image.replaceAll(/[^\w.-]+/g, "-")}`;
  const context = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-image-"));
  try {
    fs.copyFileSync(bundle, path.join(context, "ca.crt"));
    const lines = [`FROM ${image}`, `COPY ca.crt ${caBundle}`, ...caBundleSettings()];
    fs.writeFileSync(path.join(context, "Dockerfile"), `${lines.join("\n")}\n`);
    execFileSync("docker", ["build", "--quiet", `--tag=${tag}`, context], { stdio: "pipe" });
    return tag;
  } finally {
    fs.rmSync(context, { recursive: true });
  }
}

/** Certificates that npm on this machine trusts on top of its own. */
export function hostCaBundle(): string | undefined {
  // npm passes its cafile on to what it runs
  const named = [process.env["NODE_EXTRA_CA_CERTS"], process.env["npm_config_cafile"]];
  return named.find((file) => file !== undefined && file !== "" && fs.existsSync(file));
}

function caBundleSettings(variable = "NODE_EXTRA_CA_CERTS"): string[] {
  return hostCaBundle() === undefined ? [] : [`ENV ${variable}=${caBundle}`];
}

function addCaBundle(root: string): void {
  const bundle = hostCaBundle();
  if (bundle !== undefined) fs.copyFileSync(bundle, path.join(root, caBundle));
}

/** Changes with the recipe, with the way it is carried out, and with what of this machine goes in. */
function recipeHash(recipe: Recipe): string {
  const hash = createHash("sha256").update(fs.readFileSync(fileURLToPath(import.meta.url)));
  hash.update(recipe.name).update(process.version).update(process.arch);
  const bundle = hostCaBundle();
  if (bundle !== undefined) hash.update(fs.readFileSync(bundle));
  return hash.digest("hex").slice(0, 12);
}

/** Names of an image by its id, with ours first. */
function namesOf(name: string, id: string): string[] {
  const lines = docker("image", "ls", "--format={{.ID}} {{.Repository}}:{{.Tag}}", `leakwatch-local/${name}`).split(
    "\n",
  );
  return lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.split(" ")[1] as string);
}

/** The file system of the image. Returns the version for its tag. */
function fill(root: string, recipe: Recipe): string {
  for (const folder of [
    "etc",
    "proc",
    "sys",
    "dev",
    "tmp",
    "root",
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib64",
    "usr/local/bin",
    "usr/local/share",
    "var/tmp",
  ]) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const folder of ["bin", "sbin", "lib", "lib64"]) fs.symlinkSync(`usr/${folder}`, path.join(root, folder));
  const unpack = recipe.withDependencies ? unpackDebianWithDependencies : unpackDebian;
  unpack([...recipe.packages, "busybox-static"], root);
  addBusyboxApplets(root);
  // the ids of the official images
  const users = [
    ["root", 0, "/root"],
    ["node", 1000, "/tmp"],
    ["nobody", 65534, "/tmp"],
  ] as const;
  const passwd = users.map(([name, id, home]) => `${name}:x:${id}:${id}::${home}:/bin/sh\n`).join("");
  fs.writeFileSync(path.join(root, "etc/passwd"), passwd);
  fs.writeFileSync(path.join(root, "etc/group"), users.map(([name, id]) => `${name}:x:${id}:\n`).join(""));
  fs.writeFileSync(path.join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
  for (const folder of recipe.writable ?? []) fs.mkdirSync(path.join(root, folder), { recursive: true });
  for (const folder of ["tmp", "var/tmp"]) fs.chmodSync(path.join(root, folder), 0o1777);
  return recipe.finish(root);
}

/** sh, wget, ls and so on, where no package brought the real one. */
function addBusyboxApplets(root: string): void {
  const busybox = path.join(root, "usr/bin/busybox");
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets) {
    const place = path.join(root, "usr/bin", applet);
    if (fs.lstatSync(place, { throwIfNoEntry: false }) === undefined) fs.symlinkSync("busybox", place);
  }
}

/** node, and npm: the package of Node.js for npm has no npm in it. */
function installNode(root: string): void {
  const binary = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/bin/node`);
  fs.copyFileSync(binary, path.join(root, "usr/local/bin/node"));
  fs.chmodSync(path.join(root, "usr/local/bin/node"), 0o755);
  const modules = path.join(root, "usr/local/lib/node_modules");
  fs.mkdirSync(path.join(modules, "npm"), { recursive: true });
  execFileSync("tar", ["-xzf", npmTarball(), "--strip-components=1", "-C", path.join(modules, "npm")]);
  for (const name of ["npm", "npx"]) {
    fs.symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(root, "usr/local/bin", name));
    fs.chmodSync(path.join(modules, `npm/bin/${name}-cli.js`), 0o755);
  }
}

/** That of the Node.js releases of this line. */
const npmVersion = "11.21.2";

function npmTarball(): string {
  const tarball = path.join(cacheFolder, `npm-${npmVersion}.tgz`);
  if (fs.existsSync(tarball)) return tarball;
  const folder = fs.mkdtempSync(path.join(cacheFolder, "npm-"));
  try {
    execFileSync("npm", ["pack", `npm@${npmVersion}`, "--silent", `--pack-destination=${folder}`], { stdio: "pipe" });
    fs.renameSync(path.join(folder, path.basename(tarball)), tarball);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  return tarball;
}

/** "prometheus, version 3.5.3+ds1 (…)": what the program says, without Debian's addition. */
function versionOf(root: string, program: string): string {
  const loader =
    fs.globSync(path.join(root, "usr/lib64/ld-linux*"))[0] ?? fs.globSync(path.join(root, "usr/lib/ld-linux*"))[0];
  const library = fs.globSync(path.join(root, "usr/lib/*-linux-gnu"))[0] as string;
  const words = ["--library-path", library, path.join(root, "usr/bin", program), "--version"];
  const text = execFileSync(loader as string, words, { encoding: "utf8" });
  return /version (\d+\.\d+\.\d+)/.exec(text)?.[1] ?? "unknown";
}

/** Everything is root's, but for the folders that the program writes to. */
function importFolder(root: string, recipe: Recipe, tag: string): void {
  const archive = `${root}.tar`;
  const writable = (recipe.writable ?? []).map((folder) => `./${folder}`);
  try {
    const excluded = writable.map((folder) => `--exclude=${folder}`);
    execFileSync("tar", ["-C", root, "--owner=0", "--group=0", "--mode=a+rX", ...excluded, "-cf", archive, "."]);
    if (writable.length > 0) {
      execFileSync("tar", ["-C", root, "--owner=65534", "--group=65534", "-rf", archive, ...writable]);
    }
    const changes = recipe.settings.map((setting) => `--change=${setting}`);
    execFileSync("docker", ["import", ...changes, archive, tag], { stdio: "pipe" });
  } finally {
    fs.rmSync(archive, { force: true });
  }
}
