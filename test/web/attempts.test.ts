import { describe, expect, test } from "vitest";
import { Attempts, clientOf } from "../../exporter/web/attempts.ts";

describe("clientOf", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::5:0:0:1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
  ])("%s is %s", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});

describe("Attempts", () => {
  const started = () => {
    const clock = { seconds: 0 };
    const attempts = new Attempts(() => clock.seconds);
    const taken = (address: string, tries = 100) =>
      Array.from({ length: tries }, () => attempts.take(address)).filter(Boolean).length;
    return { clock, taken };
  };

  test("are some at once, then one a second, and never more than some at once", () => {
    const { clock, taken } = started();
    expect(taken("192.0.2.1")).toBe(5);
    clock.seconds += 2;
    expect(taken("192.0.2.1")).toBe(2);
    clock.seconds += 3600;
    expect(taken("192.0.2.1")).toBe(5);
  });

  test("are never refused to a person who types one every few seconds", () => {
    const { clock, taken } = started();
    for (let i = 0; i < 100; i++, clock.seconds += 2) expect(taken("192.0.2.1", 1)).toBe(1);
  });

  test("are counted by client, of IPv6 by network", () => {
    const { taken } = started();
    expect(taken("192.0.2.1")).toBe(5);
    expect(taken("192.0.2.2")).toBe(5);
    expect(taken("2001:db8::1")).toBe(5);
    expect(taken("2001:db8::2:1")).toBe(0);
    expect(taken("2001:db8:0:1::1")).toBe(5);
  });

  test("are forgotten of the clients seen longest ago when there are too many", () => {
    const { taken } = started();
    expect(taken("first")).toBe(5);
    for (let i = 0; i < 999; i++) taken(`10.0.${i >> 8}.${i & 255}`, 1);
    expect(taken("first")).toBe(0);
    for (let i = 0; i < 1000; i++) taken(`10.1.${i >> 8}.${i & 255}`, 1);
    expect(taken("first")).toBe(5);
  });
});
