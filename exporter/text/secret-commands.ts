// Secrets that only the command they belong to tells: `mysql -pX`, `redis-cli -a X`, `mc alias set … X`, and what follows `--token`.

import { announcesSecret, isSecret, kindOf, type NameKind } from "./secret-names.ts";

/** Letters that take a password, by program. What follows in the same word is the secret; where nothing does, the next word is. */
const letterOptions: ReadonlyMap<string, RegExp> = byWord([
  ["mysql mariadb mysqld_exporter xtrabackup mariabackup innobackupex 7z 7za 7zr 7zz rar unrar", /^-p(?=.)/],
  ["mongo sshpass cqlsh twine rabbitmqadmin rdesktop ncftpget useradd usermod", /^-p/],
  ["login", /^-p/], // that of docker, podman, helm, az, oc and others
  ["redis-cli valkey-cli keydb-cli redis-benchmark valkey-benchmark http https", /^-a/],
  ["ldap", /^-[wy]/],
  ["ldappasswd", /^-[aswy]/],
  ["curl", /^-[#\dBGIJLMNOSafgijklnpqsv]{0,20}[uUbE]/],
  ["lftp", /^-u/],
  ["ab", /^-[AP]/],
  ["openssl", /^-[kK]$/],
  ["nuget ss-local ss-server ss-redir ss-tunnel", /^-k$/],
  ["influx", /^-t$/],
  ["mosquitto_pub mosquitto_sub sqlcmd bcp isql tsql ipmitool zip unzip", /^-P/],
  ["ssh-keygen", /^-[NP]/],
  ["smbclient rpcclient", /^-U/],
  ["snmp", /^-[cAX]/],
  ["xfreerdp wlfreerdp", /^\/p:/],
]);

/** Programs whose names go on: mysqldump, mariadb-admin, mongosh, ldapsearch, snmpwalk. */
const family = /^(?:mysql|mariadb|mongo|ldap|snmp)(?=[a-z-]{1,20}$)/;

/** Commands that take secrets at a place, without an option, and how many words stand before. */
const places: readonly { program: string; command: string; before: number }[] = [
  { program: "mc", command: "alias set", before: 2 },
  { program: "mc", command: "host add", before: 2 },
  { program: "mc", command: "user add", before: 1 },
  { program: "vault", command: "login", before: 0 },
  { program: "vault", command: "kv put", before: 1 },
  { program: "vault", command: "kv patch", before: 1 },
  { program: "vault", command: "write", before: 1 },
  { program: "dotnet", command: "user-secrets set", before: 1 },
  { program: "rabbitmqctl", command: "add_user", before: 1 },
  { program: "rabbitmqctl", command: "change_password", before: 1 },
  { program: "redis-cli", command: "auth", before: 0 },
  { program: "valkey-cli", command: "auth", before: 0 },
  { program: "rclone", command: "obscure", before: 0 },
  { program: "htpasswd", command: "htpasswd", before: 1 },
  { program: "wpa_passphrase", command: "wpa_passphrase", before: 1 },
  { program: "smbclient", command: "smbclient", before: 1 },
];

/** Oracle's, which take `user/password@host`. */
const oraclePrograms = ["sqlplus", "sqlldr", "expdp", "impdp", "rman"];

const programsOfPlaces = new Set([...places.map(({ program }) => program), ...oraclePrograms]);

/** Follows a command word by word. A program may stand anywhere in it: behind `sudo`, `timeout 5`, `docker exec web`. */
export class CommandLine {
  private readonly programs = new Set<string>();
  private readonly letters = new Set<RegExp>();
  /** The last words that are no options. */
  private recent = "";
  /** Words that stand before secrets without an option. */
  private before: number | undefined;
  private expected: NameKind = "harmless";
  private isFirst = true;

  /** The character from which on the next word is a secret; undefined where none of it is. */
  secretFrom(word: string): number | undefined {
    if (/^[=:>]{1,3}$/.test(word)) return undefined; // `password = …`
    const isExpected = word !== "" && !/^--(?:[A-Za-z]|$)/.test(word) && isSecret(this.expected, word);
    const option = this.letterOption(word);
    this.expected = option === word ? "secret" : this.announcedBy(word);
    const isInPlace = this.follow(word);
    this.isFirst = false;
    if (isExpected || isInPlace) return 0;
    return option === word ? undefined : option?.length;
  }

  private letterOption(word: string): string | undefined {
    for (const option of this.letters) {
      const found = option.exec(word)?.[0];
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What the next word is: behind `--token`, `/password`, `AUTH`. */
  private announcedBy(word: string): NameKind {
    if (word.length > 120) return "harmless";
    if (/^-[uU]$/.test(word)) return "login";
    if (/^["']?--?[A-Za-z][^=\s]*$/.test(word)) return kindOf(word);
    if (this.isFirst || !/^["']?[\w.:/@-]+["']?$/.test(word)) return "harmless";
    const isAnnounced = announcesSecret(word) || (/^by$/i.test(word) && this.recent.endsWith(" identified"));
    return isAnnounced ? "secret" : "harmless";
  }

  /** True for a secret that is one by its place. */
  private follow(word: string): boolean {
    if (word === "" || word.startsWith("-")) return false;
    if (/^[;&|<>]/.test(word)) this.before = undefined;
    const isInPlace = this.before === 0;
    if (this.before !== undefined && this.before > 0) this.before--;
    const name = programName(word);
    const letters = letterOptions.get(name) ?? letterOptions.get(family.exec(name)?.[0] ?? "");
    if (letters !== undefined) this.letters.add(letters);
    if (programsOfPlaces.has(name)) this.programs.add(name);
    this.recent = `${this.recent} ${name.toLowerCase()}`.slice(-60);
    if (this.programs.size === 0) return false;
    this.before ??= places.find(
      ({ program, command }) => this.programs.has(program) && this.recent.endsWith(` ${command}`),
    )?.before;
    return isInPlace || (oraclePrograms.some((one) => this.programs.has(one)) && /^[^/@]+\/[^@]+@/.test(word));
  }
}

/** `/usr/bin/mysql`, `$(mysql`, `--command=mysql` and `mysql;` are mysql. */
function programName(word: string): string {
  return /([^/"'`($;&|=\\]{1,64})["'`);&|]{0,2}$/.exec(word.slice(-70))?.[1] ?? "";
}

function byWord(lists: readonly (readonly [words: string, option: RegExp])[]): Map<string, RegExp> {
  return new Map(lists.flatMap(([words, option]) => words.split(" ").map((word) => [word, option] as const)));
}
