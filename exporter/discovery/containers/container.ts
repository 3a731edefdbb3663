// A container as people know it: from its engine, or from the Kubernetes API.

/** A container as its engine or the Kubernetes API describes it. Texts that it does not have are empty. */
export interface Container {
  readonly id: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly pod: string;
  /** What made it, without what changes at each rollout or run: `api` of `api-7c9d8b6f5-x2x7k`. */
  readonly workload: string;
  readonly container: string;
  readonly image: string;
  /** The label app.kubernetes.io/version, else the tag of the image. */
  readonly version: string;
  /** Made to run to its end: of a Job or CronJob. */
  readonly isJob: boolean;
  /** How often it was restarted in place, as its engine counts; undefined where it does not say. */
  readonly restarts: number | undefined;
}

/** How a container ended, as its engine says. */
export interface ContainerEnd {
  readonly oomKilled: boolean;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  /** Unix seconds. */
  readonly finishedAt: number | undefined;
}

/** All containers that a source knows, by their ids, and how those ended of which it says so. */
export interface ContainerList {
  readonly containers: ReadonlyMap<string, Container>;
  readonly ends: ReadonlyMap<string, ContainerEnd>;
  /** Why some of the ends are missing. */
  readonly problem?: unknown;
}

/** Who knows containers. */
export interface ContainerSource {
  /** Failures are counted under it. */
  readonly file: "engine" | "pods";
  readonly description: string;
  /** Time between two lists, and between two when a container is missing or ended; in seconds. */
  readonly interval: { readonly usual: number; readonly soonest: number };
  /** Lists all containers; of those in `ended` it tries to say how they ended. */
  list(ended: ReadonlySet<string>): Promise<ContainerList>;
}

/**
 * Name of a process group: stable over restarts of the container, of the pod, and over rollouts. Parts that repeat the
 * one before them are left out: `kube-system/coredns`, `shop/api/server.js`.
 */
export function groupName(
  { namespace, workload, container }: Pick<Container, "namespace" | "workload" | "container">,
  program: string,
): string {
  const parts = [namespace, workload, container, ...program.split("/")].filter((part) => part !== "");
  return parts.filter((part, i) => part !== parts[i - 1]).join("/");
}

/** `registry:5000/shop/api:1.4.2@sha256:…` is 1.4.2; empty where the image has none. */
export const imageTag = (image: string): string =>
  isDigest(image) ? "" : (/:(\w[\w.-]*)$/.exec(image.split("@", 1)[0] ?? "")?.[1] ?? "");

/** `registry:5000/shop/api:1.4.2@sha256:…` is api; empty for an image without a name. */
export const imageName = (image: string): string =>
  isDigest(image) ? "" : (/([^/:]+)(?::[^/]*)?$/.exec(image.split("@", 1)[0] ?? "")?.[1] ?? "");

const isDigest = (image: string) => /^(?:sha256:)?[0-9a-f]{12,64}$/.test(image);

/** A program that ends by a signal has this much less as its exit code, as shells count. */
const signalOffset = 128;
const lastSignal = 64;

/** The signal that an exit code stands for: 9 of 137. */
export const signalOf = (exitCode: number | undefined): number | undefined =>
  exitCode !== undefined && exitCode > signalOffset && exitCode <= signalOffset + lastSignal
    ? exitCode - signalOffset
    : undefined;

/** Unix seconds of a time as JSON has it; undefined for none, and for the year 1, which engines write for never. */
export function unixSeconds(time: unknown): number | undefined {
  const milliseconds = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return milliseconds > 0 ? milliseconds / 1000 : undefined;
}
