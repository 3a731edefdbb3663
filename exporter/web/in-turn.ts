// Requests that a client sends without waiting for the answers.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Answers the requests of one connection one after another, so that a client that sends ahead and never reads has one
 * answer in memory and not a thousand. A connection on which more than `mostWaiting` wait is closed.
 */
export function inTurn(answer: Handler, mostWaiting: number): Handler {
  /** What waits on each connection that is being answered. */
  const queues = new WeakMap<Socket, (() => void)[]>();

  return (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return; // the parser goes on to the end of what it has
    const queue = queues.get(socket);
    const start = () => {
      response.once("close", () => next(socket));
      answer(request, response);
    };
    if (queue === undefined) {
      queues.set(socket, []);
      start();
    } else if (queue.length < mostWaiting) {
      queue.push(start);
    } else {
      socket.destroy();
    }
  };

  function next(socket: Socket): void {
    // the answers that wait on a closed connection would never see it close: Node.js tells the first one only
    const start = socket.destroyed ? undefined : queues.get(socket)?.shift();
    if (start === undefined) queues.delete(socket);
    else start();
  }
}
