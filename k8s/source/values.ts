// What the manifests have in common. Ports and intervals come from the catalogue.

import { defaultPort } from "../../catalog/defaults.ts";
import packageJson from "../../package.json" with { type: "json" };

export const name = "leakwatch";

export const image = `ghcr.io/leakwatch/leakwatch:${packageJson.version}`;

/** Name of the container and of its port. */
export const container = name;
export const port = { name, number: defaultPort } as const;

/** On pods: who watches them. On a workload `leakwatch: off` keeps the sidecar out. */
export const podLabel = { key: "leakwatch", sidecar: "sidecar", daemonset: "daemonset", off: "off" } as const;

/** Namespaces of our own. The first one is for what must see the node, the second for what needs no rights there. */
export const namespaces = { node: "leakwatch", monitoring: "leakwatch-monitoring" } as const;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export const labelsOf = (component: string) => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
  "app.kubernetes.io/part-of": name,
});

export const selectorOf = (component: string) => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
});

/** What a namespace accepts; https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const podSecurity = (level: "restricted" | "privileged") => ({
  "pod-security.kubernetes.io/enforce": level,
});

/** Of the container, as the standard `restricted` wants it. */
export const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" as const },
};

/** Nobody in particular: no file and no process of the node belongs to it. */
export const unprivilegedUid = 65_532;

/** Where the exporter keeps what it knows over its own restarts; the image has this folder. */
export const stateFolder = "/var/lib/leakwatch";
