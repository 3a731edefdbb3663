// What changes in a name from one deploy to the next, or from one run to the next: versions, dates, build numbers, hashes, UUIDs.
//   orders-1.4.2-SNAPSHOT.jar   gateway-v3.4.1   php-fpm8.2   app-20261128.jar   worker-3f9c2d1   8c1e…-….sh
//
// Not everything that looks like a version is one, and two programs under one name are worse than one under two:
// * Digits that stand directly at letters and have no dot are part of a name: s3proxy, h2o, mp3d, x264, log4j2, node18-exporter.
// * A small number behind a hyphen is part of a file's name: worker-1.js and worker-2.js are two programs, since replicas run the
//   same file, and api-v1 and api-v2 run side by side. In an archive it is the version, which build tools put there. In a title it
//   is the replica (titles.ts).

/** A name without what changes. */
export interface Unversioned {
  /** Empty where all of it changes. */
  readonly name: string;
  /** What was cut off, as it was written; undefined where nothing was, or where it says nothing about a version. */
  readonly version: string | undefined;
}

/** Longest name of a file (NAME_MAX); nothing behind it is looked at. */
const longest = 255;

const extension =
  /\.(?:jar|war|ear|[mc]?[jt]s|[jt]sx|pyz?|pyc|whl|rb|ru|php|phar|p[lm]|sh|bash|zsh|lua|exs?|r|jl|groovy|kts?|clj|cgi|dll|exe|bin|so|appimage|zip)$/i;

/** Built by tools that put the version behind the name, even one without dots. */
const archive = /^\.(?:jar|war|ear|whl|phar|pyz|appimage|zip)$/i;

const uuid = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}";
const date = String.raw`20\d\d(?<mark>[-_.])[01]\d\k<mark>[0-3]\d(?:[-_.T]?\d\d[-_:.]?\d\d(?:[-_:.]?\d\d)?Z?)?`;
const qualifier = String.raw`(?:[-._]?(?:snapshot|release|final|ga|m|alpha|beta|rc|cr|pre|preview|dev|post|canary|nightly|hotfix|build|ea|sp|p|b|r)(?:[-._]?\d+)?(?![a-zA-Z]))`;
const dotted = String.raw`\d+(?:\.\d+)+(?:[a-z](?![a-zA-Z0-9]))?${qualifier}{0,4}(?:\+[\w.-]+)?`;
/** Of a commit or of a content: letters and digits, since words such as `facade` have no digit. */
const hash = String.raw`g?(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}`;
/** A time, or a number that some build system counts. */
const longNumber = String.raw`\d{6,}(?:[-_T]\d{4,6}Z?)?`;

const separated = new RegExp(
  String.raw`(?:^|[-_@+~ ]|(?<!\d)\.)(?:(?<random>${uuid})|(?<version>${date}|[vV]?${dotted}|${hash}|${longNumber}))(?![a-zA-Z0-9])`,
  "gi",
);
const attached = new RegExp(String.raw`(?<=[a-z]{2})(?:(?<version>${dotted})|(?<random>\d{6,}))(?![a-z0-9])`, "gi");
const qualifierAlone = /[-.](?<version>SNAPSHOT|RELEASE)$/;
const numberOfArchive = /[-_.](?<version>v?\d+)$/i;

/** Most parts of most paths have none, and need not be looked at further. */
const mayHaveOne = /\d|SNAPSHOT|RELEASE/;

/** The name of a file or folder without what changes; whose extension stays. */
export function withoutVersion(file: string): Unversioned {
  if (!mayHaveOne.test(file)) return { name: file, version: undefined };
  const python = /^(python|pypy)(\d)\.(\d+)$/.exec(file);
  if (python !== null) return { name: `${python[1]}${python[2]}`, version: `${python[2]}.${python[3]}` }; // as the link to it
  const text = file.slice(0, longest);
  const ending = extension.exec(text)?.[0] ?? "";
  const found: string[] = [];
  const cut = (stem: string, pattern: RegExp) =>
    stem.replace(pattern, (...groups) => {
      const { version } = groups.at(-1) as { version?: string };
      if (version !== undefined) found.push(version);
      return "";
    });
  const whole = text.slice(0, text.length - ending.length);
  let stem = [separated, attached, qualifierAlone].reduce(cut, whole);
  if (archive.test(ending)) {
    for (let i = 0; i < 3 && numberOfArchive.test(stem); i++) stem = cut(stem, numberOfArchive);
  }
  if (/js$/i.test(ending)) stem = stem.replace(/[-.](\w{8})$/, (all, run) => (isMixed(run) ? "" : all));
  const name = stem === whole ? whole : trimmed(stem);
  return { name: name === "" ? "" : name + ending, version: found.length === 0 ? undefined : found.join("-") };
}

/** The extension of a file whose whole name changes: `.sh` of `8c1e….sh`. Empty where there is none. */
export const extensionOf = (file: string): string => extension.exec(file.slice(0, longest))?.[0] ?? "";

/** `index-BX7a9Qz2.js`: what bundlers append, in all kinds of characters. */
const isMixed = (run: string) => /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);

const trimmed = (stem: string) => stem.replace(/^[-_.@+~ ]+(?=[-_.@+~ ]|$)/, "").replace(/[-_.@+~ ]+$/, "");

/** `worker-2` of a title, and `worker[2]`: the replica's number goes, the name of what it is stays. */
export const withoutReplica = (name: string): string => name.replace(/(?:[-_.#:@]\d{1,5}|\[\d{1,5}\])$/, "");

/** Folders that the system makes for a moment, and what it calls things in them: `tmpab12cd34`, `tmp.Xy12AbCdEf`. */
export function isTemporary(name: string, folder = ""): boolean {
  if (!/^tmp[._-]?\w{6,12}(\.\w+)?$/.test(name)) return false;
  return /\d/.test(name) || /^tmp\./.test(name) || /\/(tmp|temp|shm)(\/|$)/i.test(folder);
}
