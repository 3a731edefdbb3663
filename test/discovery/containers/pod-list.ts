// A pod list as the API server of a cluster writes it, with what matters here and some of what does not.

/** 64 digits, from a few. */
export const containerId = (digits: string) => digits.repeat(64 / digits.length);

export const ids = {
  api: containerId("8c1e5d2f"),
  apiBefore: containerId("11aa22bb"),
  sidecar: containerId("e93a60b5"),
  debug: containerId("5d72f8a1"),
  report: containerId("c47b19e6"),
  apiserver: containerId("1f0d6c8b"),
} as const;

const status = (name: string, id: string | undefined, image: string) => ({
  name,
  ready: true,
  restartCount: 0,
  image,
  imageID: `registry.example.org/${name}@sha256:${containerId("0123")}`,
  ...(id === undefined ? {} : { containerID: `containerd://${id}` }),
  state: {},
});

export const podList = {
  kind: "PodList",
  apiVersion: "v1",
  metadata: { resourceVersion: "421337" },
  items: [
    {
      metadata: {
        name: "api-7c9d8b6f5-x2x7k",
        generateName: "api-7c9d8b6f5-",
        namespace: "shop",
        uid: "0d9c3f5e-7a41-4b62-9a53-3f1c2f6b8d10",
        labels: { "app.kubernetes.io/version": "1.4.2", "pod-template-hash": "7c9d8b6f5" },
        ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "api-7c9d8b6f5", controller: true }],
      },
      spec: {
        nodeName: "node-3",
        initContainers: [{ name: "leakwatch", image: "ghcr.io/leakwatch/leakwatch:0.1.0", restartPolicy: "Always" }],
        containers: [{ name: "web", image: "registry.example.org:5000/shop/api:1.4.2" }],
        ephemeralContainers: [{ name: "debugger-xk2p4", image: "busybox" }],
      },
      status: {
        phase: "Running",
        initContainerStatuses: [status("leakwatch", ids.sidecar, "ghcr.io/leakwatch/leakwatch:0.1.0")],
        containerStatuses: [
          {
            ...status("web", ids.api, "sha256:feedbeef"),
            restartCount: 3,
            lastState: {
              terminated: { exitCode: 137, reason: "OOMKilled", containerID: `containerd://${ids.apiBefore}` },
            },
          },
        ],
        ephemeralContainerStatuses: [status("debugger-xk2p4", ids.debug, "busybox")],
      },
    },
    {
      metadata: {
        name: "report-29388960-b7k2m",
        namespace: "shop",
        uid: "5b1e7c02-94d6-4c1f-8e3a-6d0a7f2b9c44",
        ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "report-29388960", controller: true }],
      },
      spec: { containers: [{ name: "report", image: "registry.example.org/report@sha256:0123" }] },
      status: { phase: "Running", containerStatuses: [status("report", ids.report, "registry.example.org/report")] },
    },
    {
      metadata: {
        name: "kube-apiserver-node-3",
        namespace: "kube-system",
        uid: "e5a1d0c4-5f0e-4a7e-8a51-1d2c3b4a5f60",
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "node-3", controller: true }],
      },
      spec: { containers: [{ name: "kube-apiserver", image: "registry.k8s.io/kube-apiserver:v1.34.1" }] },
      status: {
        containerStatuses: [status("kube-apiserver", ids.apiserver, "registry.k8s.io/kube-apiserver:v1.34.1")],
      },
    },
    {
      // is being made: no container has started
      metadata: { name: "web-0", namespace: "shop", uid: "2f6b8d10-7a41-4b62-9a53-0d9c3f5e3f1c" },
      spec: { containers: [{ name: "web", image: "nginx" }] },
      status: { phase: "Pending", containerStatuses: [status("web", undefined, "nginx")] },
    },
  ],
};
