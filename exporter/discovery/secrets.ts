// Arguments that look like secrets, replaced before anything else sees them: names are made from arguments, and words of
// them can be taken into a group's name. What is replaced wrongly costs a pattern that would have matched it; what is missed
// would stand in Prometheus for years.

/** What stands in place of a secret. */
export const redacted = "***";

/** In the name of an option, a variable or a key, wherever they stand: `PGPASSWORD`, `--db-password`, `apiKey`. */
const secretParts =
  /password|passwd|passphrase|passcode|secret|token|credential|(?:api|access|private|encryption|signing|master|account|shared|license|storage)-?key|conn(?:ection)?-?str(?:ing)?|authorization/;

/** Only as a whole word of it: `DB_PASS`, not `--compass`. */
const secretWords = new Set(
  "pass pwd pw auth bearer cookie cookies creds signature sig jwt dsn sas salt pin otp webhook sessionid".split(" "),
);

/** Names that hold such a word and no secret: the path of a file, how to authenticate, what language models count. */
const harmlessName =
  /(?:^|-)(?:file|path|dir|type|mode|method|algorithm|length|ttl|timeout|expiry|enabled|required|prefix|limit|count|size)$|tokeniz|max-(?:new-)?tokens|tokens-per/;

/** Whole tokens of known issuers, and others whose shape gives them away. */
const knownTokens = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, // Amazon
  /\bgh[pousr]_[A-Za-z0-9]{20,255}/g, // GitHub
  /\bgithub_pat_\w{20,255}/g,
  /\bglpat-[\w-]{16,255}/g, // GitLab
  /\bxox[abeoprs]-[\w-]{8,255}/g, // Slack
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)[-_][\w-]{8,255}/g, // Stripe, OpenAI, Anthropic
  /\bsk-[A-Za-z0-9]{20,255}/g,
  /\bAIza[\w-]{35}/g, // Google
  /\bnpm_[A-Za-z0-9]{30,255}/g,
  /\bhf_[A-Za-z0-9]{20,255}/g, // Hugging Face
  /\bdop_v1_[a-f0-9]{32,255}/g, // DigitalOcean
  /\bhvs\.[\w-]{20,255}/g, // Vault
  /\bSG\.[\w-]{16,64}\.[\w-]{16,255}/g, // SendGrid
  /\beyJ[\w-]{8,4096}\.[\w-]{4,4096}(?:\.[\w-]{0,4096})?/g, // JSON web tokens
  /-----BEGIN [A-Z ]{1,40}-----[\s\S]*/g,
];

/** User and password, or a token alone, before the host of a URL. */
const urlUser = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^/?#\s"'@]{0,1024}(?:@[^/?#\s"'@]{0,1024})*@/gi;

/** `password=…` inside an argument: of a URL, of a connection string, of settings; and as JSON has it. */
const settingName = /([\w.-]{1,80})=/g;
const settingValue = /[^&;\s]{1,131072}/y;
const jsonSetting = /(["'])([\w.-]{1,80})\1(\s{0,8}:\s{0,8})(["'])(?:\\.|(?!\4)[^\\]){0,8192}\4?/g;

/** What follows in a header or a title: `Authorization: Bearer …`. */
const scheme = /\b(Bearer|Basic|Token|Digest|ApiKey)\s{1,8}[^\s"',]{4,8192}/gi;
const headerValue =
  /\b([\w-]{0,40}(?:authorization|api-key|token|secret|cookie|password))(\s{0,4}:\s{0,4})[^\s"'][^"']{0,8192}/gi;

/** Options of single letters that take a password, by program. */
const shortOptions: readonly { program: RegExp; option: RegExp }[] = [
  {
    program:
      /^(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|mysqld_exporter|sshpass|mongo|mongosh|mongodump)\b/,
    option: /^-p(?=.)/,
  },
  { program: /^(?:redis-cli|valkey-cli)\b/, option: /^-a$/ },
  { program: /^(?:sshpass|mongo|mongosh|mongodump|ldapsearch)\b/, option: /^-[pw]$/ },
  { program: /^(?:curl|wget)\b/, option: /^(?:-u|--user)$/ },
];

/**
 * The arguments without what looks like a secret: `--password=…` and `--token …`, `AWS_SECRET…=…`, the user of a URL, tokens of
 * known shapes. Their number stays. A title, which is one argument with blanks, is looked at word by word.
 */
export function withoutSecrets(argv: readonly string[]): string[] {
  if (argv.length === 1) return [withoutSecretWords(argv[0] as string)];
  return redactWords(argv);
}

/** The same for one line of text, as a title or a message is. Its white space stays. */
export function withoutSecretWords(line: string): string {
  const parts = line.split(/(\s+)/);
  const words = redactWords(parts.filter((_, i) => i % 2 === 0));
  return withoutInnerSecrets(parts.map((part, i) => (i % 2 === 0 ? words[i / 2] : part)).join(""));
}

function redactWords(argv: readonly string[]): string[] {
  const program = (argv[0] ?? "").slice((argv[0] ?? "").lastIndexOf("/") + 1);
  const short = shortOptions.filter((one) => one.program.test(program)).map(({ option }) => option);
  let nextIsSecret = false;
  return argv.map((argument, i) => {
    const isSecret = nextIsSecret && !argument.startsWith("--");
    nextIsSecret =
      i > 0 && (announcesSecret(argument) || short.some((option) => option.exec(argument)?.[0] === argument));
    if (isSecret && argument !== "") return redacted;
    const attached =
      i === 0 ? undefined : short.map((option) => option.exec(argument)?.[0]).find((found) => found !== undefined);
    if (attached !== undefined && attached !== argument) return attached + redacted;
    return withoutInnerSecrets(withoutOwnSecret(argument));
  });
}

/** `--token`, whose value is the next argument. */
function announcesSecret(argument: string): boolean {
  return argument.length <= 80 && /^--?[A-Za-z]/.test(argument) && !argument.includes("=") && namesSecret(argument);
}

/** `--password=…`, `-Dspring.datasource.password=…`, `TOKEN=…`: everything behind the sign, up to the end. */
function withoutOwnSecret(argument: string): string {
  const sign = /^[-/]{0,2}[\w.:-]{1,80}?[=]/.exec(argument)?.[0] ?? /^[-/]{1,2}[\w.-]{1,80}:/.exec(argument)?.[0];
  if (sign === undefined || sign.length === argument.length) return argument;
  return namesSecret(sign.slice(0, -1)) ? sign + redacted : argument;
}

function withoutInnerSecrets(argument: string): string {
  if (argument.length < 5) return argument;
  let text = argument;
  if (text.includes("://")) text = text.replace(urlUser, `$1${redacted}@`);
  if (text.includes("=")) text = withoutSecretSettings(text);
  if (text.includes(":")) {
    text = text.replace(jsonSetting, (whole, quote: string, name: string, colon: string, open: string) =>
      namesSecret(name) ? `${quote}${name}${quote}${colon}${open}${redacted}${open}` : whole,
    );
    text = text.replace(headerValue, `$1$2${redacted}`);
  }
  text = text.replace(scheme, `$1 ${redacted}`);
  for (const token of knownTokens) text = text.replace(token, redacted);
  return text;
}

function withoutSecretSettings(text: string): string {
  let kept = "";
  let from = 0;
  settingName.lastIndex = 0;
  for (let found = settingName.exec(text); found !== null; found = settingName.exec(text)) {
    if (!namesSecret(found[1] as string)) continue;
    settingValue.lastIndex = settingName.lastIndex;
    if (!settingValue.test(text)) continue;
    kept += text.slice(from, settingName.lastIndex) + redacted;
    from = settingValue.lastIndex;
    settingName.lastIndex = from;
  }
  return kept + text.slice(from);
}

function namesSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  if (harmlessName.test(words)) return false;
  return secretParts.test(words) || words.split("-").some((word) => secretWords.has(word));
}
