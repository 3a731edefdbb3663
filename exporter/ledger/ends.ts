// The ends of processes, and what they mean for their service. A root that ended takes its workers with it, and leaves a place that the next
// root takes: that is a restart. A worker that ends under a living root was recycled. Of jobs only their OOM kills are told.

import { ledger as defaults } from "../../catalog/defaults.ts";
import { type JudgeSettings, judgeSettings } from "../../detection/judge.ts";
import { type EndedLifeVerdict, judgeEndedLife } from "../memory/ended-life.ts";
import { column } from "../memory/process-table.ts";
import { endedLifeOf, follow } from "../memory/service-memory.ts";
import { isService, type Life, rootOf } from "../model/life.ts";
import type { ContainerStates } from "./container-state.ts";
import { type Ended, type Exit, gravestOf, isOom, lastEndOf, occupantOf, type Pass } from "./exit.ts";
import { filledItsHeap } from "./heap-end.ts";
import type { Ledger } from "./ledger.ts";
import type { Finding } from "./oom-evidence.ts";
import { OomKills, type Surroundings } from "./oom-kills.ts";
import type { UnseenRestarts } from "./unseen-restarts.ts";
import { Vacancies } from "./vacancies.ts";

export class Ends {
  private readonly surroundings: Surroundings;
  private readonly ledger: Ledger;
  private readonly settings: JudgeSettings;
  private readonly oomKills: OomKills;
  readonly vacancies: Vacancies;
  /** Exits of workers whose master may be ending too, by that. */
  private readonly waiting = new Map<Life, Exit[]>();
  private lastPass = Number.NEGATIVE_INFINITY;

  constructor(options: {
    surroundings: Surroundings;
    ledger: Ledger;
    settings?: JudgeSettings;
    states?: ContainerStates | undefined;
    unseen?: UnseenRestarts | undefined;
  }) {
    const { surroundings, ledger, states, unseen, settings = judgeSettings } = options;
    this.surroundings = surroundings;
    this.ledger = ledger;
    this.settings = settings;
    this.oomKills = new OomKills(surroundings, ledger, 3600 / settings.speed);
    this.vacancies = new Vacancies({ ledger, lives: surroundings.lives, states, unseen });
  }

  /** Books the ends of one pass together: one counter may have seen several of them, and a master ends with its workers. */
  async record(ended: readonly Ended[], pass: Pass): Promise<void> {
    this.oomKills.see(pass);
    this.vacancies.begin(pass);
    for (const { life } of ended) life.endedAt = pass.now;
    const exits = await this.examine(ended, pass);
    const byRoot = Map.groupBy(exits, ({ root }) => root);
    for (const exit of exits) {
      if (exit.life === exit.root) this.bookRoot(exit, byRoot.get(exit.life) ?? [], exits);
      await pass.pause();
    }
    for (const exit of exits) if (exit.life !== exit.root) this.waitForMaster(exit);
    this.bookWaiting(pass.now);
    this.vacancies.settle(pass.now);
    this.lastPass = pass.now;
  }

  private async examine(ended: readonly Ended[], pass: Pass): Promise<Exit[]> {
    if (ended.length === 0) return [];
    const findings = this.oomKills.findReasons(ended, pass);
    const exits: Exit[] = [];
    for (const [i, { life, exit }] of ended.entries()) {
      const finding = this.reasonOf(life, findings[i] as Finding, { exit, pass });
      const verdict = judgeEndedLife(life.history, this.settings.endedLife, isAtLimit(finding));
      const ratio = life.recentHigh.bytes / this.surroundings.table.get(life.row, column.memoryLimit);
      exits.push({
        life,
        root: rootOf(life),
        finding,
        verdict,
        taught: taughtBy(life, { now: pass.now, verdict, atLimit: isAtLimit(finding) }),
        limitRatio: Number.isFinite(ratio) ? ratio : undefined,
        lifetime: pass.now - life.bornAt,
        lastSeenAt: Math.max(life.firstSeen, this.lastPass),
        at: pass.now,
      });
      await pass.pause();
    }
    return exits;
  }

  /** What the counters found; where they found nothing, what else may have ended it. */
  private reasonOf(life: Life, found: Finding, { exit, pass }: { exit: Ended["exit"]; pass: Pass }): Finding {
    if (found.reason !== "exit") return found;
    const thresholds = this.settings.endedLife;
    if (filledItsHeap(life, { exit, thresholds, now: pass.now }))
      return { reason: "suspected_oom", evidence: "heap_limit" };
    return pass.missed ? { reason: "unknown", evidence: "not_watched" } : found;
  }

  /** A root ended, and with it those of its workers that ended now or a moment ago. `all` are the exits of this pass. */
  private bookRoot(exit: Exit, ofIt: readonly Exit[], all: readonly Exit[]): void {
    const { life, lifetime } = exit;
    const family = [exit, ...ofIt.filter((other) => other !== exit), ...(this.waiting.get(life) ?? [])] as const;
    this.waiting.delete(life);
    const end = lastEndOf(gravestOf(family), lifetime);
    const growing = family.some(({ verdict }) => verdict.growing);
    const isBooked = isService(life, lifetime, defaults.restart.helperLivesSeconds);
    if (isBooked) this.ledger.recordEnd(life.group.name, end, { growing, time: exit.at });
    if (isBooked) for (const one of family) this.learn(one);
    else if (isOom(end)) this.ledger.account(life.group.name).lastEnd = end;
    if (life.origin === "job" && !life.hasWorkers) return;
    this.vacancies.add({
      root: life,
      occupant: { ...occupantOf(life), lastSeenAt: exit.lastSeenAt, endedAt: exit.at, isForkServer: life.hasWorkers },
      slot: life.group.slots[life.slot],
      end,
      growing,
      isBooked,
      mayHaveBurst: this.oomKills.mayBeOf(exit, all),
    });
  }

  /** A worker ended: counted when its master has outlived it for a while, at once when the kernel killed it. */
  private waitForMaster(exit: Exit): void {
    const { root, finding } = exit;
    if (root.endedAt !== undefined) this.vacancies.worsen(root, finding);
    else if (isOom(finding)) this.bookWorkers([exit]);
    else {
      const waiting = this.waiting.get(root) ?? [];
      waiting.push(exit);
      this.waiting.set(root, waiting);
    }
  }

  private bookWaiting(now: number): void {
    for (const [root, exits] of this.waiting) {
      const due = exits.filter(({ at }) => now - at >= defaults.masterOutlivesSeconds);
      if (due.length === 0) continue;
      if (due.length === exits.length) this.waiting.delete(root);
      else
        this.waiting.set(
          root,
          exits.filter((exit) => !due.includes(exit)),
        );
      for (const together of Map.groupBy(due, ({ at }) => at).values()) this.bookWorkers(together);
    }
  }

  /** Workers of one master that ended at once count once as an end, so that a reload is no row of leaks. */
  private bookWorkers(together: readonly Exit[]): void {
    const [first, ...others] = together;
    if (first === undefined || !isService(first.root, first.lifetime, defaults.restart.helperLivesSeconds)) return;
    const { name } = first.life.group;
    for (const one of together) this.learn(one);
    for (const { finding, verdict } of together) this.ledger.recordWorkerExit(name, finding.reason, verdict.growing);
    const gravest = gravestOf([first, ...others]);
    const end = lastEndOf(gravest, gravest.lifetime);
    if (end.reason === "exit") end.reason = "recycled";
    const growing = together.some(({ verdict }) => verdict.growing);
    this.ledger.recordEnd(name, end, { growing, time: first.at });
  }

  /** The judge remembers how far it got, and whether it still grew. */
  private learn({ life, taught }: Exit): void {
    if (taught === undefined) return;
    const { followedWithin, settledAfter } = this.settings.endedLives;
    // an end that is booked late may have been followed already
    const next = life.group.slots[life.slot]?.life;
    if (next !== undefined && next !== life && next.bornAt - taught.life.endedAt <= followedWithin)
      follow(taught.life, next.bornAt);
    life.group.memory.recordEnd(taught.life, taught.levels, settledAfter);
  }
}

/** Did its memory end it? */
const isAtLimit = ({ reason }: { reason: string }) => isOom({ reason }) || reason === "heap_limit";

function taughtBy(
  life: Life,
  { now, verdict, atLimit }: { now: number; verdict: EndedLifeVerdict; atLimit: boolean },
): Exit["taught"] {
  const history = life.group.slots[life.slot]?.state.history;
  if (history === undefined || history.startTime !== life.bornAt) return undefined;
  const { slot, identity, firstSeen: watchedSince } = life;
  const { version } = identity;
  return {
    life: endedLifeOf(history, verdict, { slot: String(slot), version, now, watchedSince, atLimit }),
    levels: history.levels.slice(),
  };
}
