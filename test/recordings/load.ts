// Who asks the services: so many requests per second, steadily or in waves.

import { type ChildProcess, spawn } from "node:child_process";
import http from "node:http";
import net from "node:net";

interface Pace {
  perSecond: number;
  /** Load goes up and down once in so many minutes, to a tenth of its peak. */
  waveMinutes?: number;
}

/** Over HTTP, or lines to a socket, or lines to a client that is started for it. */
export type Load = Pace &
  (
    | { http: string; newConnections?: boolean }
    | { lines: string; line: (turn: number) => string }
    | { client: string[]; line: (turn: number) => string }
  );

export interface RunningLoad {
  /** The client, if there is one. */
  child?: ChildProcess;
  stop: () => void;
}

const tick = 200; // ms

export function startLoad(load: Load): RunningLoad {
  const sender = senderOf(load);
  const started = performance.now();
  let owed = 0;
  let turn = 0;
  const timer = setInterval(() => {
    owed += (load.perSecond * tick * wave(load, (performance.now() - started) / 60_000)) / 1000;
    for (; owed >= 1; owed--) sender.send(++turn);
  }, tick);
  return {
    ...(sender.child && { child: sender.child }),
    stop() {
      clearInterval(timer);
      sender.stop();
    },
  };
}

/** 1 on average. */
function wave({ waveMinutes }: Pace, minutes: number): number {
  return waveMinutes === undefined ? 1 : 1 - 0.82 * Math.cos((2 * Math.PI * minutes) / waveMinutes);
}

interface Sender {
  child?: ChildProcess;
  send: (turn: number) => void;
  stop: () => void;
}

function senderOf(load: Load): Sender {
  if ("http" in load) return overHttp(load.http, load.newConnections ?? false);
  if ("lines" in load) {
    const connection = net.connect(load.lines).on("error", () => undefined);
    connection.resume();
    return { send: (turn) => connection.write(load.line(turn)), stop: () => connection.destroy() };
  }
  const [file = "", ...words] = load.client;
  const child = spawn(file, words, { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.on("error", () => undefined);
  return { child, send: (turn) => child.stdin.write(load.line(turn)), stop: () => child.stdin.end() };
}

/** A request to a service that is not there, or just ends, is lost, as it is in life. */
function overHttp(socketPath: string, newConnections: boolean): Sender {
  const agent = newConnections ? false : new http.Agent({ keepAlive: true, maxSockets: 4 });
  return {
    send() {
      http
        .get({ socketPath, path: "/", agent, timeout: 10_000 }, (response) => response.resume())
        .on("timeout", function (this: http.ClientRequest) {
          this.destroy();
        })
        .on("error", () => undefined);
    },
    stop() {
      if (agent) agent.destroy();
    },
  };
}
