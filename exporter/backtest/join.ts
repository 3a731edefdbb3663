// Which series of one gauge belongs to which of another: the limit of a container, the start time of a process. Series of one
// exporter have the same labels; those of others are joined by what both say, and only where one alone fits. A limit of another
// container would be worse than none.

import { type LabelSet, signature } from "../prometheus/labels.ts";
import { identityOf, type LabelKnowledge, type Place, placeOf } from "./identity.ts";

/** Series of the other gauge that are of the same process; why there are none otherwise. */
export type Joined = readonly LabelSet[] | "none fits" | "several fit";

interface Candidate {
  readonly labels: LabelSet;
  readonly place: Place;
  readonly process: string;
}

export class Joiner {
  private readonly exact = new Map<string, LabelSet>();
  private readonly byKey = new Map<string, Candidate[]>();
  private readonly learned: LabelKnowledge;

  /** `found` are the series of the other gauge. */
  constructor(found: readonly LabelSet[], learned: LabelKnowledge) {
    this.learned = learned;
    for (const labels of found) {
      this.exact.set(signature(labels), labels);
      const place = placeOf(labels, learned);
      const candidate = { labels, place, process: identityOf(labels, learned).process };
      for (const key of keysOf(place)) this.byKey.set(key, [...(this.byKey.get(key) ?? []), candidate]);
    }
  }

  of(labels: LabelSet): Joined {
    const same = this.exact.get(signature(labels));
    if (same !== undefined) return [same];
    const place = placeOf(labels, this.learned);
    const fitting = keysOf(place).flatMap((key) => this.byKey.get(key) ?? []);
    const those = fitting.filter((candidate) => fits(place, candidate.place));
    if (those.length === 0) return "none fits";
    // copies and lives of one process are one
    if (new Set(those.map(({ process }) => process)).size > 1) return "several fit";
    return [...new Set(those.map((one) => one.labels))];
  }
}

/** Labels without which two places have nothing in common, the most telling first. */
const telling = ["instance", "group", "groupname", "name", "id", "service.name", "service_name", "app", "job"];

function keysOf({ pod, others }: Place): string[] {
  if (pod !== undefined) return [`pod ${pod.pod}`];
  const label = telling.find((name) => others[name] !== undefined);
  // an exporter of its own has another address, but calls the process by the same name
  const names = telling.filter((name) => name !== "job" && others[name] !== undefined);
  return (names.length > 0 ? names : label === undefined ? [] : [label])
    .slice(0, 1)
    .map((name) => `${name} ${others[name]}`);
}

function fits(one: Place, other: Place): boolean {
  if ((one.pod === undefined) !== (other.pod === undefined)) return false;
  if (one.pod !== undefined && other.pod !== undefined) {
    if (one.pod.pod !== other.pod.pod) return false;
    if (differ(one.pod.namespace, other.pod.namespace)) return false;
    // what is said of a whole pod is not said of a container
    if (one.pod.container !== undefined && one.pod.container !== other.pod.container) return false;
  }
  return Object.entries(one.others).every(([label, value]) => !differ(value, other.others[label]));
}

const differ = (one: string | undefined, other: string | undefined) =>
  one !== undefined && other !== undefined && one !== other;
