import { describe, expect, test } from "vitest";
import { parseListenAddress, urlOf } from "../../exporter/web/listen-address.ts";

describe("parseListenAddress", () => {
  test.each([
    ["127.0.0.1:9847", "127.0.0.1", 9847],
    ["localhost:80", "localhost", 80],
    [":9847", undefined, 9847],
    ["0.0.0.0:0", "0.0.0.0", 0],
    ["[::1]:9847", "::1", 9847],
    ["[::]:65535", "::", 65_535],
  ])("%s", (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  test.each([
    ["a port alone", "9847"],
    ["a host alone", "localhost"],
    ["a port that is too large", ":65536"],
    ["a port that is no number", ":http"],
    ["an IPv6 address without brackets", "::1:9847"],
    ["a URL", "http://localhost:9847"],
    ["nothing", ""],
  ])("refuses %s", (_, text) => {
    expect(() => parseListenAddress(text)).toThrow(`expected HOST:PORT or :PORT, got "${text}"`);
  });
});

describe("urlOf", () => {
  test.each([
    [":9847", "http", "http://localhost:9847"],
    ["0.0.0.0:9847", "http", "http://localhost:9847"],
    ["[::]:9847", "http", "http://localhost:9847"],
    ["127.0.0.1:9847", "https", "https://127.0.0.1:9847"],
    ["[::1]:9847", "https", "https://[::1]:9847"],
  ] as const)("%s by %s", (text, scheme, url) => {
    expect(urlOf(parseListenAddress(text), scheme)).toBe(url);
  });
});
