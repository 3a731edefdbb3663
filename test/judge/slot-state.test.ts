import { expect, test } from "vitest";
import type { LeakSeverity } from "../../catalog/verdicts.ts";
import { newSlot } from "../../exporter/judge/slot-state.ts";

const as = (severity: LeakSeverity = 2) => ({ for: 180, keep: 3600, severity, window: 3 });

test("a claim is held once its condition has held for long enough, and not before", () => {
  const slot = newSlot(1);
  slot.claim("near", true, 0, as());
  slot.claim("near", true, 179, as());
  expect(slot.gravest(179)).toBeUndefined();
  slot.claim("near", true, 180, as());
  expect(slot.gravest(180)).toEqual({ name: "near", severity: 2, since: 0, window: 3 });
});

test("a condition that is interrupted begins again", () => {
  const slot = newSlot(1);
  slot.claim("near", true, 0, as());
  slot.claim("near", false, 100, as());
  slot.claim("near", true, 120, as());
  slot.claim("near", true, 200, as());
  expect(slot.gravest(200)).toBeUndefined();
});

test("a claim outlasts its condition, and then it is over", () => {
  const slot = newSlot(1);
  for (const now of [0, 180]) slot.claim("near", true, now, as());
  slot.claim("near", false, 240, as());
  expect(slot.gravest(180 + 3600)?.name).toBe("near");
  slot.claim("near", false, 180 + 3601, as());
  expect(slot.gravest(180 + 3601)).toBeUndefined();
});

test("its severity does not fall while it is held", () => {
  const slot = newSlot(1);
  for (const [now, severity] of [
    [0, 4],
    [180, 4],
    [240, 2],
  ] as const)
    slot.claim("near", true, now, as(severity));
  expect(slot.gravest(240)?.severity).toBe(4);
});

test("of several the gravest counts", () => {
  const slot = newSlot(1);
  for (const now of [0, 180]) {
    slot.claim("card", true, now, as(2));
    slot.claim("near", true, now, as(4));
    slot.claim("last", true, now, as(3));
  }
  expect(slot.gravest(180)).toMatchObject({ name: "near", severity: 4 });
});

test("claims are about one life", () => {
  const slot = newSlot(1);
  slot.beginLife(50);
  for (const now of [100, 300]) slot.claim("near", true, now, as());
  slot.beginLife(50);
  expect(slot.gravest(300)).toBeDefined();
  slot.beginLife(400);
  expect(slot.gravest(401)).toBeUndefined();
});

test("claims come back with the history of their life, and go with the next", () => {
  const slot = newSlot(1);
  slot.history.add({ time: 300, bytes: 1024, startTime: 50 });
  slot.beginLife(50);
  for (const now of [100, 300]) slot.claim("near", true, now, as(3));
  const restored = newSlot(1);
  restored.history.restore(JSON.parse(JSON.stringify(slot.history.save())));
  restored.restoreClaims(JSON.parse(JSON.stringify(slot.saveClaims())));
  restored.beginLife(50);
  expect(restored.gravest(310)).toMatchObject({ name: "near", severity: 3 });
  restored.beginLife(311);
  expect(restored.gravest(312)).toBeUndefined();
});

test("a claim that does not hold yet is written down without becoming one", () => {
  const slot = newSlot(1);
  slot.claim("near", true, 0, as());
  slot.claim("near", false, 10, as());
  slot.claim("last", true, 10, as());
  const restored = newSlot(1);
  restored.restoreClaims(JSON.parse(JSON.stringify(slot.saveClaims())));
  expect(restored.gravest(20)).toBeUndefined();
  restored.claim("last", true, 190, as());
  expect(restored.gravest(190)).toMatchObject({ name: "last", since: 10 });
});
