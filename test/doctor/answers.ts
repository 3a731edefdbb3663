// A server on loopback that answers each path with a status and a body, for as long as the test runs.

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Answers = Readonly<Record<string, readonly [status: number, body: unknown]>>;

/** Its URL, and the Authorization header of each request. A path that is not named is 404. */
export async function answering(answers: Answers): Promise<{ url: string; authorizations: (string | undefined)[] }> {
  const authorizations: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    const url = new URL(request.url as string, "http://server");
    const query = url.searchParams.get("query");
    const [status, body] = answers[query === null ? url.pathname : `${url.pathname} ${query}`] ??
      answers[url.pathname] ?? [404, { message: "Not found" }];
    response.writeHead(status, { "content-type": typeof body === "string" ? "text/html" : "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, authorizations };
}
