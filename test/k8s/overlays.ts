// Folders for kustomize: those of the repository, and some that a test writes.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { dump, load } from "js-yaml";
import { onTestFinished } from "vitest";
import { kustomize, type Rendered } from "../support/kubectl.ts";

export const k8s = fileURLToPath(new URL("../../k8s", import.meta.url));

/** Folders that can be applied as they are, and components, which only change others; as paths below k8s/. */
export function foldersOf(kind: "Kustomization" | "Component"): string[] {
  return fs
    .readdirSync(k8s, { recursive: true, encoding: "utf8" })
    .filter((file) => path.basename(file) === "kustomization.yaml")
    .filter((file) => (load(fs.readFileSync(path.join(k8s, file), "utf8")) as { kind: string }).kind === kind)
    .map((file) => path.dirname(file))
    .sort();
}

/** Renders objects of a test's own with components of the repository. */
export function withComponents(objects: readonly object[], ...components: string[]): Promise<Rendered[]> {
  return overlay("objects.yaml", components, objects);
}

/** Renders a folder below k8s/ with components of the repository. */
export function folderWithComponents(folder: string, ...components: string[]): Promise<Rendered[]> {
  return overlay(`../${folder}`, components);
}

async function overlay(resource: string, components: readonly string[], objects: readonly object[] = []) {
  // below k8s/, since kustomize takes no absolute paths
  const folder = fs.mkdtempSync(path.join(k8s, ".test-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, "objects.yaml"), objects.map((object) => dump(object)).join("---\n"));
  const kustomization = { resources: [resource], components: components.map((name) => `../components/${name}`) };
  fs.writeFileSync(path.join(folder, "kustomization.yaml"), dump(kustomization));
  return kustomize(folder);
}
