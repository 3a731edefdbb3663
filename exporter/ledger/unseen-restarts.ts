// Restarts that no pass has met: a container that ends half a second after its start is seldom running when we look. Its engine, or the
// Kubernetes API, counts how often it was restarted in place. What that count gained beyond the restarts that processes showed is added.

import { ledger as defaults } from "../../catalog/defaults.ts";
import { type Container, groupName } from "../discovery/containers/container.ts";
import { cutName } from "../text/visible.ts";
import { type ContainerState, isOfEndAfter } from "./container-state.ts";
import type { Ledger } from "./ledger.ts";
import type { EndReason, Evidence } from "./oom-evidence.ts";

/** Where containers are counted. */
export interface RestartCounts {
  peek(containerId: string): Container | undefined;
  endOf(containerId: string): ContainerState | undefined;
  /** The last list of each source; `listedAt` is in Unix seconds, another for each list. */
  lists(): Iterable<{
    readonly source: { readonly interval: { readonly usual: number } };
    readonly listedAt: number;
    readonly containers: ReadonlyMap<string, Container>;
  }>;
}

/** One pass. Seconds since boot, and Unix seconds. */
interface Moment {
  readonly now: number;
  readonly unix: number;
}

/** What is known of one container, over all that were started in its place. */
interface Count {
  /** What its source counts; undefined until it says so. */
  counted: number | undefined;
  /** How many of the restarts since then are still to be shown by processes, or to be added. Below 0 processes were first. */
  open: number;
  /** Passes since some were open. */
  passes: number;
  openSince: number;
  /** Unix times of the lists before the last two that counted more. No end before the first of them is news. */
  since: number;
  risenAfter: number;
  /** Unix time of the last end that was added. */
  lastEnd: number;
  /** Lists that did not count more, since processes showed a restart. */
  lists: number;
  /** The ids of its last list. */
  ids: readonly string[];
  /** Of its main process, when one was last seen. */
  group: string | undefined;
}

/** A process that was started shows in the next pass, under its final name in the one after. */
const showsWithinPasses = 2;

/** Lists that were missed: so many times its usual time after the one before, a list is the first again. */
const missedAfter = 2.5;

/** A restart that so many lists do not count was none in place: somebody started the container by hand. */
const countedWithinLists = 3;

/** Containers that are remembered, those that are gone included. */
const mostRemembered = 10_000;

export class UnseenRestarts {
  private readonly containers: RestartCounts;
  private readonly ledger: Ledger;
  private readonly counts = new Map<string, Count>();
  private readonly listedAt = new Map<unknown, number>();
  private readonly isRunning: (group: string) => boolean;
  /** Are containers of which no process was ever seen watched? Not where only rules say what is. */
  private readonly takesUnknown: () => boolean;

  constructor(options: {
    containers: RestartCounts;
    ledger: Ledger;
    isRunning: (group: string) => boolean;
    takesUnknown: () => boolean;
  }) {
    this.containers = options.containers;
    this.ledger = options.ledger;
    this.isRunning = options.isRunning;
    this.takesUnknown = options.takesUnknown;
  }

  /** The main process of a container ended, or took the place of one that had: that restart is no longer unseen. */
  showed(containerId: string, group: string, what: "end" | "restart"): void {
    const container = this.containers.peek(containerId);
    const count = container && this.counts.get(keyOf(container));
    if (count === undefined) return;
    count.group = group;
    if (what === "end" || count.counted === undefined) return;
    count.open--;
    count.lists = 0;
  }

  /** After each pass: takes in new lists, and adds what processes have not shown. */
  update(moment: Moment): void {
    for (const { source, listedAt, containers } of this.containers.lists()) {
      const before = this.listedAt.get(source);
      if (before === listedAt) continue;
      this.listedAt.set(source, listedAt);
      const isFirst = before === undefined || listedAt - before > missedAfter * source.interval.usual;
      for (const [key, all] of Map.groupBy(containers.values(), keyOf)) {
        const count = this.counts.get(key) ?? this.remember(key, isFirst);
        count.ids = all.map(({ id }) => id);
        const told = all.flatMap(({ restarts }) => (restarts === undefined ? [] : [restarts]));
        if (told.length > 0) takeIn(count, { counted: Math.max(...told), isFirst, before, now: moment.now });
      }
    }
    for (const count of this.counts.values()) if (count.open > 0) this.settle(count, moment);
  }

  private settle(count: Count, { now, unix }: Moment): void {
    if (count.passes++ < showsWithinPasses) return;
    const state = count.ids.map((id) => this.containers.endOf(id)).find((end) => end && isNews(end, count));
    if (state === undefined && now - count.openSince < defaults.stateWithinSeconds) return;
    const container = count.ids.map((id) => this.containers.peek(id)).find((one) => one !== undefined);
    const group = count.group ?? (container && this.takesUnknown() ? cutName(groupName(container, "")) : undefined);
    const { open } = count;
    count.open = 0;
    count.lastEnd = state?.finishedAt ?? count.lastEnd;
    if (group === undefined || group === "") return;
    // one end says how all of them ended: what loops does so for one reason
    this.ledger.recordUnseenRestarts(group, findingOf(state), open, { now, unix });
    if (!this.isRunning(group)) this.ledger.account(group).goneSince = now;
  }

  /** One that came after the first list was not restarted before we looked. */
  private remember(key: string, isFirst: boolean): Count {
    const never = Number.NEGATIVE_INFINITY;
    const moments = { openSince: never, since: never, risenAfter: never, lastEnd: never };
    const count: Count = {
      counted: isFirst ? undefined : 0,
      open: 0,
      passes: 0,
      lists: 0,
      ids: [],
      group: undefined,
      ...moments,
    };
    this.counts.set(key, count);
    for (const oldest of this.counts.keys()) {
      if (this.counts.size <= mostRemembered) break;
      this.counts.delete(oldest);
    }
    return count;
  }
}

function takeIn(
  count: Count,
  { counted, isFirst, before, now }: { counted: number; isFirst: boolean; before: number | undefined; now: number },
): void {
  const gained = isFirst || count.counted === undefined ? 0 : counted - count.counted;
  count.counted = counted;
  if (isFirst || gained < 0) count.open = 0; // it was started by hand, which counts from 0
  if (gained === 0 && count.open < 0 && ++count.lists >= countedWithinLists) count.open = 0;
  if (gained <= 0) return;
  if (count.open <= 0) Object.assign(count, { passes: 0, openSince: now });
  count.open += gained;
  count.since = count.risenAfter;
  count.risenAfter = before ?? count.since;
}

const isNews = (end: ContainerState, { since, lastEnd }: Count) =>
  isOfEndAfter(end, since) && (end.finishedAt === undefined || end.finishedAt > lastEnd);

/** What stays when a container is started again in place: the kubelet gives it another id each time. */
const keyOf = ({ id, podUid, container }: Container): string => (podUid === "" ? id : `${podUid}/${container}`);

function findingOf(state: ContainerState | undefined): { reason: EndReason; evidence: Evidence } {
  if (state === undefined) return { reason: "exit", evidence: "none" };
  return { reason: state.oomKilled ? "oom" : "exit", evidence: "container_state" };
}
