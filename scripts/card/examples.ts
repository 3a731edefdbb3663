// Examples for the card: what the judge sees of made-up services at certain moments, and whether they leak then.

import { judgeSettings } from "../../detection/judge.ts";
import { at, shapeSize } from "../../detection/shape.ts";
import { windows } from "../../detection/windows.ts";
import { ServiceJudge } from "../../exporter/judge/service-judge.ts";
import { Judge } from "../../exporter/judge/slot-judge.ts";
import type { Label } from "../../test/traces/labels.ts";
import type { Family } from "../../test/traces/service.ts";
import { makeTrace } from "../../test/traces/trace.ts";
import { cardFeatures } from "./features.ts";

export interface Examples {
  /** Row by row, the features in their order; NaN where a number is absent. */
  readonly values: Float32Array;
  /** 1 where it leaks. */
  readonly leaks: Uint8Array;
  /** A long trace should not outvote a short one. */
  readonly weights: Float32Array;
}

/** Moments at which a trace is looked at, apart by so many seconds. */
const apart = 2700;
/** Of a leak nothing is asked before so many seconds, and before it leaked this share of the level. */
const grace = 3600;
const notable = 0.02;

export function examplesOf(families: readonly Family[], seed: number, perFamily: number): Examples {
  const rows: { values: Float32Array; leaks: number; key: string }[] = [];
  for (const family of families) {
    for (let index = 0; index < perFamily; index++) rows.push(...looksAt(family, index, seed));
  }
  const counts = new Map<string, number>();
  for (const { key } of rows) counts.set(key, (counts.get(key) ?? 0) + 1);
  const width = cardFeatures.length;
  const values = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row.values, i * width);
  return {
    values,
    leaks: Uint8Array.from(rows, ({ leaks }) => leaks),
    weights: Float32Array.from(rows, ({ key }) => 1 / Math.sqrt(counts.get(key) as number)),
  };
}

function* looksAt(family: Family, index: number, seed: number) {
  const { label, limits, rows } = makeTrace(family, index, seed);
  const service = new ServiceJudge(judgeSettings, judge);
  const members = [...rows.values()].map((samples, slot) => ({ slot, samples, next: 0 }));
  const start = Math.min(...members.map(({ samples }) => samples[0]?.time ?? Number.POSITIVE_INFINITY));
  const end = Math.max(...members.map(({ samples }) => samples.at(-1)?.time ?? Number.NEGATIVE_INFINITY));
  for (let now = start + apart * ((index + 1) / 8); now <= end; now += apart) {
    for (const member of members) {
      for (; member.next < member.samples.length; member.next++) {
        const sample = member.samples[member.next];
        if (sample === undefined || sample.time > now) break;
        service.add(String(member.slot), {
          time: sample.time,
          bytes: sample.resident,
          limit: limits.limit,
          startTime: sample.startTime,
        });
      }
      const last = member.samples[member.next - 1];
      if (last === undefined || now - last.time > 600) continue;
      service.slotFinding(String(member.slot), now);
      const leaks = isLeaking(label, member.slot, now, last.resident);
      if (leaks === undefined) continue;
      yield {
        values: numbersOf(1 - judge.lastRoom.headroom / judge.lastRoom.limit),
        leaks: Number(leaks),
        key: `${label.id} ${leaks}`,
      };
    }
  }
}

const judge = new Judge(judgeSettings);
const places = cardFeatures.map(({ name }) => {
  const [window, shape] = name.split(/\.(?=[a-zA-Z]+$)/);
  const index = windows.findIndex((one) => one.name === window);
  return index < 0 ? -1 : index * shapeSize + at[shape as keyof typeof at];
});

const numbersOf = (level: number) =>
  Float32Array.from(places, (place) => (place < 0 ? level : (judge.shapes.values[place] as number)));

/** Undefined where nobody could say. */
function isLeaking(label: Label, slot: number, now: number, bytes: number): boolean | undefined {
  if (label.label === "healthy" || label.onset === null || now < label.onset) return false;
  if (label.members[slot]?.leaking === false) return false;
  const leaked = (label.leak_rate_bytes_per_s ?? 0) * (now - label.onset);
  return now - label.onset < grace || leaked < notable * bytes ? undefined : true;
}
