// TLS and basic authentication from a file in the format of Prometheus' exporters, so that one file serves them all:
// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
// The file and what it names are looked at again before every handshake and request, so that certificates can be renewed
// and passwords changed without a restart.

import fs from "node:fs";
import path from "node:path";
import type { SecureContextOptions, SecureVersion } from "node:tls";
import { web } from "../../catalog/defaults.ts";
import { DecodeError, type Decoder, mapping, oneOf, showPath, text, yesOrNo } from "../config/decode.ts";
import { ConfigError } from "../config/load.ts";

export interface WebConfig {
  tls: TlsConfig | undefined;
  /** bcrypt hashes by user name; empty for no authentication. */
  users: ReadonlyMap<string, string>;
  /** Headers that every answer gets. */
  headers: Readonly<Record<string, string>>;
  /** What was read: the file itself, certificates and key. */
  files: readonly string[];
}

export interface TlsConfig extends SecureContextOptions {
  requestCert: boolean;
  rejectUnauthorized: boolean;
}

const noWebConfig: WebConfig = { tls: undefined, users: new Map(), headers: {}, files: [] };

const tlsVersions = { TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const;

const textsByName: Decoder<Record<string, string>> = (value, place) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DecodeError(place, "a mapping", value);
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, text(entry, [...place, key])]));
};

const decodeFile = mapping({
  tls_server_config: mapping({
    cert_file: text,
    key_file: text,
    client_ca_file: text,
    client_auth_type: oneOf(
      "NoClientCert",
      "RequestClientCert",
      "RequireAnyClientCert",
      "VerifyClientCertIfGiven",
      "RequireAndVerifyClientCert",
    ),
    min_version: oneOf("TLS10", "TLS11", "TLS12", "TLS13"),
    max_version: oneOf("TLS10", "TLS11", "TLS12", "TLS13"),
  }),
  http_server_config: mapping({ http2: yesOrNo, headers: textsByName }),
  basic_auth_users: textsByName,
});

/** Reads the file, or returns what holds without one. Throws ConfigError. */
export async function loadWebConfig(file: string | undefined): Promise<WebConfig> {
  if (file === undefined) return noWebConfig;
  const { loadAll, YAMLException } = await import("js-yaml");
  try {
    const found = decodeFile(loadAll(fs.readFileSync(file, "utf8"))[0] ?? {}, []); // none in a file of comments
    const tls = found.tls_server_config;
    return {
      tls: tls === undefined ? undefined : readTls(tls, path.dirname(file)),
      users: new Map(Object.entries(checkedHashes(found.basic_auth_users ?? {}))),
      headers: found.http_server_config?.headers ?? {},
      files: [
        file,
        ...[tls?.cert_file, tls?.key_file, tls?.client_ca_file].flatMap((name) =>
          name === undefined ? [] : [path.resolve(path.dirname(file), name)],
        ),
      ],
    };
  } catch (error) {
    if (error instanceof DecodeError) throw new ConfigError(`${file}: ${showPath(error.path)}: ${error.message}`);
    if (error instanceof YAMLException) throw new ConfigError(`${file}: not valid YAML: ${error.reason}`);
    throw new ConfigError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

function readTls(tls: NonNullable<ReturnType<typeof decodeFile>["tls_server_config"]>, folder: string): TlsConfig {
  const { cert_file, key_file, client_ca_file, client_auth_type = "NoClientCert", min_version = "TLS12" } = tls;
  if (cert_file === undefined) throw new DecodeError(["tls_server_config", "cert_file"], "a text", undefined);
  if (key_file === undefined) throw new DecodeError(["tls_server_config", "key_file"], "a text", undefined);
  const verifies = client_auth_type.includes("Verify");
  if (verifies && client_ca_file === undefined) {
    throw new DecodeError(["tls_server_config", "client_ca_file"], `a text, for ${client_auth_type}`, undefined);
  }
  if (client_auth_type === "RequireAnyClientCert" || client_auth_type === "VerifyClientCertIfGiven") {
    throw new DecodeError(
      ["tls_server_config", "client_auth_type"],
      "NoClientCert, RequestClientCert or RequireAndVerifyClientCert (Node.js has no other)",
      client_auth_type,
    );
  }
  const read = (name: string) => fs.readFileSync(path.resolve(folder, name));
  return {
    cert: read(cert_file),
    key: read(key_file),
    ...(client_ca_file === undefined ? {} : { ca: read(client_ca_file) }),
    minVersion: tlsVersions[min_version] as SecureVersion,
    ...(tls.max_version === undefined ? {} : { maxVersion: tlsVersions[tls.max_version] as SecureVersion }),
    requestCert: client_auth_type !== "NoClientCert",
    rejectUnauthorized: client_auth_type === "RequireAndVerifyClientCert",
  };
}

function checkedHashes(users: Record<string, string>): Record<string, string> {
  const { maxBcryptCost } = web.passwords;
  for (const [user, hash] of Object.entries(users)) {
    const place = ["basic_auth_users", user];
    const cost = /^\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
    if (cost === undefined) {
      throw new DecodeError(place, "a bcrypt hash (htpasswd -nBC 10 USER)", "something else");
    }
    if (Number(cost) > maxBcryptCost) {
      throw new DecodeError(place, `a bcrypt hash of cost ${maxBcryptCost} or less`, Number(cost));
    }
  }
  return users;
}

/** The configuration in its current state: read again when its file, or one that it names, has changed. */
export class WebConfigFile {
  readonly file: string | undefined;
  current: WebConfig;
  private stamp: string;

  private constructor(file: string | undefined, current: WebConfig) {
    this.file = file;
    this.current = current;
    this.stamp = stampOf(current.files);
  }

  /** Throws ConfigError. */
  static async open(file: string | undefined): Promise<WebConfigFile> {
    return new WebConfigFile(file, await loadWebConfig(file));
  }

  /** True when something changed and was read. Throws ConfigError when it cannot be used; then the old state stays. */
  async refresh(): Promise<boolean> {
    if (this.file === undefined) return false;
    const stamp = stampOf(this.current.files);
    if (stamp === this.stamp) return false;
    this.stamp = stamp; // one complaint per change
    this.current = await loadWebConfig(this.file);
    this.stamp = stampOf(this.current.files);
    return true;
  }
}

function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? "absent" : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    })
    .join(",");
}
