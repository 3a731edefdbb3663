// The Kubernetes API from inside a pod: one request, with the pod's service account.
// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/

import fs from "node:fs";
import https from "node:https";
import { AnswerError, askWithin } from "./bounded-answer.ts";

/** Where a pod finds its service account. */
export const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** An answer that takes longer is none, in seconds. */
const answerWithin = 10;

export interface ApiAccess {
  readonly host: string;
  readonly port: number;
  /** Folder with `token` and `ca.crt`. */
  readonly serviceAccount: string;
  readonly node: string;
}

/** From the environment of a pod; says in one sentence what is missing. */
export function accessFromEnvironment(env: NodeJS.ProcessEnv, serviceAccount = serviceAccountFolder): ApiAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, NODE_NAME: node } = env;
  if (!host || !port) throw new AnswerError("KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster");
  if (!node) throw new AnswerError("NODE_NAME is not set: it comes from the field spec.nodeName of the pod");
  return { host, port: Number(port), serviceAccount, node };
}

/** The pods of the node, as JSON. The server's cache will do (`resourceVersion=0`): that costs it next to nothing. */
export function listPods(access: ApiAccess): Promise<string> {
  const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${access.node}`, resourceVersion: "0" });
  return get(access, `/api/v1/pods?${query}`);
}

async function get({ host, port, serviceAccount }: ApiAccess, path: string): Promise<string> {
  // read again each time: tokens expire after an hour
  const token = fs.readFileSync(`${serviceAccount}/token`, "utf8").trim();
  const ca = fs.readFileSync(`${serviceAccount}/ca.crt`);
  const headers = { accept: "application/json", authorization: `Bearer ${token}` };
  const { status, body } = await askWithin(
    (signal, onAnswer) => https.get({ host, port, path, ca, headers, agent: false, signal }, onAnswer),
    { seconds: answerWithin, server: `${host}:${port}` },
  );
  if (status === 200) return body;
  throw refusal(status, body);
}

function refusal(status: number, body: string): AnswerError {
  let reason = body.slice(0, 200);
  try {
    reason = (JSON.parse(body) as { message?: string }).message ?? reason;
  } catch {
    // a proxy in between answers in its own words
  }
  return new AnswerError(
    `the API answered ${status}: ${reason}`,
    status === 401 || status === 403 ? { code: "EACCES" } : {},
  );
}
