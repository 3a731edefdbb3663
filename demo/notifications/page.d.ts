// For the tests.
import type { Notifications } from "./store.js";
export function page(notifications: Notifications, options?: { speed?: number; now?: Date }): string;
