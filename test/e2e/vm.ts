// A virtual machine with cgroup v2 only, on whatever machine the tests run: Debian's kernel in qemu, and a file system in
// memory with busybox, this very Node.js and the built exporter. Without KVM it takes half a minute.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import lock from "../../package-lock.json" with { type: "json" };
import { cacheFolder, unpackDebian } from "../support/debian.ts";
import { ensurePrograms, findProgram } from "../support/packages.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const longestRun = 240_000;

/** Boots, runs `/init`, and returns what it wrote to its second serial port. Throws with the console when it does not end well. */
export async function boot(files: Readonly<Record<string, string>>): Promise<string> {
  ensurePrograms([
    { program: "qemu-system-x86_64", packages: ["qemu-system-x86"] },
    { program: "cpio", packages: ["cpio"] },
    { program: "busybox", packages: ["busybox-static"] },
    { program: "xz", packages: ["xz-utils"] },
  ]);
  const kernel = kernelImage();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leakwatch-vm-"));
  try {
    fill(path.join(folder, "root"), files);
    // neither compressed, nor with instructions that are slow to emulate
    const pack = 'cd "$1/root" && find . | cpio --quiet -o -H newc > "$1/initrd"';
    execFileSync("sh", ["-c", pack, "sh", folder], { stdio: "pipe" });
    const words = [
      "-accel",
      "tcg",
      "-cpu",
      "Nehalem",
      "-smp",
      "2",
      "-m",
      "1536",
      "-display",
      "none",
      "-no-reboot",
      "-nic",
      "none",
    ];
    const disks = ["-kernel", kernel, "-initrd", path.join(folder, "initrd")];
    const ports = ["-serial", "stdio", "-serial", `file:${path.join(folder, "answers")}`];
    const machine = spawn(
      "qemu-system-x86_64",
      [...words, ...disks, "-append", "console=ttyS0 quiet panic=-1 psi=1", ...ports],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let console = "";
    for (const output of [machine.stdout, machine.stderr]) {
      output.setEncoding("utf8").on("data", (text: string) => {
        console += text;
      });
    }
    const late = setTimeout(() => machine.kill("SIGKILL"), longestRun);
    await once(machine, "exit");
    clearTimeout(late);
    const answers = fs.readFileSync(path.join(folder, "answers"), "utf8");
    if (!answers.includes("=== end"))
      throw new Error(`the machine did not come to an end:\n${console}\n${answers.slice(-2000)}`);
    return answers;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const kernelFolder = path.join(cacheFolder, "kernel");

/** What swaps into compressed memory, and what that needs, as insmod takes it. */
const swapModules = ["lib/lz4/lz4hc_compress", "drivers/block/zram/zram"];

/** The kernel for virtual machines of a Debian release, behind packages that only depend on the next, and its modules for swap. */
function kernelImage(): string {
  const folder = kernelFolder;
  const places = ["boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"].map((place) => path.join(folder, place));
  let next: readonly string[] = ["linux-image-cloud-amd64"];
  for (let depth = 0; depth < 4; depth++) {
    const [found] = places.flatMap((place) => fs.globSync(place));
    if (found !== undefined && swapModules.every((name) => moduleFile(name) !== undefined)) return found;
    unpackDebian(next, folder);
    const depends = next.map((name) => {
      const [deb = ""] = fs.globSync(path.join(cacheFolder, `debs/${name}_*.deb`));
      return execFileSync("dpkg-deb", ["--field", deb, "Depends"], { encoding: "utf8" });
    });
    next = depends.join().match(/linux-(image|binary|modules)-\d[^\s,]*/g) ?? [];
  }
  throw new Error(`no kernel in what linux-image-cloud-amd64 depends on; the last were: ${next.join(", ")}`);
}

const moduleFile = (name: string) => fs.globSync(path.join(kernelFolder, `usr/lib/modules/*/kernel/${name}.ko.xz`))[0];

/** The file system, with `files` on top: text by path. */
function fill(root: string, files: Readonly<Record<string, string>>): void {
  for (const folder of ["bin", "proc", "sys", "dev", "tmp", "etc", "srv", "app", "modules"])
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  const busybox = findProgram("busybox") as string;
  const node = fs.realpathSync(process.execPath);
  for (const [file, source] of [
    ["bin/busybox", busybox],
    ["pause", busybox],
    ["bin/node", node],
  ] as const) {
    fs.copyFileSync(source, path.join(root, file));
  }
  for (const applet of "sh cat echo grep insmod ip mkdir mkswap mount poweroff rmdir seq sleep stty su swapon sync tail touch tr wget".split(
    " ",
  )) {
    fs.symlinkSync("busybox", path.join(root, "bin", applet));
  }
  for (const [, library] of execFileSync("ldd", [node], { encoding: "utf8" }).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)) {
    fs.mkdirSync(path.join(root, path.dirname(library as string)), { recursive: true });
    fs.copyFileSync(library as string, path.join(root, library as string));
  }
  for (const name of swapModules) {
    const module = execFileSync("xz", ["--decompress", "--stdout", moduleFile(name) as string], { maxBuffer: 2 ** 26 });
    fs.writeFileSync(path.join(root, "modules", `${path.basename(name)}.ko`), module);
  }
  fs.writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
  fs.cpSync(path.join(repository, "dist"), path.join(root, "app/dist"), { recursive: true });
  fs.copyFileSync(path.join(repository, "package.json"), path.join(root, "app/package.json"));
  for (const folder of productionModules()) {
    fs.cpSync(path.join(repository, folder), path.join(root, "app", folder), { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text, { mode: 0o755 });
  }
}

/** `node_modules/express`, …: what the exporter needs when it runs. */
const productionModules = () =>
  Object.entries(lock.packages as Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>)
    .filter(([name, { dev, optional, devOptional }]) => name !== "" && !dev && !optional && !devOptional)
    .map(([name]) => name);
