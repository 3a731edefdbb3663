// A container engine as far as its list and its containers go, behind a real unix socket. It can be slow, endless and wrong.

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../../web/support.ts";

type Behaviour = "ordinary" | "silent" | "dribbling" | "endless" | "closing" | "no HTTP";

export class FakeEngine {
  readonly socket: string;
  readonly requests: string[] = [];
  /** What it says of single containers, by their ids. */
  readonly details = new Map<string, object>();
  list: readonly object[] = [];
  status = 200;
  behaviour: Behaviour = "ordinary";
  /** Requests that it had to answer at one time. */
  mostAtOnce = 0;
  private atOnce = 0;
  private readonly open = new Set<net.Socket>();

  private constructor(socket: string) {
    this.socket = socket;
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine(path.join(temporaryFolder(), "engine.sock"));
    const server = http.createServer((request, response) => engine.answer(request, response));
    server.on("connection", (connection) => {
      engine.open.add(connection);
      connection.on("close", () => engine.open.delete(connection)).on("error", () => undefined);
      if (engine.behaviour === "no HTTP") connection.end("220 mail.example.org ESMTP\r\n");
    });
    server.listen(engine.socket);
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return engine;
  }

  /** Connections that nobody has closed. */
  get connections(): number {
    return this.open.size;
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    response.on("close", () => this.atOnce--);
    if (this.behaviour === "ordinary") this.answerOrdinarily(request, response);
    if (this.behaviour === "dribbling") this.dribble(response);
    if (this.behaviour === "endless") this.pour(response);
    if (this.behaviour === "closing") this.close(response);
  }

  private answerOrdinarily({ url }: http.IncomingMessage, response: http.ServerResponse): void {
    const id = /^\/containers\/([^/]+)\/json$/.exec(url ?? "")?.[1];
    const said = id === undefined ? this.list : this.details.get(id);
    response
      .writeHead(said === undefined ? 404 : this.status)
      .end(JSON.stringify(said ?? { message: "no such container" }));
  }

  private dribble(response: http.ServerResponse): void {
    response.writeHead(200).write("[");
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  }

  private close(response: http.ServerResponse): void {
    response.writeHead(200, { "content-length": "1000" }).write("[");
    setTimeout(() => response.destroy(), 20);
  }

  private pour(response: http.ServerResponse): void {
    const much = " ".repeat(1024 * 1024);
    const more = () => {
      while (!response.destroyed && response.write(much)); // until the reader is slower
    };
    response.on("drain", more).writeHead(200).write("[");
    more();
  }
}
