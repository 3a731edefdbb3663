import { describe, expect, test } from "vitest";
import { type EndedOccupant, isRestart, type Occupant } from "../../exporter/ledger/restart.ts";

const occupant: Occupant = {
  origin: "service",
  bornAt: 0,
  place: undefined,
  isContainer: false,
  isJob: false,
  parentPid: 1,
  commandHash: "same",
  isOneShot: false,
};

/** One that ran so long, and another that started so long after it. Seconds. */
function restarts(
  lifetime: number,
  gap: number,
  differs: Partial<EndedOccupant> = {},
  then: Partial<Occupant> = {},
): boolean {
  const endedAt = 1000 + lifetime;
  const same = { ...occupant, ...differs, bornAt: 1000 };
  const ended: EndedOccupant = { isForkServer: false, lastSeenAt: endedAt, ...same, endedAt };
  return isRestart(ended, { ...same, ...then, bornAt: endedAt + gap });
}

describe("a service that a supervisor keeps running", () => {
  test.each<[string, number, number, boolean]>([
    ["dies after 2 s and is back at once", 2, 0, true],
    ["is met before its end was seen", 2, -3, true],
    ["dies after 2 s, back after a back-off", 2, 30, true],
    ["dies after 2 s; something of the same name starts later", 2, 31, false],
    ["ran for an hour; a deploy took ten minutes", 3600, 600, true],
    ["ran for an hour; somebody starts it again later", 3600, 601, false],
    ["ran for ten minutes, away for two", 600, 120, true],
    ["ran for ten minutes, away for three", 600, 180, false],
  ])("%s", (_, lifetime, gap, expected) => {
    expect(restarts(lifetime, gap)).toBe(expected);
  });
});

describe("a container", () => {
  const container = { place: "pod-or-container", isContainer: true };
  test.each<[string, number, number, Partial<Occupant>, boolean]>([
    ["comes back after the kubelet's longest back-off", 1, 300, {}, true],
    ["comes back after 601 s", 1, 601, {}, false],
    ["of a Job is started again in its pod", 1, 300, { isJob: true }, true],
    ["is replaced by another at once: a deploy", 60, 5, { place: "another" }, true],
    [
      "is followed by another some minutes later, as of a CronJob without an API to ask",
      5,
      55,
      { place: "another" },
      false,
    ],
    ["of a Job is followed by the next", 60, 5, { place: "another", isJob: true }, false],
  ])("%s", (_, lifetime, gap, then, expected) => {
    expect(restarts(lifetime, gap, container, then)).toBe(expected);
  });
});

describe("a systemd unit", () => {
  const unit = { place: "web.service" };
  test.each<[string, number, number, boolean]>([
    ["with RestartSec=45", 1, 45, true],
    ["of a timer that runs once a minute", 1, 59, false],
  ])("%s", (_, lifetime, gap, expected) => {
    expect(restarts(lifetime, gap, unit)).toBe(expected);
  });
});

describe("what a shell that runs as a service starts", () => {
  const script: Partial<Occupant> = { origin: "script", parentPid: 7 };
  test.each<[string, number, number, Partial<Occupant>, boolean]>([
    ["a loop keeps a server running", 20, 1, {}, true],
    ["a loop polls: mostly it waits", 1, 10, {}, false],
    ["the steps of a build", 20, 0, { commandHash: "other" }, false],
    ["sleep in a loop", 60, 0, { isOneShot: true }, false],
    ["the whole entrypoint was started again", 20, 5, { parentPid: 8, commandHash: "other" }, true],
  ])("%s", (_, lifetime, gap, then, expected) => {
    expect(restarts(lifetime, gap, script, then)).toBe(expected);
  });
});

describe("what another program starts", () => {
  const helper: Partial<Occupant> = { origin: "helper", parentPid: 7 };
  test.each<[string, number, number, Partial<Occupant>, boolean]>([
    ["it dies after a minute, and is back at once", 60, 0, {}, true],
    ["a job of a minute, and the next at once", 60, 0, { commandHash: "other" }, false],
    ["a job of 5 s, and the next after 6 s", 5, 6, {}, false],
    ["a program that ran for an hour, and is back at once", 3600, 2, {}, true],
    ["the same with other arguments: another job", 3600, 2, { commandHash: "other" }, false],
    ["the same much later", 3600, 601, {}, false],
  ])("%s", (_, lifetime, gap, then, expected) => {
    expect(restarts(lifetime, gap, helper, then)).toBe(expected);
  });
});

test("a request of some milliseconds and the next one, met by chance, are no restart", () => {
  const helper = { origin: "helper" as const, parentPid: 7 };
  expect(restarts(5, -1, { ...helper, lastSeenAt: 1000.1 })).toBe(false);
});

test("a fork server is a service, whoever starts it", () => {
  const byHand: Partial<EndedOccupant> = { origin: "job", parentPid: 7 };
  expect(restarts(20, 3, byHand, { commandHash: "other" })).toBe(false);
  expect(restarts(20, 3, { ...byHand, isForkServer: true }, { commandHash: "other" })).toBe(true);
});

test.each<[string, number, boolean]>([
  ["is back at once", 10, true],
  ["comes again later", 11, false],
])("what was started by somebody whom we cannot see %s", (_, gap, expected) => {
  expect(restarts(5, gap, { origin: "unseen" })).toBe(expected);
});

test.each<[string, Partial<Occupant>]>([
  ["cron's", { origin: "job" }],
  ["a command's", { isOneShot: true }],
])("%s next start is no restart, however soon", (_, differs) => {
  expect(restarts(3600, 0, differs)).toBe(false);
});
