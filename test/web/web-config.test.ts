import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../exporter/config/load.ts";
import { loadWebConfig, WebConfigFile } from "../../exporter/web/web-config.ts";
import { makeCertificate, temporaryFolder } from "./support.ts";

const hash = "$2y$04$Hn4tIfOxXEnvhIhLbNMDh.pgJIdEVBdrTqlDOrQV1R9lv5nLc6tpy"; // shape only

function fileWith(text: string): string {
  const file = path.join(temporaryFolder(), "web.yml");
  fs.writeFileSync(file, text);
  return file;
}

describe("loadWebConfig", () => {
  test("without a file, neither TLS nor users", async () => {
    expect(await loadWebConfig(undefined)).toEqual({ tls: undefined, users: new Map(), headers: {}, files: [] });
  });

  test.each([
    ["an empty file", ""],
    ["a file of comments", "# tls_server_config:\n"],
  ])("%s says nothing", async (_, text) => {
    const file = fileWith(text);
    expect(await loadWebConfig(file)).toEqual({ tls: undefined, users: new Map(), headers: {}, files: [file] });
  });

  test("users and headers", async () => {
    const file = fileWith(`basic_auth_users: { prometheus: "${hash}" }
http_server_config: { http2: false, headers: { X-Frame-Options: deny } }
`);
    const { users, headers } = await loadWebConfig(file);
    expect([...users]).toEqual([["prometheus", hash]]);
    expect(headers).toEqual({ "X-Frame-Options": "deny" });
  });

  test("a hash of the highest cost that is allowed", async () => {
    const { users } = await loadWebConfig(fileWith(`basic_auth_users: { me: "${hash.replace("$04$", "$16$")}" }\n`));
    expect([...users.keys()]).toEqual(["me"]);
  });

  test("certificates, by names relative to the file", async () => {
    const file = fileWith("tls_server_config: { cert_file: server.pem, key_file: server.key }\n");
    const { cert, key } = makeCertificate(path.dirname(file), "server");
    const { tls, files } = await loadWebConfig(file);
    expect(tls).toEqual({
      cert: fs.readFileSync(cert),
      key: fs.readFileSync(key),
      minVersion: "TLSv1.2",
      requestCert: false,
      rejectUnauthorized: false,
    });
    expect(files).toEqual([file, cert, key]);
  });

  test.each([
    ["YAML that is none", "tls_server_config: [", "web.yml: not valid YAML: "],
    ["an unknown key", "tls_server: {}", "web.yml: tls_server: expected one of tls_server_config, http_server_config,"],
    [
      "a password in place of its hash",
      "basic_auth_users: { me: secret }",
      "basic_auth_users.me: expected a bcrypt hash",
    ],
    [
      "a hash that takes days to compare",
      `basic_auth_users: { me: "${hash.replace("$04$", "$31$")}" }`,
      "basic_auth_users.me: expected a bcrypt hash of cost 16 or less, got 31",
    ],
    [
      "a hash that takes too long to compare",
      `basic_auth_users: { me: "${hash.replace("$04$", "$17$")}" }`,
      "basic_auth_users.me: expected a bcrypt hash of cost 16 or less, got 17",
    ],
    [
      "a certificate without a key",
      "tls_server_config: { cert_file: a.pem }",
      "key_file: expected a text, got nothing",
    ],
    [
      "a file that is not there",
      "tls_server_config: { cert_file: a.pem, key_file: a.key }",
      "no such file or directory",
    ],
    [
      "client certificates that nothing can verify",
      "tls_server_config: { cert_file: a.pem, key_file: a.key, client_auth_type: RequireAndVerifyClientCert }",
      "client_ca_file: expected a text, for RequireAndVerifyClientCert, got nothing",
    ],
    [
      "what Node.js cannot do",
      "tls_server_config: { cert_file: a.pem, key_file: a.key, client_auth_type: RequireAnyClientCert }",
      "client_auth_type: expected NoClientCert, RequestClientCert or RequireAndVerifyClientCert (Node.js has no other)",
    ],
    ["TLS of another century", "tls_server_config: { min_version: SSL30 }", "min_version: expected TLS10 or TLS11"],
  ])("refuses %s, and says where", async (_, text, message) => {
    const file = fileWith(text);
    const error = await loadWebConfig(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain(`${file}: `);
    expect((error as Error).message).toContain(message);
  });

  test("never shows a password that was put in place of its hash", async () => {
    await expect(loadWebConfig(fileWith("basic_auth_users: { me: hunter2 }"))).rejects.not.toThrow("hunter2");
  });

  test("refuses a file that is not there", async () => {
    await expect(loadWebConfig("/nowhere/web.yml")).rejects.toThrow(ConfigError);
  });
});

describe("WebConfigFile", () => {
  const users = (...names: string[]) =>
    `basic_auth_users: { ${names.map((name) => `${name}: "${hash}"`).join(", ")} }\n`;

  test("reads again what has changed, and nothing else", async () => {
    const file = fileWith(users("old"));
    const config = await WebConfigFile.open(file);
    expect(await config.refresh()).toBe(false);
    fs.writeFileSync(file, users("old", "new"));
    expect(await config.refresh()).toBe(true);
    expect([...config.current.users.keys()]).toEqual(["old", "new"]);
    expect(await config.refresh()).toBe(false);
  });

  test("complains once of a change that cannot be used, and keeps what it had", async () => {
    const file = fileWith(users("old"));
    const config = await WebConfigFile.open(file);
    fs.writeFileSync(file, "basic_auth_users: 7\n");
    await expect(config.refresh()).rejects.toThrow(ConfigError);
    expect(await config.refresh()).toBe(false);
    expect([...config.current.users.keys()]).toEqual(["old"]);
    fs.writeFileSync(file, users("repaired"));
    expect(await config.refresh()).toBe(true);
    expect([...config.current.users.keys()]).toEqual(["repaired"]);
  });

  test("without a file has nothing to read", async () => {
    expect(await (await WebConfigFile.open(undefined)).refresh()).toBe(false);
  });
});
