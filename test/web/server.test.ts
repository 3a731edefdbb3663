import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import zlib from "node:zlib";
import bcrypt from "bcryptjs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { MiB } from "../../catalog/defaults.ts";
import { listen } from "../../exporter/web/server.ts";
import { WebConfigFile } from "../../exporter/web/web-config.ts";
import { fakeMachine } from "../support/machine.ts";
import { type Answer, makeCertificate, request, serve, temporaryFolder } from "./support.ts";

const text = "text/plain; charset=utf-8";
const routes: [place: string, type: string, says: string][] = [
  ["/metrics", "text/plain; version=0.0.4; charset=utf-8", "# TYPE leakwatch_node_memory_bytes gauge\n"],
  ["/-/healthy", text, "leakwatch is healthy.\n"],
  ["/-/ready", text, "leakwatch is ready.\n"],
  ["/api/v1/groups", "application/json; charset=utf-8", '{"status":"success","data":[]}'],
  ["/api/v1/cgroups", "application/json; charset=utf-8", '{"status":"success","data":[]}'],
  ["/", "text/html; charset=utf-8", "<title>leakwatch</title>"],
];

describe("routes", () => {
  test.each(routes)("GET %s", async (place, type, says) => {
    const { exporter, get } = await serve();
    await exporter.refresh();
    const { status, headers, text } = await get(place);
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type });
    expect(text).toContain(says);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-powered-by"]).toBeUndefined();
    expect(headers.etag).toBeUndefined();
  });

  test.each(routes)("HEAD %s has the same headers and no body", async (place, type) => {
    const { exporter, get } = await serve();
    await exporter.refresh();
    const { status, headers, body } = await get(place, {}, { method: "HEAD" });
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type });
    expect(body.length).toBe(0);
  });

  test.each([
    ...routes.flatMap(([place]) => ["POST", "PUT", "DELETE"].map((method) => [method, place, "GET, HEAD"] as const)),
    ...["GET", "PUT", "DELETE"].map((method) => [method, "/-/reload", "POST"] as const),
  ])("%s %s is answered with the methods that are allowed", async (method, place, allow) => {
    const { get } = await serve();
    const { status, headers, text } = await get(place, {}, { method });
    expect({ status, allow: headers.allow, text }).toEqual({
      status: 405,
      allow,
      text: `method not allowed: ${method} (allowed: ${allow})\n`,
    });
  });

  test.each([
    ["a misspelt path", "/metric", "/metric"],
    ["a path of Prometheus", "/-/quit", "/-/quit"],
    ["a path with a query", "/api/v1/groups/api?limit=1", "/api/v1/groups/api"],
    ["a script", "/%3Cscript%3E", "/%3Cscript%3E"],
    ["a file", "/../../etc/passwd", "/etc/passwd"],
    ["a long path", `/${"x".repeat(5000)}`, `/${"x".repeat(196)}...`],
  ])("%s is not found", async (_, place, shown) => {
    const { get } = await serve();
    const { status, headers, text: says } = await get(place);
    expect({ status, type: headers["content-type"], says }).toEqual({
      status: 404,
      type: text,
      says: `not found: ${shown}\n`,
    });
  });

  test("the metrics can stand elsewhere", async () => {
    const { get } = await serve({ telemetryPath: "/probe/metrics" });
    expect((await get("/probe/metrics")).status).toBe(200);
    expect((await get("/metrics")).status).toBe(404);
    expect((await get("/")).text).toContain('<a href="/probe/metrics">');
  });

  test("connections are kept longer than any scrape interval", async () => {
    const { get } = await serve();
    const { headers } = await get("/-/healthy", { Connection: "keep-alive" });
    expect(headers["keep-alive"]).toMatch(/timeout=130/);
  });
});

describe("/metrics", () => {
  test("in the format that the client would rather have", async () => {
    const { get } = await serve();
    const { headers, text } = await get("/metrics", { Accept: "application/openmetrics-text;version=1.0.0" });
    expect(headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(text).toMatch(/\n# EOF\n$/);
    expect(headers.vary).toBe("Accept, Accept-Encoding");
  });

  test.each([
    ["gzip", "gzip"],
    ["gzip, deflate, br", "gzip"],
    ["*", "gzip"],
    ["br", undefined],
    ["identity", undefined],
    ["gzip;q=0", undefined],
    ["", undefined],
  ])("for a client that accepts %j", async (accept, encoding) => {
    const machine = fakeMachine();
    machine.start();
    const { get } = await serve({ machine });
    const { headers, body } = await get("/metrics", { "Accept-Encoding": accept });
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers.vary).toBe("Accept, Accept-Encoding");
    const plain = encoding === "gzip" ? zlib.gunzipSync(body) : body;
    expect(plain.toString()).toContain('leakwatch_process_threads{group="api",slot="0"} 1\n');
  });

  test("to many at once is one pass and one text, whatever its encoding", async () => {
    const machine = fakeMachine();
    for (let i = 0; i < 20; i++) machine.start();
    const { exporter, get } = await serve({ machine });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => get("/metrics", i % 2 === 0 ? { "Accept-Encoding": "gzip" } : {})),
    );
    const texts = answers.map(({ headers, body }) =>
      (headers["content-encoding"] === "gzip" ? zlib.gunzipSync(body) : body).toString(),
    );
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toMatch(/slot="19"\} 1\n/);
    expect(exporter.watcher.passes).toBe(1);
  });

  test("is let go of when it was sent, so that its memory is used again", async () => {
    const { exporter, get } = await serve();
    await get("/metrics");
    const exposition = await exporter.scrape("text");
    await vi.waitFor(() => expect(exposition.inUse).toBe(false), { timeout: 20_000 }); // our side may see the end a moment later
  });

  test("that cannot be made is answered with the reason, which is logged once", async () => {
    const { machine, get, logged } = await serve();
    fs.renameSync(machine.path("proc"), machine.path("gone"));
    for (let i = 0; i < 10; i++) {
      const { status, headers, text: says } = await get("/metrics", { "Accept-Encoding": "gzip" });
      expect({ status, type: headers["content-type"] }).toEqual({ status: 503, type: text });
      expect(says).toMatch(/^The request failed: ENOENT: .*\n$/);
    }
    const lines = logged.filter((line) => line.includes("request failed"));
    expect(lines).toEqual([expect.stringMatching(/msg="request failed" path=\/metrics error="ENOENT/)]);
    fs.renameSync(machine.path("gone"), machine.path("proc"));
    machine.clock.advance(5);
    expect((await get("/metrics")).status).toBe(200);
  });
});

describe("/-/ready", () => {
  test("is 503 before the first pass and when passes are missing; /-/healthy is not", async () => {
    const { machine, exporter, get } = await serve();
    expect(await get("/-/ready")).toMatchObject({
      status: 503,
      text: "leakwatch is not ready: the first pass over the processes is not finished.\n",
    });
    await exporter.refresh();
    expect((await get("/-/ready")).status).toBe(200);
    machine.clock.advance(60);
    expect(await get("/-/ready")).toMatchObject({
      status: 503,
      text: "leakwatch is not ready: the last pass over the processes was 60 s ago; one is due every 5 s.\n",
    });
    expect((await get("/-/healthy")).status).toBe(200);
  });

  test("says what cannot be read", async () => {
    const machine = fakeMachine();
    machine.start();
    machine.write("proc/100/limits", "not a table\n");
    const { exporter, get } = await serve({ machine });
    await exporter.refresh();
    expect((await get("/-/ready")).text).toBe("leakwatch is ready.\nCannot be read: limits of 1 processes (format).\n");
  });
});

test("what is not watched because of a bound is named by /-/ready and by the page", async () => {
  const { exporter, get } = await serve();
  await exporter.refresh();
  vi.spyOn(exporter, "leftOutNow").mockReturnValue([{ bound: "processes", limit: 500, processes: 7 }]);
  const says = "7 processes are not watched: no more than 500 processes are watched (max_processes).";
  expect((await get("/-/ready")).text).toBe(`leakwatch is ready.\n${says}\n`);
  expect((await get("/")).text).toContain(says);
});

describe("/-/reload", () => {
  test("takes a good configuration, and refuses a bad one with its place", async () => {
    const machine = fakeMachine();
    machine.start();
    const configFile = path.join(temporaryFolder(), "leakwatch.yml");
    fs.writeFileSync(configFile, "groups: [{ name: shop, match: { name: api } }]\n");
    const { exporter, get } = await serve({ machine, configFile, enableLifecycle: true });
    const reload = () => get("/-/reload", {}, { method: "POST" });
    expect(await reload()).toMatchObject({ status: 200, text: "" });
    machine.clock.advance(5);
    expect((await get("/metrics")).text).toContain('{group="shop",slot="0"}');

    fs.writeFileSync(configFile, "groups:\n  - match: { name: api }\n");
    expect(await reload()).toMatchObject({
      status: 500,
      text: `failed to reload config: ${configFile}:2: groups[0].name: expected a text, got nothing\n`,
    });
    machine.clock.advance(5);
    const { text } = await get("/metrics");
    expect(text).toContain('{group="shop",slot="0"}');
    expect(text).toContain("leakwatch_config_last_reload_successful 0\n");
    expect((await get("/")).text).toContain("The new configuration was rejected, and the previous one is kept: ");
    expect(exporter.reload.successful).toBe(false);
  });

  test("needs a flag, as in Prometheus: whoever can connect could otherwise reload", async () => {
    const { exporter, get } = await serve();
    const reload = vi.spyOn(exporter, "reloadConfig");
    expect(await get("/-/reload", {}, { method: "POST" })).toMatchObject({
      status: 403,
      text: "Lifecycle API is not enabled.\n",
    });
    expect(reload).not.toHaveBeenCalled();
  });
});

describe("/api/v1/groups", () => {
  const groupsOf = ({ text }: Answer) => JSON.parse(text).data;

  test("has what is known", async () => {
    const machine = fakeMachine();
    machine.cgroup("/api", { limit: 64 * MiB });
    machine.start({ cgroup: "/api", resident: 48 * MiB });
    const { get } = await serve({ machine });
    expect(groupsOf(await get("/api/v1/groups"))).toEqual([
      {
        group: "api",
        verdict: "collecting",
        severity: "none",
        reasons: [],
        would_change: null,
        scheduled_restart: null,
        processes: [
          {
            slot: 0,
            pid: 100,
            exe: "/usr/bin/api",
            cgroup: "/api",
            container_id: null,
            pod_uid: null,
            start_time_seconds: 1_795_214_000,
            uptime_seconds: expect.any(Number),
            resident_memory_bytes: 48 * MiB,
            peak_resident_memory_bytes: 48 * MiB,
            anonymous_memory_bytes: 48 * MiB,
            swap_bytes: 0,
            threads: 1,
            max_threads: 63_000,
            open_fds: 3,
            max_fds: 1024,
            memory_limit_bytes: 64 * MiB,
            memory_limit_source: "cgroup",
            heap_limit_bytes: null,
            heap_limit_runtime: null,
            heap_limit_source: null,
            headroom_bytes: 16 * MiB,
            floor_bytes: 48 * MiB,
            verdict: "collecting",
            severity: "none",
            observed_seconds: 0,
            needed_seconds: 1200,
            growth_bytes_per_second: null,
            gained_bytes: 0,
            growth_by_window_bytes_per_second: { "15m": null, "1h": null, "6h": null, "1d": null, "7d": null },
            confidence_ratio: null,
            time_to_oom_seconds: null,
            leaking_since_timestamp_seconds: null,
            reasons: ["collecting data (0 of 20 min)"],
            would_change: "first verdict in 20 min",
            unreadable: {},
          },
        ],
        restarts: { oom: 0, suspected_oom: 0, scheduled: 0, exit: 0, unknown: 0 },
        worker_exits: { oom: 0, suspected_oom: 0, recycled: 0, unknown: 0 },
        worker_exits_growing: 0,
        lives_ended: 0,
        lives_ended_growing: 0,
        oom_kills: 0,
        oom_growth: [],
        last_restart_timestamp_seconds: null,
        last_end: null,
      },
    ]);
  });

  test("has null, and not 0, for what is not known", async () => {
    const machine = fakeMachine({ cgroups: "not mounted", rssParts: false });
    machine.start();
    fs.rmSync(machine.path("proc/meminfo"));
    fs.rmSync(machine.path("proc/stat"));
    fs.rmSync(machine.path("proc/100/fd"), { recursive: true });
    fs.rmSync(machine.path("proc/100/exe"));
    machine.write("proc/100/limits", "not a table\n");
    const { get } = await serve({ machine });
    const [{ processes }] = groupsOf(await get("/api/v1/groups"));
    expect(processes).toMatchObject([
      {
        exe: null,
        start_time_seconds: null,
        uptime_seconds: null,
        resident_memory_bytes: 10 * MiB,
        anonymous_memory_bytes: null,
        open_fds: null,
        max_fds: null,
        max_threads: null,
        memory_limit_bytes: null,
        unreadable: { limits: "format" },
      },
    ]);
  });

  test("tells how the last process ended", async () => {
    const machine = fakeMachine();
    const pid = machine.start();
    const { exporter, get } = await serve({ machine });
    await exporter.refresh();
    machine.stop(pid);
    machine.clock.advance(5);
    expect(groupsOf(await get("/api/v1/groups"))).toMatchObject([
      {
        processes: [],
        lives_ended: 1,
        last_end: { reason: "exit", evidence: "none", growth_bytes_per_second: null, lifetime_seconds: 5 },
      },
    ]);
  });

  test("never shows command lines, which can hold passwords", async () => {
    const machine = fakeMachine();
    machine.start({ argv: ["/usr/bin/api", "--password=hunter2"] });
    const { get } = await serve({ machine });
    for (const place of ["/api/v1/groups", "/metrics", "/"]) expect((await get(place)).text).not.toContain("hunter2");
  });
});

describe("/", () => {
  test("runs no script and loads nothing, whatever processes are called", async () => {
    const machine = fakeMachine();
    machine.start({ argv: ["/tmp/<img src=x onerror=alert(1)>"] });
    const { get } = await serve({ machine });
    const { headers, text } = await get("/");
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(text).not.toContain("<img");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none';/);
  });

  test("shows what cannot be read", async () => {
    const machine = fakeMachine();
    machine.start();
    machine.write("proc/100/limits", "not a table\n");
    const { get } = await serve({ machine });
    expect((await get("/")).text).toContain("limits of 1 process cannot be read: it does not look as documented.");
  });
});

describe("basic authentication", () => {
  const basic = (credentials: string) => ({ Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });
  const usersFile = (users: Record<string, string>, file = path.join(temporaryFolder(), "web.yml")) => {
    // 4 rounds, the least: what is tested is not bcrypt
    const lines = Object.entries(users).map(([name, password]) => `  ${name}: ${bcrypt.hashSync(password, 4)}\n`);
    fs.writeFileSync(file, `basic_auth_users:\n${lines.join("")}`);
    return file;
  };

  test("guards every path", async () => {
    const { get } = await serve({ webConfigFile: usersFile({ prometheus: "secret" }) });
    for (const place of [...routes.map(([route]) => route), "/nothing"]) {
      const { status, headers, text } = await get(place);
      expect({ place, status, text }).toEqual({ place, status: 401, text: "Unauthorized\n" });
      expect(headers["www-authenticate"]).toBe('Basic realm="leakwatch"');
    }
    expect((await get("/-/reload", {}, { method: "POST" })).status).toBe(401);
  });

  test.each([
    ["the right password", "prometheus:secret", 200],
    ["a wrong password", "prometheus:guess", 401],
    ["an unknown user", "grafana:secret", 401],
  ])("answers to %s", async (_, credentials, status) => {
    const { get } = await serve({ webConfigFile: usersFile({ prometheus: "secret" }) });
    expect((await get("/-/healthy", basic(credentials))).status).toBe(status);
  });

  test("of many wrong passwords compares some, and says to come back later; who was let in before still is", async () => {
    const { get } = await serve({ webConfigFile: usersFile({ prometheus: "secret" }) });
    expect((await get("/metrics", basic("prometheus:secret"))).status).toBe(200);
    const answers = [];
    for (let i = 0; i < 30; i++) answers.push(await get("/metrics", basic(`prometheus:guess ${i}`)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(10); // 5 at once, and one more for each second that this takes
    expect(refused[0]?.headers["retry-after"]).toBe("1");
    expect(refused[0]?.headers["www-authenticate"]).toBeUndefined();
    expect(refused[0]?.text).toBe("Too many login attempts. Try again in a second.\n");
    expect((await get("/metrics", basic("prometheus:secret"))).status).toBe(200);
  });

  test("follows the file: a new password is right, the old one wrong, without a restart", async () => {
    const file = usersFile({ prometheus: "old" });
    const { get, logged } = await serve({ webConfigFile: file });
    expect((await get("/-/healthy", basic("prometheus:old"))).status).toBe(200);
    usersFile({ prometheus: "renewed" }, file);
    expect((await get("/-/healthy", basic("prometheus:old"))).status).toBe(401);
    expect((await get("/-/healthy", basic("prometheus:renewed"))).status).toBe(200);
    expect(logged.at(-1)).toContain("web configuration loaded");
  });

  test("lets nobody in with an old password on a connection that was made before", async () => {
    const file = usersFile({ prometheus: "old" });
    const { get } = await serve({ webConfigFile: file });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect((await get("/-/healthy", basic("prometheus:old"), { agent })).status).toBe(200);
    usersFile({ prometheus: "renewed" }, file);
    expect((await get("/-/healthy", basic("prometheus:old"), { agent })).status).toBe(401);
  });

  test("stays as it was when the file becomes useless, and the log says so", async () => {
    const file = usersFile({ prometheus: "secret" });
    const { get, logged } = await serve({ webConfigFile: file });
    fs.writeFileSync(file, "basic_auth_users: [");
    expect((await get("/-/healthy")).status).toBe(401);
    expect((await get("/-/healthy", basic("prometheus:secret"))).status).toBe(200);
    expect(logged.filter((line) => line.includes("web configuration rejected, keeping the previous one"))).toHaveLength(
      1,
    );
  });

  test("comes with the headers that the file wants", async () => {
    const file = path.join(temporaryFolder(), "web.yml");
    fs.writeFileSync(file, "http_server_config: { headers: { Strict-Transport-Security: max-age=60 } }\n");
    const { get } = await serve({ webConfigFile: file });
    expect((await get("/metrics")).headers["strict-transport-security"]).toBe("max-age=60");
  });
});

describe("TLS", () => {
  /** A web configuration file with a certificate of its own. */
  function tlsFile(more = "") {
    const folder = temporaryFolder();
    const { cert } = makeCertificate(folder, "server");
    const file = path.join(folder, "web.yml");
    fs.writeFileSync(file, `tls_server_config: { cert_file: server.pem, key_file: server.key${more} }\n`);
    return { folder, file, ca: () => fs.readFileSync(cert) };
  }

  test("is served with the certificate of the file, and nothing without TLS", async () => {
    const { file, ca } = tlsFile();
    const { get, port } = await serve({ webConfigFile: file });
    expect((await get("/-/healthy", {}, { ca: ca() })).status).toBe(200);
    await expect(get("/-/healthy")).rejects.toThrow("self-signed certificate");
    await expect(request(`http://127.0.0.1:${port}/-/healthy`)).rejects.toThrow();
  });

  test("takes a renewed certificate without a restart", async () => {
    const { folder, file, ca } = tlsFile();
    const { get, logged } = await serve({ webConfigFile: file });
    const before = ca();
    expect((await get("/-/healthy", {}, { ca: before })).status).toBe(200);
    makeCertificate(folder, "server");
    const tryNew = () =>
      get("/-/healthy", {}, { ca: ca() }).then(
        ({ status }) => status,
        () => undefined,
      );
    let status: number | undefined;
    // the first connection after the change may still have begun with the old one
    for (let attempt = 0; attempt < 20 && status === undefined; attempt++) status = await tryNew();
    expect(status).toBe(200);
    await expect(get("/-/healthy", {}, { ca: before })).rejects.toThrow();
    expect(logged.filter((line) => line.includes("web configuration loaded"))).toHaveLength(1);
  });

  test("with client certificates lets in who has one", async () => {
    const { folder, file, ca } = tlsFile(", client_ca_file: client.pem, client_auth_type: RequireAndVerifyClientCert");
    const client = makeCertificate(folder, "client");
    const stranger = makeCertificate(folder, "stranger");
    const { get } = await serve({ webConfigFile: file });
    const as = ({ cert, key }: { cert: string; key: string }) => ({
      ca: ca(),
      cert: fs.readFileSync(cert),
      key: fs.readFileSync(key),
    });
    expect((await get("/metrics", {}, as(client))).status).toBe(200);
    await expect(get("/metrics", {}, as(stranger))).rejects.toThrow();
    await expect(get("/metrics", {}, { ca: ca() })).rejects.toThrow();
  });

  test("of a version that is not allowed is refused", async () => {
    const { file, ca } = tlsFile(", min_version: TLS13");
    const { get } = await serve({ webConfigFile: file });
    await expect(get("/-/healthy", {}, { ca: ca(), maxVersion: "TLSv1.2" })).rejects.toThrow();
    expect((await get("/-/healthy", {}, { ca: ca() })).status).toBe(200);
  });
});

describe("listen", () => {
  test("rejects when the port is in use", async () => {
    const { exporter, port } = await serve();
    const webConfig = await WebConfigFile.open(undefined);
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const options = { exporter, webConfig, telemetryPath: "/metrics", enableLifecycle: false, log };
    const second = listen(options, { host: "127.0.0.1", port });
    await expect(second).rejects.toThrow("EADDRINUSE");
  });
});
