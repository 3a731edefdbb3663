// HTTP basic authentication against bcrypt hashes.

/** As in server.ts: an import of all that node:crypto exports would load WebCrypto too. */
const { createHash } = process.getBuiltinModule("node:crypto");

/** A hash of nothing anybody knows: an unknown user costs as much time as a known one, so that names cannot be guessed. */
const nobody = "$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/** bcrypt is slow on purpose; what was right once is remembered, as a digest, for at most this many headers. */
const remembered = 100;

export class BasicAuth {
  private readonly accepted = new Set<string>();

  /** Is this Authorization header that of a user? */
  async accepts(header: string | undefined, users: ReadonlyMap<string, string>): Promise<boolean> {
    const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
    if (encoded === undefined) return false;
    const credentials = Buffer.from(encoded, "base64").toString("utf8");
    const colon = credentials.indexOf(":");
    if (colon < 0) return false;
    const user = credentials.slice(0, colon);
    const hash = users.get(user);

    const digest = createHash("sha256")
      .update(`${hash ?? ""}\0${credentials}`)
      .digest("base64");
    if (hash !== undefined && this.accepted.has(digest)) return true;
    const { default: bcrypt } = await import("bcryptjs"); // loaded when needed: most exporters have no users
    const right = await bcrypt.compare(credentials.slice(colon + 1), (hash ?? nobody).replace(/^\$2[xy]\$/, "$2b$"));
    if (!right || hash === undefined) return false;
    if (this.accepted.size >= remembered) this.accepted.clear();
    this.accepted.add(digest);
    return true;
  }
}
