// The Kubernetes API from inside a pod: one request, with the pod's service account.
// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/

import fs from "node:fs";
import https from "node:https";

/** Where a pod finds its service account. */
export const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A list of 250 pods, more than a node may have, is 5 MB at most; more is not read. */
const largestAnswer = 32 * 1024 * 1024;

/** In milliseconds. */
const timeout = 10_000;

export interface ApiAccess {
  readonly host: string;
  readonly port: number;
  /** Folder with `token` and `ca.crt`. */
  readonly serviceAccount: string;
  readonly node: string;
}

/** The answer of the API was not what was asked for. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** As for files, so that failures are counted alike. */
  readonly code: string | undefined;

  constructor(message: string, options: { code?: string } = {}) {
    super(message);
    this.code = options.code;
  }
}

/** From the environment of a pod; says in one sentence what is missing. */
export function accessFromEnvironment(env: NodeJS.ProcessEnv, serviceAccount = serviceAccountFolder): ApiAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, NODE_NAME: node } = env;
  if (!host || !port) throw new ApiError("KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster");
  if (!node) throw new ApiError("NODE_NAME is not set: it comes from the field spec.nodeName of the pod");
  return { host, port: Number(port), serviceAccount, node };
}

/** The pods of the node, as JSON. The server's cache will do (`resourceVersion=0`): that costs it next to nothing. */
export function listPods(access: ApiAccess): Promise<string> {
  const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${access.node}`, resourceVersion: "0" });
  return get(access, `/api/v1/pods?${query}`);
}

function get({ host, port, serviceAccount }: ApiAccess, path: string): Promise<string> {
  // read anew each time: tokens live for an hour
  const token = fs.readFileSync(`${serviceAccount}/token`, "utf8").trim();
  const ca = fs.readFileSync(`${serviceAccount}/ca.crt`);
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json", authorization: `Bearer ${token}` };
    const options = { host, port, path, ca, headers, agent: false, signal: AbortSignal.timeout(timeout) };
    const request = https.get(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > largestAnswer) request.destroy(new ApiError(`the pod list is larger than ${largestAnswer} bytes`));
      });
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(refusal(response.statusCode ?? 0, body));
      });
    });
    request.on("error", (error) =>
      reject(error.name === "AbortError" || error.name === "TimeoutError" ? tooLate(host, port) : error),
    );
  });
}

const tooLate = (host: string, port: number) =>
  new ApiError(`${host}:${port} did not answer within ${timeout / 1000} s`);

function refusal(status: number, body: string): ApiError {
  let reason = body.slice(0, 200);
  try {
    reason = (JSON.parse(body) as { message?: string }).message ?? reason;
  } catch {
    // a proxy in between answers in its own words
  }
  return new ApiError(
    `the API answered ${status}: ${reason}`,
    status === 401 || status === 403 ? { code: "EACCES" } : {},
  );
}
