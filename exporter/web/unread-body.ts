// Requests with a body. Nothing here reads one.

import type { IncomingMessage, ServerResponse } from "node:http";

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Closes the connection after the answer: Node.js would read the body to its end, to find the next request behind it. But
 * not at once while the client still sends: its kernel would throw away the answer with the connection.
 */
export function closeAfterAnswer(request: IncomingMessage, response: ServerResponse, waitSeconds: number): void {
  response.setHeader("Connection", "close");
  request.read(0); // Node.js takes it that somebody reads, and stops when its small buffer is full
  const { socket } = request;
  const destroySoon = socket.destroySoon.bind(socket);
  // Node.js calls this when the answer is written
  socket.destroySoon = () => {
    if (request.complete) return destroySoon();
    socket.end();
    setTimeout(() => socket.destroy(), waitSeconds * 1000).unref();
  };
}
