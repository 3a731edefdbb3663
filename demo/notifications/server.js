// Takes the place of a pager: receives Alertmanager's webhook at POST /webhook, and shows what came at /.

import http from "node:http";
import { page } from "./page.js";
import { Notifications } from "./store.js";

const mostBytes = 4 * 1024 * 1024;

/** The server, not yet listening. */
export function createServer(notifications = new Notifications(), speed = 1) {
  const routes = {
    "GET /": (_, response) => answer(response, 200, "text/html", page(notifications, { speed })),
    "GET /healthz": (_, response) => answer(response, 200, "text/plain", "ok\n"),
    "GET /api/notifications": (_, response) =>
      answer(
        response,
        200,
        "application/json",
        JSON.stringify({ received: notifications.received, notifications: notifications.list() }),
      ),
    "POST /webhook": async (request, response) => {
      const body = await read(request);
      if (body === undefined) return answer(response, 413, "text/plain", "too large\n");
      try {
        notifications.add(JSON.parse(body));
        return answer(response, 200, "text/plain", "thank you\n");
      } catch (error) {
        return answer(response, 400, "text/plain", `${error.message}\n`);
      }
    },
  };
  return http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const route = routes[`${request.method} ${pathname}`];
    if (route === undefined)
      return answer(response, 404, "text/plain", "/, /api/notifications and POST /webhook are here\n");
    return route(request, response);
  });
}

async function read(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size <= mostBytes) pieces.push(piece); // the rest is read and dropped, so that the answer arrives
  }
  return size <= mostBytes ? Buffer.concat(pieces).toString() : undefined;
}

function answer(response, status, type, body) {
  response.writeHead(status, {
    "content-type": `${type}; charset=utf-8`,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  response.end(body);
}

if (import.meta.main) {
  const server = createServer(new Notifications(), Number(process.env.DEMO_SPEED) || 1);
  server.listen(Number(process.env.PORT || 8080), () => console.log(`listening on port ${server.address().port}`));
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
}
