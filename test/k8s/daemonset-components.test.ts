// The components that change the DaemonSet, and the policy for sidecars.

import { beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../exporter/config/load.ts";
import { ensureKubectl, type Rendered } from "../support/kubectl.ts";
import { podTemplate, referenceComplaints, schemaComplaints, typeComplaints } from "./checks.ts";
import { foldersOf, folderWithComponents } from "./overlays.ts";

beforeAll(() => void ensureKubectl(), 300_000);

const kinds = (objects: readonly Rendered[]) => objects.map(({ kind }) => kind);
const find = (objects: readonly Rendered[], kind: string, name = "leakwatch") =>
  objects.find((object) => object.kind === kind && object.metadata.name === name) as Rendered;
const specOf = (objects: readonly Rendered[]) => (podTemplate(find(objects, "DaemonSet")) as Rendered)["spec"];
const [plain, smaps, withoutApi] = [[], ["daemonset-smaps"], ["daemonset-without-api"]];

describe.each([
  ["daemonset-smaps", "daemonset"],
  ["daemonset-without-api", "daemonset"],
  ["network-policy", "examples/without-operator"],
])("%s on %s", (component, folder) => {
  test("has values and fields that the API knows, selectors that select, and names that exist", async () => {
    const objects = await folderWithComponents(folder, component);
    expect(await schemaComplaints(objects)).toEqual([]);
    expect(referenceComplaints(objects)).toEqual([]);
    expect(typeComplaints(objects)).toEqual([]);
  });
});

describe("daemonset-smaps", () => {
  test("is root with two capabilities, and still may not get more", async () => {
    const spec = specOf(await folderWithComponents("daemonset", ...smaps));
    expect(spec.securityContext).toMatchObject({ runAsUser: 0, runAsGroup: 0 });
    expect(spec.containers[0].securityContext).toMatchObject({
      runAsNonRoot: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["SYS_PTRACE", "DAC_READ_SEARCH"] },
    });
  });

  test("replaces the configuration by one that the exporter accepts, with a budget", async () => {
    const objects = await folderWithComponents("daemonset", ...smaps);
    const name = specOf(objects).volumes.find((volume: Rendered) => volume["configMap"]).configMap.name;
    const text = find(objects, "ConfigMap", name)["data"]["leakwatch.yml"];
    expect((await parseConfig(text, "leakwatch.yml")).smaps).toMatchObject({
      enabled: true,
      interval: 60,
      budget: 0.25,
    });
  });
});

describe("daemonset-without-api", () => {
  test("takes away the token, the role and the argument, and nothing else", async () => {
    const before = await folderWithComponents("daemonset", ...plain);
    const after = await folderWithComponents("daemonset", ...withoutApi);
    const removed = ["ClusterRole", "ClusterRoleBinding"];
    expect(kinds(after)).toEqual(kinds(before).filter((kind) => !removed.includes(kind)));
    expect(specOf(before).automountServiceAccountToken).toBe(true);
    expect(specOf(after).automountServiceAccountToken).toBe(false);
    const args = specOf(before).containers[0].args;
    expect(args).toContain("--kubernetes.pods");
    expect(specOf(after).containers[0].args).toEqual(args.filter((arg: string) => arg !== "--kubernetes.pods"));
  });
});

test("both together: smaps, and no API", async () => {
  const objects = await folderWithComponents("daemonset", ...smaps, ...withoutApi);
  const [container] = specOf(objects).containers;
  expect(container.args).not.toContain("--kubernetes.pods");
  expect(container.securityContext.capabilities.add).toContain("SYS_PTRACE");
  expect(kinds(objects)).not.toContain("ClusterRole");
});

describe("network-policy", () => {
  test("lets Prometheus alone reach the port of the exporter in the pods with a sidecar", async () => {
    const objects = await folderWithComponents("examples/without-operator", "network-policy");
    const { spec } = find(objects, "NetworkPolicy", "leakwatch-scrape") as Rendered & { spec: Rendered };
    const { labels } = (podTemplate(objects.find(({ kind }) => kind === "Deployment") as Rendered) as Rendered)
      .metadata;
    expect(labels).toMatchObject(spec["podSelector"].matchLabels);
    expect(spec["policyTypes"]).toEqual(["Ingress"]); // what the app sends is its own affair
    expect(spec["ingress"]).toEqual([
      {
        from: [{ namespaceSelector: {}, podSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } } }],
        ports: [{ protocol: "TCP", port: 9847 }],
      },
    ]);
  });
});

test("each component is on something in a test", () => {
  // a new one wants a test here, or in components.test.ts
  expect(foldersOf("Component")).toEqual(
    [
      "daemonset-smaps",
      "daemonset-without-api",
      "network-policy",
      "scrape-annotations",
      "sidecar",
      "sidecar-container",
    ].map((name) => `components/${name}`),
  );
});
