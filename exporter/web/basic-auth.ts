// HTTP basic authentication against bcrypt hashes. bcrypt is slow on purpose, and it runs where everything else runs: so
// what was compared once is remembered, and clients cannot make it run as often as they like.

import { web } from "../../catalog/defaults.ts";
import { Attempts } from "./attempts.ts";
import { BoundedMap } from "./bounded-map.ts";

/** As in server.ts: an import of all that node:crypto exports would load WebCrypto too. */
const { createHash } = process.getBuiltinModule("node:crypto");

const { maxCredentialsBytes, waitingComparisons, remembered, rememberedWrong, rememberWrongFor } = web.passwords;

/** A longer header is refused unread. Base64 makes 4 characters of 3 bytes. */
const maxHeaderLength = "Basic ".length + 4 * Math.ceil(maxCredentialsBytes / 3);

/** "too many attempts" says nothing about the credentials: they were not compared. */
export type Admission = "accepted" | "refused" | "too many attempts";

interface Credentials {
  user: string;
  password: string;
}

export class BasicAuth {
  private readonly compare: (password: string, hash: string) => Promise<boolean>;
  private readonly now: () => number;
  private readonly attempts: Attempts;
  /** Digests of credentials that were right. */
  private readonly accepted = new BoundedMap<string, true>(remembered);
  /** Digests of credentials that were wrong, with the time until which they are refused unread. */
  private readonly refusedUntil = new BoundedMap<string, number>(rememberedWrong);
  /** Comparisons that run or wait, by digest: who sends the same credentials meanwhile shares the result. */
  private readonly comparisons = new Map<string, Promise<boolean>>();
  private turn: Promise<unknown> = Promise.resolve();

  /** `now` in seconds. */
  constructor({ compare = compareWithBcrypt, now = () => performance.now() / 1000 } = {}) {
    this.compare = compare;
    this.now = now;
    this.attempts = new Attempts(now);
  }

  /** Is this Authorization header, sent from this address, that of a user? */
  async check(header: string | undefined, users: ReadonlyMap<string, string>, address: string): Promise<Admission> {
    const credentials = decode(header);
    if (credentials === undefined) return "refused";
    const digest = digestOf(credentials, users.get(credentials.user));
    if (this.accepted.has(digest)) return "accepted";
    if (this.now() < (this.refusedUntil.get(digest) ?? 0)) return "refused";
    if (!this.comparisons.has(digest)) {
      if (this.comparisons.size > waitingComparisons || !this.attempts.take(address)) return "too many attempts";
      this.startComparing(digest, credentials, users);
    }
    return (await this.comparisons.get(digest)) ? "accepted" : "refused";
  }

  private startComparing(digest: string, { user, password }: Credentials, users: ReadonlyMap<string, string>): void {
    const hash = users.get(user);
    const comparison = this.alone(() => this.compare(password, hash ?? hashOfNobody(users))).then((right) => {
      const known = right && hash !== undefined;
      if (known) this.accepted.set(digest, true);
      else this.refusedUntil.set(digest, this.now() + rememberWrongFor);
      return known;
    });
    this.comparisons.set(
      digest,
      comparison.finally(() => this.comparisons.delete(digest)),
    );
  }

  /** One at a time, and then as long a rest: comparing never takes more than half of the time, whoever asks for it. */
  private alone(work: () => Promise<boolean>): Promise<boolean> {
    let started = 0;
    const result = this.turn.then(() => {
      started = this.now();
      return work();
    });
    const rest = () => wait(this.now() - started);
    this.turn = result.then(rest, rest);
    return result;
  }
}

/** User and password of the header; undefined when it has none. */
function decode(header = ""): Credentials | undefined {
  if (header.length > maxHeaderLength) return undefined;
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** What is remembered in place of a password. The hash is part of it, so that a changed password holds at once. */
function digestOf({ user, password }: Credentials, hash: string | undefined): string {
  return createHash("sha256")
    .update(`${hash ?? ""}\0${user}:${password}`)
    .digest("base64");
}

/** A hash of nothing anybody knows, as expensive as the users' own: so names cannot be guessed by the time it takes. */
function hashOfNobody(users: ReadonlyMap<string, string>): string {
  const [cost = "10"] = [...users.values()]
    .map((hash) => /^\$2.?\$(\d\d)/.exec(hash)?.[1] ?? "10")
    .sort()
    .reverse();
  return `$2b$${cost}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi`;
}

async function compareWithBcrypt(password: string, hash: string): Promise<boolean> {
  const { default: bcrypt } = await import("bcryptjs"); // loaded when needed: most exporters have no users
  return bcrypt.compare(password, hash.replace(/^\$2[xy]\$/, "$2b$"));
}

function wait(seconds: number): Promise<void> | undefined {
  if (seconds <= 0) return undefined;
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000).unref();
  });
}
