// From what a judge says at each moment to alerts with a start and an end, as Alertmanager would have had them.

import { alerts, type DeclaredAlert, type Severity, severities } from "../../catalog/alerts.ts";
import type { Rules } from "../../detection/rules.ts";
import type { ServiceFinding, SeverityNumber } from "./judged.ts";
import type { EpisodeReport } from "./report.ts";

/** From this severity of a finding on it is an alert of this one. */
const leastFor: readonly (readonly [Severity, SeverityNumber])[] = [
  ["critical", 4],
  ["warning", 2],
  ["info", 1],
];

/** The alert that a word raises, and how long it goes on after the claim. */
interface Raised {
  readonly alert: DeclaredAlert;
  /** Seconds. */
  readonly keepFiring: number;
}

function raisedBy(word: string, { keepFiring }: Rules): Raised | undefined {
  switch (word) {
    case "leaking":
      return { alert: alerts.memoryLeak, keepFiring: keepFiring.leak };
    case "masked_leak":
      return { alert: alerts.memoryLeakMasked, keepFiring: keepFiring.masked };
    case "restart_loop":
      return { alert: alerts.restartLoop, keepFiring: keepFiring.restartLoop };
    default:
      return undefined;
  }
}

interface Open {
  readonly raised: Raised;
  severity: Severity;
  start: number;
  /** When the alert, and when its severity, was last claimed. */
  claimed: number;
  severityClaimed: number;
}

/** Alerts of one service and its slots. */
export class AlertEpisodes {
  private readonly rules: Rules;
  private readonly open = new Map<string, Open & { readonly slot: string | null }>();
  private readonly closed: EpisodeReport[] = [];

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** What was found at a time, in seconds; `slot` is null for what holds of the service as a whole. */
  add(slot: string | null, { word, severity: number }: ServiceFinding, time: number): void {
    // a leak of one process is an alert of that process, and not of its service too
    const raised = slot === null && word === "leaking" ? undefined : raisedBy(word, this.rules);
    const severity = raised === undefined ? undefined : severityOf(raised.alert, number);
    if (raised === undefined || severity === undefined) return;
    const key = `${raised.alert.name} ${slot ?? "\u0000"}`;
    let open = this.open.get(key);
    if (open !== undefined && open.claimed + raised.keepFiring < time) {
      this.close(key, open.claimed + raised.keepFiring);
      open = undefined;
    }
    if (open === undefined) {
      const times = { start: time, claimed: time, severityClaimed: time };
      this.open.set(key, { raised, slot, severity, ...times });
      return;
    }
    open.claimed = time;
    const isGraver = severities.indexOf(severity) > severities.indexOf(open.severity);
    const isMilder = severity !== open.severity && open.severityClaimed + raised.keepFiring < time;
    if (isGraver || isMilder) {
      this.close(key, time);
      this.open.set(key, { ...open, severity, start: time, severityClaimed: time });
    } else if (severity === open.severity) open.severityClaimed = time;
  }

  /** All alerts, by start. Those that would still fire at `time` have no end. */
  end(time: number): EpisodeReport[] {
    for (const [key, { claimed, raised }] of [...this.open]) {
      const end = claimed + raised.keepFiring;
      this.close(key, end < time ? end : null);
    }
    return this.closed.sort((a, b) => a.start - b.start || (a.alert < b.alert ? -1 : 1));
  }

  private close(key: string, end: number | null): void {
    const open = this.open.get(key);
    if (open === undefined) return;
    const { raised, severity, slot, start } = open;
    this.open.delete(key);
    this.closed.push({ alert: raised.alert.name, severity, class: raised.alert.class, slot, start, end });
  }
}

/** The severity of an alert, none graver than it can have. */
function severityOf(alert: DeclaredAlert, number: SeverityNumber): Severity | undefined {
  const asked = leastFor.filter(([, least]) => number >= least).map(([severity]) => severity);
  return (
    asked.find((severity) => alert.severities.includes(severity)) ??
    (asked.length > 0 ? alert.severities[0] : undefined)
  );
}
