// What Alertmanager sent: the last messages, newest first.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

export class Notifications {
  #kept = [];
  #limit;
  #received = 0;

  constructor(limit = 200) {
    this.#limit = limit;
  }

  /** Throws what is wrong with a message that is none of Alertmanager's. */
  add(message, now = new Date()) {
    if (!Array.isArray(message?.alerts))
      throw new TypeError('expected a message of Alertmanager, with a list "alerts"');
    this.#received++;
    this.#kept.unshift({
      id: this.#received,
      receivedAt: now.toISOString(),
      status: message.status === "resolved" ? "resolved" : "firing",
      receiver: text(message.receiver),
      groupLabels: texts(message.groupLabels),
      truncatedAlerts: Number(message.truncatedAlerts) || 0,
      alerts: message.alerts.map((alert) => ({
        status: alert?.status === "resolved" ? "resolved" : "firing",
        labels: texts(alert?.labels),
        annotations: texts(alert?.annotations),
        startsAt: text(alert?.startsAt),
        endsAt: text(alert?.endsAt),
        generatorURL: text(alert?.generatorURL),
        fingerprint: text(alert?.fingerprint),
      })),
    });
    this.#kept.length = Math.min(this.#kept.length, this.#limit);
  }

  /** How many came, the forgotten ones included. */
  get received() {
    return this.#received;
  }

  list() {
    return this.#kept;
  }
}

const text = (value) => (value === undefined || value === null ? "" : String(value));
const texts = (object) => Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key, text(value)]));
