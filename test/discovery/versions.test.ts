import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTemporary, withoutReplica, withoutVersion } from "../../exporter/discovery/versions.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

describe("withoutVersion cuts off", () => {
  test.each([
    // Maven and Spring Boot: artifact-version.jar
    ["orders-1.4.2.jar", "orders.jar", "1.4.2"],
    ["orders-1.4.2-SNAPSHOT.jar", "orders.jar", "1.4.2-SNAPSHOT"],
    ["orders-1.4.2-20261128.101112-3.jar", "orders.jar", "1.4.2-20261128.101112-3"],
    ["orders-1.4.2-exec.jar", "orders-exec.jar", "1.4.2"],
    ["orders-2.0.0.RELEASE.jar", "orders.jar", "2.0.0.RELEASE"],
    ["orders-1.0.Final.war", "orders.war", "1.0.Final"],
    ["orders-SNAPSHOT.jar", "orders.jar", "SNAPSHOT"],
    ["orders-1.0-alpha-1.jar", "orders.jar", "1.0-alpha-1"],
    ["orders-7.jar", "orders.jar", "7"],
    ["orders-v2.jar", "orders.jar", "v2"],
    ["app-20261128.jar", "app.jar", "20261128"],
    // semantic versions, and what others write
    ["gateway-v3.4.1", "gateway", "v3.4.1"],
    ["gateway-v3.4.1-rc.1", "gateway", "v3.4.1-rc.1"],
    ["gateway-1.0.0+build.7", "gateway", "1.0.0+build.7"],
    ["gateway_1.4.2_linux_amd64", "gateway_linux_amd64", "1.4.2"],
    ["next@14.1.0", "next", "14.1.0"],
    ["orders-1.0.0b3.whl", "orders.whl", "1.0.0b3"],
    ["api-2024.1", "api", "2024.1"],
    // Debian's and Homebrew's programs
    ["php-fpm8.2", "php-fpm", "8.2"],
    ["perl5.36.0", "perl", "5.36.0"],
    ["python3.11", "python3", "3.11"],
    // dates, commits, contents
    ["app-2026-11-28", "app", "2026-11-28"],
    ["app-2026-11-28T10-11-12", "app", "2026-11-28T10-11-12"],
    ["worker-3f9c2d1", "worker", "3f9c2d1"],
    ["app-1.4.2-3f9c2d1", "app", "1.4.2-3f9c2d1"],
    ["main.8f3b2c1d.js", "main.js", "8f3b2c1d"],
  ])("%s is %s of version %s", (file, name, version) => {
    expect(withoutVersion(file)).toEqual({ name, version });
  });

  test.each([
    ["8c1e5d2f-9b7a-4630-a1c8-d5f2b9a76043.sh", ""],
    ["job-8c1e5d2f-9b7a-4630-a1c8-d5f2b9a76043.sh", "job.sh"],
    ["go-build1234567890", "go-build"],
    ["jenkins1234567890123456789.sh", "jenkins.sh"],
    ["index-BX7a9Qz2.js", "index.js"],
  ])("what is random and no version: %s is %j", (file, name) => {
    expect(withoutVersion(file)).toEqual({ name, version: undefined });
  });

  test.each([
    ["20261001120000", "20261001120000"],
    ["v20.1.0", "v20.1.0"],
    ["3f9c2d1a", "3f9c2d1a"],
  ])("all of %s", (file, version) => {
    expect(withoutVersion(file)).toEqual({ name: "", version });
  });
});

describe("withoutVersion leaves names that only look so", () => {
  test.each([
    ...[
      "s3proxy",
      "h2o",
      "mp3d",
      "x264",
      "log4j2-test",
      "node18-exporter",
      "redis6",
      "k3s",
      "oauth2-proxy",
      "7z",
      "3proxy",
    ],
    ...["web-1", "worker-2.js", "step-2.py", "api-v2", "containerd-shim-runc-v2", "java-17-openjdk-amd64", "x86_64"],
    ...[
      "http.server",
      "Shop.Api.dll",
      "beam.smp",
      "ld-linux-x86-64.so.2",
      "redis-server",
      "order service",
      "__main__.py",
    ],
    ...["facade", "decade", "feedface", "-bash", "...", "", "a-", "kworker/0:1", "job (nightly)\n\ufffd run"],
  ])("%j", (name) => {
    expect(withoutVersion(name)).toEqual({ name, version: undefined });
  });
});

test("withoutVersion is settled after once, and never makes a name longer", () => {
  const piece = fc.constantFrom(
    "-",
    "_",
    ".",
    "v",
    "1",
    "1.4.2",
    "20261128",
    "3f9c2d1",
    "rc",
    "app",
    "jar",
    ".jar",
    "+",
    "@",
    " ",
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map((all) => all.join("")),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  fc.assert(
    fc.property(text, (file) => {
      const { name } = withoutVersion(file);
      expect(name.length).toBeLessThanOrEqual(file.length);
    }),
  );
});

test.each([
  ["worker-2", "worker"],
  ["worker_12", "worker"],
  ["worker[3]", "worker"],
  ["worker#4", "worker"],
  ["delayed_job.3", "delayed_job"],
  ["celery", "celery"],
  ["h2o", "h2o"],
  ["mp3", "mp3"],
])("withoutReplica: %s of a title is %s", (title, name) => {
  expect(withoutReplica(title)).toBe(name);
});

describe("isTemporary", () => {
  test.each([
    ["tmpab12cd", "/tmp", true], // Python's mkdtemp
    ["tmpabcdefgh", "/tmp", true],
    ["tmp.Xy12AbCdEf", "/var/lib", true], // mktemp
    ["tmpab12cd_x.py", "/tmp", true],
    ["tmpreaper", "/usr/sbin", false],
    ["tmpfiles", "/usr/lib", false],
    ["run.py", "/tmp", false],
  ])("%s in %s: %s", (name, folder, expected) => {
    expect(isTemporary(name, folder)).toBe(expected);
  });
});

test.each(hostileTexts)("nothing that looks for versions can be made to work for long by %j", (_, text) => {
  for (const look of [() => withoutVersion(text), () => isTemporary(text, text), () => withoutReplica(text)]) {
    expect(cpuSeconds(look)).toBeLessThan(mostCpuSeconds);
  }
});
