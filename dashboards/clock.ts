// The clock that a board keeps. Boards are written in the time of life, `7d` and `1h`; in the demo that passes in some hours or less, so
// its boards ask about as much less. Only times of the watched services are shorter there. A scrape, a sample and a reader's eye take as
// long as they take, and growth (`* 3600`), ages and times left are shown in real time on every clock, as the exporter and the alerts
// have them.

import { demo, sampleIntervalSeconds, scrapeIntervalSeconds } from "../catalog/defaults.ts";
import { type Rules, rules, rulesAtSpeed } from "../detection/rules.ts";

/** From the largest. */
const unitSeconds = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 } as const;
type Unit = keyof typeof unitSeconds;

/** A time of life as a board is written: one number and one unit. */
export type Span = `${number}${Unit}`;

export class Clock {
  /** How many times faster than life it runs. */
  readonly speed: number;
  /** The thresholds of the rules that run beside the boards. */
  readonly rules: Rules;
  /** How often Prometheus scrapes, in seconds. */
  readonly scrapeInterval: number;
  /** How often the exporter samples, in seconds. */
  readonly sampleInterval: number;

  constructor(speed: number) {
    this.speed = speed;
    this.rules = rulesAtSpeed(rules, speed);
    this.scrapeInterval = speed === 1 ? scrapeIntervalSeconds : demo.scrapeIntervalSeconds;
    this.sampleInterval = Math.min(sampleIntervalSeconds, this.scrapeInterval);
  }

  /** What so many seconds of life take on this clock, in seconds. */
  shortened(secondsOfLife: number): number {
    return secondsOfLife / this.speed;
  }

  /** The seconds that a span takes. Whole ones and at least one: the demo is scraped once a second, and Grafana reads no fractions. */
  seconds(span: Span): number {
    return Math.ceil(this.shortened(Number.parseFloat(span) * unitSeconds[span.at(-1) as Unit]));
  }

  /** A span as PromQL and Grafana take it, of at least so many seconds. */
  time(span: Span, least = 1): string {
    return this.speed === 1 ? span : timeText(Math.max(this.seconds(span), least));
  }
}

/** The clock of everything but the demo. */
export const life = new Clock(1);

/** `168m`, in the largest unit that does: Grafana does not read `2h48m`. */
export function timeText(seconds: number): string {
  const [name, size] = Object.entries(unitSeconds).find(([, size]) => seconds % size === 0) ?? ["s", 1];
  return `${seconds / size}${name}`;
}
