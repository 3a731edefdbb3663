// What is asked of every object, beside that it is rendered at all. Each check returns complaints.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Rendered } from "../support/kubectl.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

const core = "kubernetes-models";
const operator = "@kubernetes-models/prometheus-operator";

/** Package of a kind's model: `kubernetes-models/apps/v1/Deployment`. */
const modelOf = ({ apiVersion, kind }: Rendered) =>
  `${apiVersion.startsWith("monitoring.coreos.com/") ? operator : core}/${apiVersion}/${kind}`;

const nameOf = ({ kind, metadata }: Rendered) => `${kind} ${metadata?.name}`;

/** Values: types, quantities, durations, and whatever else the schema has a format for. */
export async function schemaComplaints(objects: readonly Rendered[]): Promise<string[]> {
  const complaints: string[] = [];
  for (const object of objects) {
    const Model = (await import(modelOf(object)))[object.kind] as new (data: object) => { validate(): void };
    try {
      new Model(object).validate();
    } catch (error) {
      complaints.push(`${nameOf(object)}: ${(error as Error).message}`);
    }
  }
  return complaints;
}

/** Names of fields, which the schema lets pass: each object is compiled as a literal of its type. */
export function typeComplaints(objects: readonly Rendered[]): string[] {
  // below the repository, where the compiler finds the packages
  const cache = path.join(repository, "test/.cache");
  fs.mkdirSync(cache, { recursive: true });
  const folder = fs.mkdtempSync(path.join(cache, "types-"));
  try {
    const literals = objects.map(
      (object, i) =>
        `export const object${i}: import("${modelOf(object)}").I${object.kind} = ${JSON.stringify(object)};`,
    );
    fs.writeFileSync(path.join(folder, "objects.ts"), literals.join("\n"));
    const options = { target: "es2024", module: "nodenext", strict: true, noEmit: true, skipLibCheck: true, types: [] };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    const compiler = path.join(repository, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [compiler, "--project", folder], { encoding: "utf8", stdio: "pipe" });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    const lines = (stdout ?? String(error)).split("\n").filter((line) => line.includes("error "));
    return lines.map((line) =>
      line.replace(/^.*objects\.ts\((\d+),.*?: error /, (_, n) => `${nameOf(objects[n - 1] as Rendered)}: `),
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** The pod template of a workload, or undefined. */
export function podTemplate(object: Rendered): Rendered | undefined {
  if (object.kind === "CronJob") return object["spec"].jobTemplate.spec.template;
  return object["spec"]?.template?.spec === undefined ? undefined : object["spec"].template;
}

type Text = Record<string, string>;
const matches = (selector: Text, labels: Text = {}) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Selectors that select nothing, and names that nothing has. No schema sees these. */
export function referenceComplaints(objects: readonly Rendered[]): string[] {
  const complaints: string[] = [];
  const templates = objects.flatMap((object) => podTemplate(object) ?? []);
  const named = (kind: string, name: string) => objects.some((o) => o.kind === kind && o.metadata.name === name);

  for (const object of objects) {
    const { spec } = object as { spec?: Rendered };
    const template = podTemplate(object);
    const complain = (text: string) => complaints.push(`${nameOf(object)}: ${text}`);
    if (template !== undefined) {
      const selector = spec?.["selector"]?.matchLabels;
      if (selector !== undefined && !matches(selector, template.metadata["labels"])) complain("selects other pods");
      const pod = template["spec"];
      const containers = [...pod.containers, ...(pod.initContainers ?? [])];
      const volumes = [
        ...(pod.volumes ?? []),
        ...(spec?.["volumeClaimTemplates"] ?? []).map((c: Rendered) => c.metadata),
      ];
      for (const { configMap, projected } of pod.volumes ?? []) {
        for (const { name } of [configMap, ...(projected?.sources ?? []).map((s: Rendered) => s["configMap"])].filter(
          Boolean,
        )) {
          if (!named("ConfigMap", name)) complain(`has no ConfigMap ${name}`);
        }
      }
      const account = pod.serviceAccountName;
      if (account !== undefined && !named("ServiceAccount", account)) complain(`has no ServiceAccount ${account}`);
      for (const container of containers) {
        for (const { name } of container.volumeMounts ?? []) {
          if (!volumes.some((volume: Text) => volume["name"] === name)) complain(`has no volume ${name}`);
        }
        for (const { valueFrom } of container.env ?? []) {
          const of = valueFrom?.resourceFieldRef?.containerName;
          if (of !== undefined && !containers.some(({ name }) => name === of)) complain(`has no container ${of}`);
        }
        for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
          const port = container[probe]?.httpGet?.port;
          const known = (container.ports ?? []).some(({ name }: Text) => name === port);
          if (port !== undefined && !known) complain(`${probe}: has no port ${port}`);
        }
      }
    }
    const selected: Text | undefined =
      object.kind === "Service"
        ? spec?.["selector"]
        : object.kind === "PodDisruptionBudget"
          ? spec?.["selector"].matchLabels
          : object.kind === "NetworkPolicy"
            ? spec?.["podSelector"].matchLabels
            : undefined;
    if (selected !== undefined && !templates.some((pod) => matches(selected, pod.metadata["labels"]))) {
      complain("selects no pod");
    }
  }
  return complaints;
}

/** What the standard `restricted` forbids. https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export function restrictedComplaints(pod: Rendered): string[] {
  const spec = pod["spec"];
  const complaints = ["hostPID", "hostNetwork", "hostIPC"].filter((field) => spec[field] === true);
  const allowed = [
    "configMap",
    "downwardAPI",
    "emptyDir",
    "projected",
    "secret",
    "csi",
    "ephemeral",
    "persistentVolumeClaim",
  ];
  for (const volume of spec.volumes ?? []) {
    if (!allowed.some((kind) => volume[kind] !== undefined)) complaints.push(`volume ${volume.name}`);
  }
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const own = container.securityContext ?? {};
    const effective = { ...spec.securityContext, ...own };
    const complain = (what: string) => complaints.push(`${container.name}: ${what}`);
    if (own.privileged === true) complain("privileged");
    if (own.allowPrivilegeEscalation !== false) complain("allowPrivilegeEscalation");
    if (!own.capabilities?.drop?.includes("ALL")) complain("capabilities.drop");
    if ((own.capabilities?.add ?? []).some((name: string) => name !== "NET_BIND_SERVICE")) complain("capabilities.add");
    if (effective.runAsNonRoot !== true) complain("runAsNonRoot");
    if (effective.runAsUser === 0) complain("runAsUser");
    if (!["RuntimeDefault", "Localhost"].includes(effective.seccompProfile?.type)) complain("seccompProfile");
    if ((container.ports ?? []).some(({ hostPort }: { hostPort?: number }) => hostPort)) complain("hostPort");
  }
  return complaints;
}
