import { describe, expect, test } from "vitest";
import { parseListening, parseListeningPorts } from "../../exporter/procfs/net-tcp.ts";
import { fixture } from "../support/fixtures.ts";

describe("parseListeningPorts", () => {
  test("finds the listening sockets of a whole host, and no connection", () => {
    expect(parseListeningPorts(fixture("debian12-host-v1/proc/7769/net/tcp"))).toEqual(
      new Map([
        ["14997", 8081], // Node.js, 127.0.0.1
        ["16543", 5432], // PostgreSQL
        ["14978", 80], // nginx
        ["15000", 8000], // Python
      ]),
    );
  });

  test("reads IPv6 as well", () => {
    expect(parseListeningPorts(fixture("debian12-host-v1/proc/7769/net/tcp6"))).toEqual(
      new Map([
        ["14979", 80],
        ["16337", 8082],
        ["14996", 8080],
      ]),
    );
    expect(parseListeningPorts(fixture("docker-cgroup-v1/proc/8/net/tcp6"))).toEqual(new Map([["27933", 3000]]));
  });

  test.each([
    ["an empty file", ""],
    [
      "the header alone",
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n",
    ],
    ["a line that is cut short", "  sl\n   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:000"],
  ])("finds nothing in %s", (_, text) => {
    expect(parseListeningPorts(text)).toEqual(new Map());
  });
});

test("parseListening says on which addresses", () => {
  const sockets = parseListening(fixture("debian12-host-v1/proc/7769/net/tcp"));
  expect(sockets.find(({ port }) => port === 8081)).toEqual({ inode: "14997", address: "127.0.0.1", port: 8081 });
  expect(parseListening(fixture("docker-cgroup-v1/proc/8/net/tcp6"))).toEqual([
    { inode: "27933", address: undefined, port: 3000 },
  ]);
});
