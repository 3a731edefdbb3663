// What the name of an option, a variable or a key tells about its value.

/**
 * `secret`: the value is one. `key`: it may be one, unless it is a file. `login`: it may hold a password behind the user's name.
 */
export type NameKind = "secret" | "key" | "login" | "harmless";

/** Wherever they stand in a name: `PGPASSWORD`, `--db-password`, `apiKey`. */
const secretParts =
  /passwor[dt]|passwd|passphrase|passcode|secret|token|credential|(?:api|access|private|encryption|signing|master|account|shared|license|storage)-?key|conn(?:ection)?-?str(?:ing)?|authorization|sess(?:ion)?-?id|mnemonic|data-source-name|from-literal/;

/** Only as a whole word of it: `DB_PASS`, not `--compass`. */
const secretWords = new Set(
  "pass pwd pw auth bearer cookie cookies creds signature sig jwt dsn sas salt pin otp webhook psk hmac passin passout".split(
    " ",
  ),
);

/** At the end of a word: `-storepass`, `--rootpw`, `masterauth`. */
const secretEnding = /(?:pass|pwd|pw|psk|auth)$/;
const harmlessWord = /^(?:(?:com|encom|by|tres|sur|over|under|multi)pass|(?:no|pre|o)auth)$/;

/** What language models count, and what counts it. */
const harmlessPart = /tokeniz[a-z]{0,20}|(?:max|min|num)-(?:[a-z0-9]{1,20}-)?tokens|tokens-per/g;

/** Names of what is about a secret, and is none: the path of its file, how to authenticate. */
const harmlessEnding =
  /(?:file|path|dir)$|(?:^|-)(?:type|mode|method|algorithm|length|ttl|timeout|expiry|enabled|required|prefix|limit|count|size)$/;

const harmlessKey = /(?:public|primary|foreign|partition|sort|order|group|row|routing)-?key$|(?:mon|don|tur|hoc)key$/;

/** At the end of a word that says of the next what it is: `requirepass …`, `aws_secret_access_key …`. */
const announcement =
  /(?:passwor[dt]|passwd|passphrase|secret|token|credentials?|(?:api|access|private|secret|encryption|signing|master|account)-?key|(?:^|-)bearer)$/;

export function kindOf(name: string): NameKind {
  const folded = fold(name);
  if (folded.length < 2 || harmlessEnding.test(folded)) return "harmless";
  const counted = folded.includes("token") ? folded.replace(harmlessPart, "") : folded;
  const words = counted.split("-");
  if (secretParts.test(counted) || words.some((word) => secretWords.has(word) || endsAsSecret(word))) return "secret";
  if (folded.endsWith("key")) return harmlessKey.test(folded) ? "harmless" : "key";
  return /^(?:user|username|login|cert)$/.test(words.at(-1) as string) ? "login" : "harmless";
}

/** Is the word `AUTH` of `AUTH …` such that what follows is a secret? Stricter than for options: most words are none. */
export function announcesSecret(word: string): boolean {
  const folded = fold(word);
  return announcement.test(folded) || endsAsSecret(folded.slice(folded.lastIndexOf("-") + 1));
}

/** In front of a colon without a blank, where class paths and modules have names as well: `auth:app`, `token.jar:lib`. */
export const isHeaderName = (name: string): boolean =>
  /(?:cookie|authorization|(?:^|-)pass)$/.test(fold(name)) || announcement.test(fold(name));

/** Is the value of a name of this kind a secret? */
export function isSecret(kind: NameKind, value: string): boolean {
  if (kind === "key") return value.length >= shortestKey && !isFileLike(value);
  if (kind === "login") return /^[^\s:]{1,200}:(?!\d{1,10}$|\/\/)\S/.test(value); // not `1000:1000`
  return kind === "secret";
}

/** Shorter ones are names of columns, keyboards and the like. */
const shortestKey = 8;

/** A path, or a name with a suffix. Only of characters in which no other setting hides. */
function isFileLike(value: string): boolean {
  return /^(?:file:)?[\w./~@%-]+$/.test(value) && /^(?:file:|~|\.{0,2}\/)|\.[a-z]{2,5}$/i.test(value);
}

function endsAsSecret(word: string): boolean {
  return secretEnding.test(word) && !harmlessWord.test(word);
}

/** `dbPassword`, `DB_PASSWORD` and `--db-password` are one. */
function fold(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
