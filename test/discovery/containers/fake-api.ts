// An API server as far as a pod list goes: TLS with an authority of its own, bearer tokens, selectors.

import { once } from "node:events";
import fs from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { ApiAccess } from "../../../exporter/discovery/containers/kubernetes-api.ts";
import { makeCertificate, temporaryFolder } from "../../web/support.ts";
import { podList } from "./pod-list.ts";

export class FakeApi {
  /** What a pod of it has: where to ask, and a service account. */
  readonly access: ApiAccess;
  readonly requests: string[] = [];
  token = "first-token";
  /** Answers with this in place of the list. */
  failure: { status: number; body: string } | undefined;
  items: readonly object[] = podList.items;

  private constructor(access: ApiAccess) {
    this.access = access;
  }

  static async start(): Promise<FakeApi> {
    const folder = temporaryFolder();
    const { cert, key } = makeCertificate(folder, "kubernetes");
    const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    fs.copyFileSync(cert, path.join(folder, "ca.crt"));
    const { port } = server.address() as AddressInfo;
    const api = new FakeApi({ host: "127.0.0.1", port, serviceAccount: folder, node: "node-3" });
    api.writeToken();
    server.on("request", (request, response) => {
      api.requests.push(request.url ?? "");
      const { status, body } = api.answer(request.headers.authorization);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    return api;
  }

  /** The kubelet replaces the file before the token in it expires. */
  writeToken(): void {
    fs.writeFileSync(path.join(this.access.serviceAccount, "token"), `${this.token}\n`);
  }

  private answer(authorization: string | undefined): { status: number; body: string } {
    const refuse = (code: number, message: string) => ({
      status: code,
      body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, code }),
    });
    if (authorization !== `Bearer ${this.token}`) return refuse(401, "Unauthorized");
    return this.failure ?? { status: 200, body: JSON.stringify({ ...podList, items: this.items }) };
  }
}
