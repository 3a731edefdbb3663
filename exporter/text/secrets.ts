// Arguments that look like secrets, replaced before anything else sees them: names are made from arguments, and words of
// them can be taken into a group's name. What is replaced wrongly costs a pattern that would have matched it; what is missed
// would stand in Prometheus for years. All of it takes time in proportion to the text, whatever that is made of.

import { CommandLine } from "./secret-commands.ts";
import { isHeaderName, isSecret, kindOf } from "./secret-names.ts";

/** What stands in place of a secret. */
export const redacted = "***";

/**
 * The arguments without what looks like a secret: `--password=…` and `--token …`, `AWS_SECRET…=…`, the user of a URL, tokens of
 * known shapes. Their number stays. One with blanks, as a title is or a command for a shell, is looked at word by word. Those that
 * are not shown are only followed, and come back empty.
 */
export function withoutSecrets(argv: readonly string[], isShown: (index: number) => boolean = () => true): string[] {
  const command = new CommandLine();
  return argv.map((argument, i) => {
    const from = command.secretFrom(argument);
    if (!isShown(i)) return "";
    if (from !== undefined) return argument.slice(0, from) + redacted;
    const own = argv.length === 1 ? argument : withoutOwnSecret(argument);
    return own === argument && /\s/.test(argument) ? withoutSecretWords(argument) : withoutInnerSecrets(own);
  });
}

/** `--password=…`, `-Dspring.datasource.password=…`, `TOKEN=…`, `/password:…`: everything behind the sign, up to the end. */
function withoutOwnSecret(argument: string): string {
  const sign = /^[-/]{0,2}[\w.:-]{1,80}?=/.exec(argument)?.[0] ?? /^[-/]{1,2}[\w.-]{1,80}:/.exec(argument)?.[0];
  if (sign === undefined || sign.length === argument.length) return argument;
  return isSecret(kindOf(sign), argument.slice(sign.length)) ? sign + redacted : argument;
}

/** The same for one line of text, as a title or a command for a shell is. Its white space stays. */
export function withoutSecretWords(line: string): string {
  const command = new CommandLine();
  const quotes = new OpenQuotes(line);
  const words = /\S+/g;
  let kept = "";
  let end = 0;
  for (let found = words.exec(line); found !== null; found = words.exec(line)) {
    const from = command.secretFrom(found[0]);
    if (from === undefined) continue;
    const start = found.index + from;
    kept += line.slice(end, start) + redacted;
    const open = quotes.before(start);
    end = endOfWord(line, start, open); // one in quotes can have blanks
    if (line[end] !== open) end = Math.max(end, words.lastIndex);
    words.lastIndex = end;
  }
  return withoutInnerSecrets(kept + line.slice(end));
}

function withoutInnerSecrets(argument: string): string {
  if (argument.length < 4) return argument;
  let text = argument;
  for (const token of knownTokens) text = text.replace(token, redacted);
  if (text.includes("@")) text = text.replace(/[^\s"]+/g, withoutUser);
  return withoutSettings(text.replace(scheme, `$1$2${redacted}`));
}

/** Whole tokens of known issuers, and others whose shape gives them away. */
const knownTokens = [
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}/g, // Amazon
  /(?<![A-Za-z0-9])(?:gh[pousr]_|hf_|npm_|sk-)[A-Za-z0-9]{20,}/g, // GitHub, Hugging Face, npm, OpenAI
  /(?<![A-Za-z0-9])(?:xox[a-z]-|xapp-|whsec_|(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)[-_])[\w-]{8,}/g, // Slack, Stripe, …
  /(?<![A-Za-z0-9])(?:github_pat_|gl(?:pat|rt|dt|ft|cbt|ptt|oas|soat|imt|agent|feat)-|AIza|ya29\.|GOCSPX-|pypi-AgE|dckr_[a-z]{3}_|glsa_|shp[a-z]{2}_|do[opr]_v1_)[\w.-]{16,}/g,
  /(?<![A-Za-z0-9])(?:NRAK-|lin_api_|tskey-|AGE-SECRET-KEY-|hv[sbr]\.|SG\.)[\w.-]{16,}/g,
  /(?<![A-Za-z0-9])(?:key-|dapi)[a-f0-9]{32,}/g, // Mailgun, Databricks
  /(?<![\w.-])s\.[A-Za-z0-9]{24}(?![\w.-])/g, // Vault's older ones
  /(?<![A-Za-z0-9])eyJ[\w.+/=-]{16,}/g, // JSON in base64, as JSON web tokens are
  /(?<!\d)\d{6,12}:[\w-]{35,}/g, // Telegram
  /(?<=hooks\.slack\.com\/)[\w/]{8,}|(?<=webhook\.office\.com\/)[^\s"']{8,}|(?<=\/webhooks\/)\d{5,25}\/[\w-]{16,}/g,
  /-----BEGIN [A-Z0-9 ]{1,40}-----[\s\S]*/g,
];

/** Of a header, or in a title: `Bearer …`. */
const scheme = /\b(Bearer|Basic|Token|Digest|ApiKey)(\s{1,8})[^\s"',]{4,}/gi;

/** User and password, or a token alone, before the host of a URL; without a scheme as well, as in `user:password@tcp(host)`. */
function withoutUser(word: string): string {
  const at = word.lastIndexOf("@");
  if (at < 0) return word;
  for (let from = word.indexOf("://"); from >= 0 && from < at; from = word.indexOf("://", from + 3)) {
    if (hasPasswordWithSlash(word, from + 3, at)) return word.slice(0, from + 3) + redacted + word.slice(at);
  }
  if (word.includes("://")) return word.replace(/:\/\/[^/?#]*@/g, `://${redacted}@`);
  const oracle = word.indexOf("jdbc:oracle:");
  if (oracle >= 0 && oracle < at) return `${word.slice(0, oracle)}jdbc:oracle:${redacted}${word.slice(at)}`;
  const colon = word.indexOf(":");
  if (!isUserAndPassword(word, colon, at)) return word;
  return word.slice(0, colon + 1) + redacted + word.slice(at);
}

/** Some libraries allow slashes in passwords. `https://host:8080/@scope/package` has none. */
function hasPasswordWithSlash(word: string, from: number, at: number): boolean {
  const name = /[^/?#:]*:(?!\d{1,5}[/?#])/y;
  name.lastIndex = from;
  return name.test(word) && name.lastIndex <= at;
}

/** `user:password@host`; not `mailto:me@host`, `npm:package@1`, `image:tag@sha256:…`, `a.jar:/lib/b@2.jar`. */
function isUserAndPassword(word: string, colon: number, at: number): boolean {
  if (colon < 1 || colon + 1 >= at) return false;
  if (/(?:^|\W)(?:mailto|sips?|xmpp|acct|npm|jsr|workspace)$/.test(word.slice(Math.max(0, colon - 12), colon)))
    return false;
  if (/^@(?:[a-z\d]{1,8})?\(/.test(word.slice(at, at + 10))) return true;
  return !word.startsWith("@sha", at) && !word.slice(colon, at).includes("/");
}

/** Between a name and its value: `=`, `: `, `":"`, `'] = `, ` => `, `%3D`; `", "` and `("` of a call or a list. */
const separator =
  /["'`\]})\\]{0,4}\s{0,40}(?:=>|[:=]=?=?|%3D)\s{0,40}|\\?["'`]\s{0,40},\s{0,40}(?=\\?["'`])|\(\s{0,40}(?=\\?["'`])/gi;

/** `password=…` of a URL, of a connection string, of settings in any language; `Authorization: …`. */
function withoutSettings(text: string): string {
  const quotes = new OpenQuotes(text);
  let kept = "";
  let from = 0;
  separator.lastIndex = 0;
  for (let found = separator.exec(text); found !== null; found = separator.exec(text)) {
    const at = separator.lastIndex;
    const nameFrom = startOfName(text, found.index, from);
    const value = shownValue(text, { nameFrom, nameTo: found.index, sign: found[0], at }, quotes);
    if (value === undefined) continue;
    kept += text.slice(from, at) + value.shown;
    from = value.end;
    separator.lastIndex = from;
  }
  return kept + text.slice(from);
}

interface Setting {
  nameFrom: number;
  nameTo: number;
  sign: string;
  /** Where the value begins. */
  at: number;
}

function startOfName(text: string, end: number, least: number): number {
  let start = end;
  while (start > least && start > end - 80 && isInName[text.charCodeAt(start - 1)] === 1) start--;
  return start;
}

/** By character code: the class `[\w.-]`. */
const isInName = Uint8Array.from({ length: 128 }, (_, code) => Number(/[\w.-]/.test(String.fromCharCode(code))));

/** What is shown of a value, and where it ends. Undefined where what follows is still to be looked at. */
function shownValue(text: string, setting: Setting, quotes: OpenQuotes): { shown: string; end: number } | undefined {
  const { nameFrom, nameTo, sign, at } = setting;
  if (nameFrom === nameTo || at === text.length) return undefined;
  const name = text.slice(nameFrom, nameTo);
  const isColon = sign.includes(":") && !sign.includes("=");
  if (isColon && !/[\s"'`]/.test(sign) && (isInPath(text, nameFrom) || !isHeaderName(name))) return undefined;
  const kind = kindOf(name);
  if (kind === "harmless" || kind === "login") return undefined;
  const open = quotes.before(at);
  const quote = openingQuote(text, at);
  const end = quote === "" && kind === "secret" ? endOfPlain(text, setting, open, isColon) : endOfWord(text, at, open);
  const value = text.slice(at + quote.length, end);
  if (value === "" || !isSecret(kind, value)) return undefined;
  return { shown: quote + redacted + quote.replace(/^[a-z]+/i, ""), end };
}

/** `/lib/token:/lib/a`, but not `/token:…`. */
const isInPath = (text: string, at: number) => text[at - 1] === "/" && !/^$|\s/.test(text[at - 2] ?? "");

/** A header's value goes on to the end, or to the quote around it; one between semicolons to the next name; others are a word. */
function endOfPlain(text: string, { nameFrom, at }: Setting, open: string, isColon: boolean): number {
  if (isColon) {
    const closing = open === "" ? -1 : text.indexOf(open, at);
    return closing < 0 ? text.length : Math.max(closing, at + 1);
  }
  if (!/;\s{0,4}$/.test(text.slice(Math.max(0, nameFrom - 5), nameFrom))) return endOfWord(text, at, open);
  const nextPair = /;(?:[\w.%[\] -]{1,80}=|$)/g;
  nextPair.lastIndex = at;
  return nextPair.exec(text)?.index ?? text.length;
}

/** Does a semicolon or an ampersand end a value? In a password it is followed by anything. */
function startsPair(text: string, at: number): boolean {
  const pair = /[;&](?:[\w.%[\]-]{1,80}=|$)/y;
  pair.lastIndex = at;
  return pair.test(text);
}

/** The end of a value that has no blanks but in quotes. What cannot be told belongs to it. */
function endOfWord(text: string, from: number, open = ""): number {
  let wasQuoted = false;
  let i = from;
  while (i < text.length) {
    const character = text[i] as string;
    if (i > from && character === open) return i;
    const quote = i === from ? openingQuote(text, i) : /["'`\\]/.test(character) ? openingQuote(text, i) : "";
    if (quote !== "") {
      i = behindClosing(text, i + quote.length, quote.replace(/^[a-z]+/i, ""));
      wasQuoted = true;
    } else if (/\s/.test(character) || (wasQuoted && /[,;&)\]}>:.|]/.test(character))) return i;
    else if (/[;&]/.test(character) && startsPair(text, i)) return i;
    else i += character === "\\" ? 2 : 1;
  }
  return text.length;
}

/** `"`, or `\"` inside of another string, or `b"`. */
function openingQuote(text: string, at: number): string {
  const quote = /[bfru]{0,2}\\{0,7}["'`]/iy;
  quote.lastIndex = at;
  return quote.exec(text)?.[0] ?? "";
}

function behindClosing(text: string, from: number, quote: string): number {
  let at = text.indexOf(quote, from);
  while (at > from && text[at - 1] === "\\") at = text.indexOf(quote, at + 1);
  return at < 0 ? text.length : at + quote.length;
}

/** Which quote is open, from the beginning of a text on. */
class OpenQuotes {
  private readonly text: string;
  private readonly mark = /\\[\s\S]?|["'`]/g;
  /** The first that was not looked at. */
  private next: RegExpExecArray | null;
  private open = "";

  constructor(text: string) {
    this.text = text;
    this.next = this.mark.exec(text);
  }

  before(end: number): string {
    for (; this.next !== null && this.next.index < end; this.next = this.mark.exec(this.text)) {
      const [mark] = this.next;
      if (mark === this.open) this.open = "";
      else if (this.open === "" && !mark.startsWith("\\")) this.open = mark;
    }
    return this.open;
  }
}
