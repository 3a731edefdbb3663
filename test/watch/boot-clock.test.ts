import { describe, expect, test } from "vitest";
import { BootClock } from "../../exporter/watch/boot-clock.ts";
import { fakeMachine, watch } from "../support/machine.ts";

describe("the clock of ages", () => {
  test("is that of /proc/uptime, which goes on while the machine sleeps", () => {
    const machine = fakeMachine();
    machine.write("proc/uptime", "1000.50 9.99\n");
    const clock = new BootClock(machine.files, machine.clock);
    expect(clock.now()).toBe(1000.5);
    machine.write("proc/uptime", "29800.50 9.99\n"); // eight hours with the lid closed; the monotonic clock stood still
    expect(clock.now()).toBe(29_800.5);
    expect(clock.at(machine.clock.monotonic() + 7)).toBe(29_807.5);
  });

  test.each([3600, -3600, 8 * 3600, -8 * 3600])("does not move when the time of day is set by %d s", (seconds) => {
    const machine = fakeMachine();
    const clock = new BootClock(machine.files, machine.clock);
    expect(clock.now()).toBe(1000);
    machine.jump(seconds);
    machine.clock.advance(5);
    expect(clock.now()).toBe(1005);
  });

  test("is not that of a container's own uptime, beside start times of the machine", () => {
    const machine = fakeMachine();
    machine.clock.advance(50_000);
    machine.start({ pid: 50, argv: ["/usr/bin/node"], startTicks: 5_100_000 });
    machine.write("proc/uptime", "3.00 1.00\n");
    machine.write("proc/stat", "cpu 1\nprocesses 1\n");
    const clock = new BootClock(machine.files, machine.clock);
    expect(clock.now()).toBeGreaterThanOrEqual(51_000);
  });

  test("goes on by the monotonic clock while the kernel does not say", () => {
    const machine = fakeMachine();
    const clock = new BootClock(machine.files, machine.clock);
    clock.now();
    machine.files.deny(/\/proc\/(uptime|stat)$/);
    machine.clock.advance(60);
    expect(clock.now()).toBe(1060);
  });
});

describe("a start time", () => {
  test("that could not be made is made when the machine says when it was booted", async () => {
    const machine = fakeMachine();
    const { watcher, pass, exposition } = watch(machine);
    machine.files.deny(/\/proc\/stat$/);
    const early = machine.start({ argv: ["/usr/bin/early"] });
    await pass();
    expect(watcher.watched.get(early)?.startTime).toBeNaN();
    machine.files.allowAll();
    const late = machine.start({ argv: ["/usr/bin/late"] });
    await pass();
    expect(watcher.watched.get(early)?.startTime).toBe(1_795_213_000 + 1000);
    expect(watcher.watched.get(late)?.startTime).toBe(1_795_213_000 + 1005);
    expect(await exposition()).toMatch(/leakwatch_process_start_time_seconds\{group="early",slot="0"\} 1795214000\n/);
  });
});
