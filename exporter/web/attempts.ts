// How often a client may try credentials that are not known yet.

import { web } from "../../catalog/defaults.ts";
import { BoundedMap } from "./bounded-map.ts";

const { attemptsPerSecond, attemptsBurst, countedAddresses } = web.passwords;

/** A token bucket per client. */
export class Attempts {
  private readonly buckets = new BoundedMap<string, { tokens: number; at: number }>(countedAddresses);
  private readonly now: () => number;

  /** `now` in seconds. */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Takes one of the client's attempts; false when it has none left for now. */
  take(address: string): boolean {
    const client = clientOf(address);
    const now = this.now();
    const { tokens, at } = this.buckets.get(client) ?? { tokens: attemptsBurst, at: now };
    const refilled = Math.min(attemptsBurst, tokens + (now - at) * attemptsPerSecond);
    const allowed = refilled >= 1;
    this.buckets.set(client, { tokens: allowed ? refilled - 1 : refilled, at: now });
    return allowed;
  }
}

/** Who counts as one client: an IPv4 address, or the /64 of an IPv6 address, since one host can use all of its /64. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]; // an IPv4 client of a socket that listens on ::
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  return `${fullGroups(address).slice(0, 4).join(":")}::/64`;
}

/** `fe80::1%eth0` as its eight groups. */
function fullGroups(address: string): string[] {
  const [withoutZone = ""] = address.split("%");
  const [head = [], tail = []] = withoutZone.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail];
}
