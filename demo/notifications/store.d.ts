// For the tests.
export interface Notification {
  id: number;
  receivedAt: string;
  status: "firing" | "resolved";
  receiver: string;
  groupLabels: Record<string, string>;
  truncatedAlerts: number;
  alerts: {
    status: "firing" | "resolved";
    labels: Record<string, string>;
    annotations: Record<string, string>;
    startsAt: string;
    endsAt: string;
    generatorURL: string;
    fingerprint: string;
  }[];
}

export class Notifications {
  constructor(limit?: number);
  add(message: unknown, now?: Date): void;
  readonly received: number;
  list(): Notification[];
}
