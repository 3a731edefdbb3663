// For the tests.
import type { Server } from "node:http";
import type { Notifications } from "./store.js";
export function createServer(notifications?: Notifications, speed?: number): Server;
