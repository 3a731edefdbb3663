// The word for what is no leak: what a process does, in terms that the number beside it bears out.

import { KiB } from "../../catalog/defaults.ts";
import type { Verdict } from "../../catalog/verdicts.ts";
import type { JudgeSettings } from "../../detection/judge.ts";
import { type Window, windows } from "../../detection/windows.ts";
import type { SlotHistory } from "../memory/slot-history.ts";
import type { Reason } from "./finding.ts";
import { growthOver } from "./growth.ts";
import type { Shapes } from "./shape.ts";
import type { Facts, Room } from "./slot-judge.ts";

interface Seen {
  readonly history: SlotHistory;
  readonly shapes: Shapes;
  readonly room: Room;
  readonly facts: Facts;
  readonly settings: JudgeSettings;
  /** The longest window of up to a day; -1 without any. */
  readonly longest: number;
}

interface Word {
  readonly word: Verdict;
  /** KiB per second. */
  readonly growth: number | undefined;
  readonly reasons: readonly Reason[];
}

export function wordOf(seen: Seen): Word {
  const { history, shapes, room, settings, longest } = seen;
  if (longest < 0) return early(seen);
  const window = notableWindow(shapes, settings);
  if (window < 0) {
    const { minutes } = history;
    const floor = minutes.lowest(minutes.newest - 30, minutes.newest + 1);
    const flat = flatWindow(shapes, settings);
    const growth = flat < 0 ? undefined : shapes.get(flat, "pace");
    if (room.headroom < (1 - settings.words.high) * room.limit) return { word: "high_stable", growth, reasons: [] };
    if (room.peak > settings.words.spike * floor) return { word: "spiky", growth, reasons: [] };
    return flat < 0 && shapes.get(0, "swing") >= settings.words.swing
      ? stopped(shapes)
      : { word: "stable", growth, reasons: [] };
  }
  const growth = shapes.get(window, "pace");
  const get = (name: Parameters<Shapes["get"]>[1]) => shapes.get(window, name);
  const seconds = shapes.length(window);
  const bytes = growth * ((seconds * 8) / 9) * KiB;
  const reasons: Reason[] = [{ kind: "grew", bytes, seconds, window: (windows[window] as Window).name }];
  if (get("new") < 0) {
    reasons.push({ kind: "belowEarlierHigh", bytes: -get("new") * bytes });
    return { word: "bounded_growth", growth, reasons };
  }
  if (get("bend") < settings.words.slowing) {
    reasons.push({ kind: "slowing", bend: get("bend") });
    const young = history.age * settings.speed < settings.words.youngAge;
    return { word: young ? "warming_up" : "bounded_growth", growth, reasons };
  }
  if (get("life") < 0)
    reasons.push({
      kind: "withinEarlierLives",
      level: history.value * KiB,
      earlier: history.value * KiB - get("life") * bytes,
    });
  if (get("noise") > 0.1) reasons.push({ kind: "uneven", deviation: get("noise") });
  return { word: "growing", growth, reasons };
}

/** The longest window of up to a day that is flat: the number beside `stable` is its pace, and bears the word out. -1 without any. */
function flatWindow(shapes: Shapes, settings: JudgeSettings): number {
  let flat = -1;
  for (let i = 0; i < windows.length; i++) {
    if (!shapes.has(i) || isNotable(shapes, i, settings)) continue;
    if (
      shapes.length(i) * settings.speed <= settings.words.youngAge &&
      (flat < 0 || shapes.length(i) > shapes.length(flat))
    )
      flat = i;
  }
  return flat;
}

/** Is its growth worth a word, whatever its form? */
function isNotable(shapes: Shapes, window: number, { words }: JudgeSettings): boolean {
  return shapes.get(window, "gain") >= words.notable && grownIn(shapes, window) >= words.notableBytes;
}

/** Bytes. */
const grownIn = (shapes: Shapes, window: number) =>
  shapes.get(window, "pace") * ((shapes.length(window) * 8) / 9) * KiB;

/** It grew until a moment ago, by a step: not yet flat, and no longer growing. */
function stopped(shapes: Shapes): Word {
  const grew: Reason = {
    kind: "grew",
    bytes: grownIn(shapes, 0),
    seconds: shapes.length(0),
    window: (windows[0] as Window).name,
  };
  return {
    word: "bounded_growth",
    growth: shapes.get(0, "pace"),
    reasons: [grew, { kind: "stopped", last: shapes.get(0, "last") }],
  };
}

/** The longest window of up to a day whose growth is more than noise, still goes on, and was not there before; -1 without any. */
function notableWindow(shapes: Shapes, settings: JudgeSettings): number {
  const { words } = settings;
  let found = -1;
  for (let i = 0; i < windows.length; i++) {
    if (!shapes.has(i)) continue;
    if (!isNotable(shapes, i, settings)) continue;
    if (shapes.get(i, "last") < words.stillGrowing || shapes.get(i, "noise") > words.noise) continue;
    if (shapes.get(i, "swing") < words.swing) continue; // it comes and goes
    if (found < 0 || shapes.length(i) > shapes.length(found)) found = i;
  }
  return found;
}

/** Before the first window fits: growth since it was first seen. */
function early({ history, settings }: Seen): Word {
  const watched = history.time - history.seenSince;
  const { words } = settings;
  const growth = watched >= words.earliest / settings.speed ? growthOver(history, watched) : undefined;
  if (growth === undefined) return { word: "collecting", growth, reasons: [] };
  const bytes = growth * watched * KiB;
  const half = growthOver(history, watched / 2) ?? 0;
  const isNotable = bytes >= words.notableBytes && bytes >= words.notable * history.value * KiB && half > 0.3 * growth;
  const reasons: Reason[] = isNotable ? [{ kind: "grew", bytes, seconds: watched, window: "life" }] : [];
  return { word: isNotable ? "growing" : "collecting", growth, reasons };
}
