// The components on workloads of all sorts.

import { beforeAll, describe, expect, test } from "vitest";
import { ensureKubectl, type Rendered } from "../support/kubectl.ts";
import { podTemplate, restrictedComplaints, schemaComplaints } from "./checks.ts";
import { withComponents } from "./overlays.ts";

beforeAll(() => void ensureKubectl(), 300_000);

const podSpec = (...containers: string[]) => ({
  containers: containers.map((name) => ({ name, image: `${name}:1`, resources: { limits: { memory: "128Mi" } } })),
});

const workload = (kind: string, name: string, spec: object = podSpec("app"), labels: Record<string, string> = {}) => ({
  apiVersion: kind.endsWith("Job") ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name, labels },
  spec:
    kind === "CronJob"
      ? { schedule: "0 * * * *", jobTemplate: { spec: { template: { spec } } } }
      : {
          ...(kind === "Job" ? {} : { selector: { matchLabels: { app: name } } }),
          ...(kind === "StatefulSet" ? { serviceName: name } : {}),
          template: { metadata: { labels: { app: name } }, spec },
        },
});

const podOf = (objects: readonly Rendered[], name: string) =>
  podTemplate(objects.find(({ metadata }) => metadata.name === name) as Rendered) as Rendered;
const names = (containers: { name: string }[] = []) => containers.map(({ name }) => name);
const limitOf = (container: Rendered) =>
  container["env"].find(({ name }: { name: string }) => name === "LEAKWATCH_MEMORY_LIMIT").valueFrom.resourceFieldRef;

describe("sidecar", () => {
  test.each(["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])("on a %s", async (kind) => {
    const objects = await withComponents([workload(kind, "shop")], "sidecar");
    const pod = podOf(objects, "shop");
    expect(pod["spec"]).toMatchObject({ shareProcessNamespace: true });
    expect(names(pod["spec"].containers)).toEqual(["app"]);
    const [sidecar] = pod["spec"].initContainers;
    expect(sidecar).toMatchObject({ name: "leakwatch", restartPolicy: "Always" });
    expect(limitOf(sidecar)).toEqual({ containerName: "app", resource: "limits.memory" });
    expect(pod.metadata["labels"].leakwatch).toBe("sidecar");
    expect(await schemaComplaints(objects)).toEqual([]);
  });

  test("starts before the init containers that are there", async () => {
    const spec = { ...podSpec("app"), initContainers: [{ name: "migrate", image: "migrate:1" }] };
    const pod = podOf(await withComponents([workload("Deployment", "shop", spec)], "sidecar"), "shop");
    expect(names(pod["spec"].initContainers)).toEqual(["leakwatch", "migrate"]);
  });

  test("asks each workload for the limit of its own first container", async () => {
    const objects = await withComponents(
      [workload("Deployment", "shop", podSpec("web", "proxy")), workload("StatefulSet", "db", podSpec("postgres"))],
      "sidecar",
    );
    const limits = ["shop", "db"].map((name) => limitOf(podOf(objects, name)["spec"].initContainers[0]).containerName);
    expect(limits).toEqual(["web", "postgres"]);
  });

  test("leaves out what has the label leakwatch: off", async () => {
    const off = workload("Deployment", "quiet", podSpec("app"), { leakwatch: "off" });
    const objects = await withComponents([off, workload("Deployment", "shop")], "sidecar");
    expect(podOf(objects, "quiet")["spec"].initContainers).toBeUndefined();
    expect(podOf(objects, "shop")["spec"].initContainers).toHaveLength(1);
  });

  test("given twice by mistake is there once", async () => {
    const pod = podOf(await withComponents([workload("Deployment", "shop")], "sidecar", "sidecar"), "shop");
    expect(names(pod["spec"].initContainers)).toEqual(["leakwatch"]);
    expect(names(pod["spec"].volumes)).toEqual(["leakwatch-no-token", "leakwatch-state"]);
  });

  test("changes no selector, so it can be added to what runs", async () => {
    const [object] = await withComponents([workload("Deployment", "shop")], "sidecar");
    expect(object?.["spec"].selector).toEqual({ matchLabels: { app: "shop" } });
  });

  test("has no token, and leaves the app its own", async () => {
    const { spec } = podOf(await withComponents([workload("Deployment", "shop")], "sidecar"), "shop");
    expect(spec.automountServiceAccountToken).toBeUndefined();
    const [mount] = spec.initContainers[0].volumeMounts;
    // where there is a mount already, the API server adds none
    expect(mount.mountPath).toBe("/var/run/secrets/kubernetes.io/serviceaccount");
    expect(spec.volumes).toContainEqual({ name: mount.name, emptyDir: { sizeLimit: "1Mi" } });
  });

  test("keeps what it knows in a volume that is as old as the pod", async () => {
    const { spec } = podOf(await withComponents([workload("Deployment", "shop")], "sidecar"), "shop");
    const { args, volumeMounts } = spec.initContainers[0];
    expect(volumeMounts).toContainEqual({ name: "leakwatch-state", mountPath: storagePath(args) });
    expect(spec.volumes).toContainEqual({ name: "leakwatch-state", emptyDir: expect.anything() });
  });

  test("runs as the app does, and a restricted namespace accepts it", async () => {
    const spec = { ...podSpec(), containers: [], securityContext: { runAsUser: 1000 } };
    const { spec: pod } = podOf(
      await withComponents([workload("DaemonSet", "a", { ...spec, ...podSpec("app") })], "sidecar"),
      "a",
    );
    expect(pod.initContainers[0].securityContext).not.toHaveProperty("runAsUser");
    expect(restrictedComplaints({ spec: { ...pod, containers: [] } } as unknown as Rendered)).toEqual([]);
    expect(pod.initContainers[0].resources).toEqual({
      requests: { cpu: "10m", memory: "32Mi" },
      limits: { memory: "96Mi" },
    });
  });

  test("is not waited for once it has started: no readiness probe takes the app out of its Service", async () => {
    const { spec } = podOf(await withComponents([workload("Deployment", "shop")], "sidecar"), "shop");
    expect(spec.initContainers[0].startupProbe.httpGet.path).toBe("/-/ready");
    expect(spec.initContainers[0].livenessProbe.httpGet.path).toBe("/-/healthy");
    expect(spec.initContainers[0].readinessProbe).toBeUndefined();
  });
});

describe("sidecar-container", () => {
  test("is a container beside the app's, for clusters before 1.29", async () => {
    const { spec } = podOf(
      await withComponents([workload("Deployment", "shop", podSpec("web"))], "sidecar-container"),
      "shop",
    );
    expect(names(spec.containers)).toEqual(["leakwatch", "web"]);
    expect(spec.containers[0].restartPolicy).toBeUndefined();
    expect(limitOf(spec.containers[0]).containerName).toBe("web");
    expect(spec.initContainers).toBeUndefined();
  });

  test("stays out of Jobs, which it would keep from ending", async () => {
    const { spec } = podOf(await withComponents([workload("Job", "report")], "sidecar-container"), "report");
    expect(names(spec.containers)).toEqual(["app"]);
  });
});

function storagePath(args: readonly string[]): string | undefined {
  return args.find((argument) => argument.startsWith("--storage.path="))?.split("=")[1];
}
