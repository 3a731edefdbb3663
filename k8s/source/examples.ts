// Things to try, each with one `kubectl apply`. The app is a page of JavaScript in Node.js' own image.

import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { ICronJob } from "kubernetes-models/batch/v1/CronJob";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { INamespace } from "kubernetes-models/v1/Namespace";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { type JsonPatch, kustomization } from "./kustomize.ts";
import { podSecurity, restricted } from "./values.ts";

const nodeImage = "node:24-bookworm-slim";
const namespaceName = "leakwatch-example";
/** Of the user `node` in the image. The sidecar runs under it too, so it may read everything of the app. */
const uid = 1000;

const namespace: INamespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: namespaceName, labels: podSecurity("restricted") },
};

const labels = (app: string) => ({ "app.kubernetes.io/name": app, "app.kubernetes.io/version": "1.0.0" });

const podSpec = (spec: Partial<IPodSpec> & Pick<IPodSpec, "containers">): IPodSpec => ({
  automountServiceAccountToken: false,
  nodeSelector: { "kubernetes.io/os": "linux" },
  securityContext: { runAsUser: uid, runAsGroup: uid, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  ...spec,
});

const code = { name: "code", mountPath: "/srv", readOnly: true };
const codeVolume = (configMap: string) => [{ name: "code", configMap: { name: configMap } }];

const script = (name: string, file: string, memory: string): IContainer => ({
  name,
  image: nodeImage,
  command: ["node", `/srv/${file}`],
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory } },
  securityContext: restricted,
  volumeMounts: [code],
});

const deployment = (name: string, replicas: number, spec: IPodSpec): IDeployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels: labels(name) },
  spec: {
    replicas,
    selector: { matchLabels: { "app.kubernetes.io/name": name } },
    template: { metadata: { labels: labels(name) }, spec },
  },
});

/** Of two pods, one may be taken at a time; with one pod a budget would only hold up the draining of nodes. */
const budget = (name: string): IPodDisruptionBudget => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name },
  spec: { maxUnavailable: 1, selector: { matchLabels: { "app.kubernetes.io/name": name } } },
});

const shop = deployment(
  "shop",
  2,
  podSpec({ containers: [script("web", "server.js", "128Mi")], volumes: codeVolume("shop-code") }),
);

const report: ICronJob = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "report", labels: labels("report") },
  spec: {
    schedule: "*/10 * * * *",
    concurrencyPolicy: "Forbid",
    jobTemplate: {
      spec: {
        backoffLimit: 1,
        template: {
          metadata: { labels: labels("report") },
          spec: podSpec({
            restartPolicy: "Never",
            containers: [script("report", "report.js", "128Mi")],
            volumes: codeVolume("report-code"),
          }),
        },
      },
    },
  },
};

/** The containers run under users of their own: then nobody but root may look into both. */
const orders = deployment(
  "orders",
  1,
  podSpec({
    initContainers: [{ ...script("migrate", "migrate.js", "64Mi") }],
    containers: [
      script("api", "api.js", "128Mi"),
      { ...script("worker", "worker.js", "192Mi"), securityContext: { ...restricted, runAsUser: 1001 } },
    ],
    volumes: codeVolume("orders-code"),
  }),
);

/** The sidecar is told the limit of each container, and which programs are whose. */
const ordersConfig = {
  groups: [
    { name: "orders/api", match: { cmdline: ".*/api\\.js" }, memory_limit: "$(API_MEMORY_LIMIT)" },
    { name: "orders/worker", match: { cmdline: ".*/worker\\.js" }, memory_limit: "$(WORKER_MEMORY_LIMIT)" },
  ],
};

const sidecar = "/spec/template/spec/initContainers/0";
const limitOf = (name: string) => ({
  name: `${name.toUpperCase()}_MEMORY_LIMIT`,
  valueFrom: { resourceFieldRef: { containerName: name, resource: "limits.memory" } },
});

const ordersPatch: JsonPatch[] = [
  { op: "test", path: `${sidecar}/name`, value: "leakwatch" },
  { op: "add", path: `${sidecar}/args/-`, value: "--config.file=/etc/leakwatch/leakwatch.yml" },
  { op: "add", path: `${sidecar}/env/-`, value: limitOf("api") },
  { op: "add", path: `${sidecar}/env/-`, value: limitOf("worker") },
  {
    op: "add",
    path: `${sidecar}/volumeMounts/-`,
    value: { name: "leakwatch-config", mountPath: "/etc/leakwatch", readOnly: true },
  },
  {
    op: "add",
    path: "/spec/template/spec/volumes/-",
    value: { name: "leakwatch-config", configMap: { name: "orders-leakwatch" } },
  },
];

const leak = (what: string, kib: number) =>
  `// Keeps ${kib} KiB more of ${what} each second, and lets go of none.
const kept = [];
setInterval(() => kept.push(Buffer.alloc(${kib} * 1024, 1)), 1000);
`;

export const exampleFiles = {
  "examples/shop/kustomization.yaml": kustomization({
    namespace: namespaceName,
    resources: ["namespace.yaml", "deployment.yaml", "poddisruptionbudget.yaml"],
    configMapGenerator: [{ name: "shop-code", files: ["server.js"] }],
  }),
  "examples/shop/namespace.yaml": namespace,
  "examples/shop/deployment.yaml": shop,
  "examples/shop/poddisruptionbudget.yaml": budget("shop"),
  "examples/shop/server.js": leak("sessions", 512),

  "examples/with-operator/kustomization.yaml": kustomization({
    resources: ["../shop", "../../monitoring/operator"],
    components: ["../../components/sidecar"],
  }),
  "examples/without-operator/kustomization.yaml": kustomization({
    resources: ["../shop"],
    components: ["../../components/sidecar", "../../components/scrape-annotations"],
  }),
  "examples/before-1.29/kustomization.yaml": kustomization({
    resources: ["../shop"],
    components: ["../../components/sidecar-container", "../../components/scrape-annotations"],
  }),

  "examples/cronjob/kustomization.yaml": kustomization({
    namespace: namespaceName,
    resources: ["namespace.yaml", "cronjob.yaml"],
    components: ["../../components/sidecar"],
    configMapGenerator: [{ name: "report-code", files: ["report.js"] }],
  }),
  "examples/cronjob/namespace.yaml": namespace,
  "examples/cronjob/cronjob.yaml": report,
  "examples/cronjob/report.js": `// Grows while it works, and ends after three minutes: no leak.
const rows = [];
const work = setInterval(() => rows.push(Buffer.alloc(256 * 1024, 1)), 1000);
setTimeout(() => clearInterval(work), 180_000);
`,

  "examples/multi-container/kustomization.yaml": kustomization({
    namespace: namespaceName,
    resources: ["namespace.yaml", "deployment.yaml"],
    components: ["../../components/sidecar"],
    patches: [{ target: { kind: "Deployment", name: "orders" }, path: "sidecar.yaml" }],
    configMapGenerator: [
      { name: "orders-code", files: ["api.js", "migrate.js", "worker.js"] },
      { name: "orders-leakwatch", files: ["leakwatch.yml"] },
    ],
  }),
  "examples/multi-container/namespace.yaml": namespace,
  "examples/multi-container/deployment.yaml": orders,
  "examples/multi-container/sidecar.yaml": ordersPatch,
  "examples/multi-container/leakwatch.yml": ordersConfig,
  "examples/multi-container/api.js": `// Serves, and keeps nothing.
setInterval(() => {}, 1000);
`,
  "examples/multi-container/migrate.js": `// Runs once before the others.
console.log("nothing to migrate");
`,
  "examples/multi-container/worker.js": leak("orders", 512),
};
