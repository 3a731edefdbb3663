// The default name of a process group: what its user would call it, the same after the next restart and after the next deploy.
// `node --max-old-space-size=512 dist/server.js` is server.js, `java -jar orders-1.4.2.jar` is orders.jar,
// `gunicorn: master [shop]` is shop/gunicorn, everything else its program. What says nothing by itself gets the folder or the unit
// that it runs in: orders/index.js.

import path from "node:path";
import { sizes } from "../../catalog/defaults.ts";
import { isPlaceholder } from "./arguments.ts";
import { isInterpreter, isJavaLauncher, javaServiceName, shortClass, whatRuns } from "./interpreters.ts";
import { launched, unwrapped } from "./launchers.ts";
import { type Named, namedByFile, namedByPath, namedByPlace, type Place } from "./place.ts";
import { isTitle, namedByTitle } from "./titles.ts";
import { withoutReplica, withoutVersion } from "./versions.ts";

export type { Named } from "./place.ts";

/** What the kernel tells about a process. */
export interface NameSources {
  /** The kernel's name of the process, at most 15 bytes, which the process may change. */
  comm: string;
  argv: readonly string[];
  /** Path of the program; undefined where the link may not be read. */
  exe: string | undefined;
  /** The systemd unit, for services outside containers. */
  unit?: string | undefined;
  /** Its working folder, asked only where the rest says nothing; undefined where that may not be read. */
  cwd?: () => string | undefined;
}

/** Longer names are cut by the kernel (TASK_COMM_LEN), in bytes. */
const longestComm = 15;

/** Its name is never empty. The arguments are those without secrets. */
export function defaultName({ comm, argv, exe, unit, cwd = () => undefined }: NameSources): Named {
  const words = isTitle(argv) ? argv[0].split(" ") : argv;
  const file = exe === undefined || isUnnamedFile(exe) ? words[0] : exe;
  const called = calledAs(words, comm);
  const program = called ?? (file === undefined ? comm : programName(file));
  const place = { service: program === "java" ? javaServiceName(argv) : undefined, unit, cwd };
  const { name, version } =
    byTitle(argv, program, place) ??
    byWhatRuns(words, program, place) ??
    byErlangNode(words, program) ??
    byProgram(program, called === undefined ? file : (exe ?? words[0]), isSetTitle(words, exe), place);
  return { name: (name || comm || "unknown").slice(0, sizes.name), version: version ?? versionOfProgram(exe, name) };
}

/** A title hides it: `php-fpm: pool www` of php-fpm8.2. */
function versionOfProgram(exe: string | undefined, name: string): string | undefined {
  const program = withoutVersion(programName(exe ?? ""));
  return program.name === name ? program.version : undefined;
}

/** A program that was run from memory, or a script from a descriptor: its path is no name. */
function isUnnamedFile(file: string): boolean {
  return /^\/(memfd:|dev\/fd\/|proc\/(self|\d+)\/fd\/)/.test(file);
}

/** `/usr/local/bin/node (deleted)` and `-bash` are node and bash. */
export function programName(file: string): string {
  return path.basename(file.replace(/ \(deleted\)$/, "")).replace(/^-/, "");
}

/** The name that it was called by, where the kernel says the same: busybox, redis and others have several. */
function calledAs([first = ""]: readonly string[], comm: string): string | undefined {
  const called = programName(first);
  return [called, called.split(" ", 1)[0]].find((name) => name && name.slice(0, longestComm) === comm);
}

/** The title of `node server.js` says no more than the program: what it runs is told by the words in it. */
function byTitle(argv: readonly string[], program: string, place: Place): Named | undefined {
  if (!isTitle(argv)) return undefined;
  const [first] = argv[0].split(" ", 1);
  if (first === program && isInterpreter(program)) return undefined;
  const named = namedByTitle(argv[0], place);
  return named.name === "" || isPlaceholder(named.name) ? undefined : named;
}

/** A title of one word: nothing else calls an interpreter by another name than its file's. */
function isSetTitle(words: readonly string[], exe: string | undefined): boolean {
  return words.length === 1 && exe !== undefined && isInterpreter(programName(exe)) && !words[0]?.startsWith("/");
}

/** The script, module, class or archive that an interpreter runs. */
function byWhatRuns(argv: readonly string[], program: string, place: Place): Named | undefined {
  const run = whatRuns(argv, program, programName(argv[0] ?? ""));
  if (run === undefined) return undefined;
  if (run.kind === "class") return byClass(run.what, place);
  return isUnnamedFile(run.what) ? undefined : byFile(run.what, run.rest, place);
}

function byFile(file: string, args: readonly string[], place: Place): Named | undefined {
  const [inner, ...rest] = unwrapped(file, args) ?? [];
  if (inner !== undefined) return byFile(inner, rest, place);
  const name = launched(file, args, place);
  return name === undefined ? namedByPath(file, place) : { name, version: undefined }; // that in the path is the launcher's
}

function byClass(name: string, place: Place): Named | undefined {
  const called = isJavaLauncher(name) ? namedByPlace(place) : shortClass(name);
  return called === undefined ? undefined : { name: called, version: undefined };
}

/** Erlang's machine says which node it is: `beam.smp … -sname shop@host`. */
function byErlangNode(argv: readonly string[], program: string): Named | undefined {
  if (!/^beam(\.smp)?$/.test(program)) return undefined;
  const node = argv[argv.findIndex((arg) => /^-s?name$/.test(arg)) + 1] ?? "";
  const [, name] = /^(\w[\w.-]*)(?:@|$)/.exec(node) ?? [];
  if (name === undefined || !argv.includes(node, 1)) return undefined;
  const release = argv.map((arg) => /\/releases\/([\w.+-]+)\//.exec(arg)?.[1]).find(Boolean);
  return { name: withoutReplica(withoutVersion(name).name) || name, version: release };
}

function byProgram(program: string, file: string | undefined, isSet: boolean, place: Place): Named {
  if (isSet) return { name: withoutReplica(withoutVersion(program).name) || program, version: undefined };
  const folder = file?.startsWith("/") && !isUnnamedFile(file) ? path.posix.dirname(file) : "/";
  return namedByFile(folder, program, place) ?? { name: program, version: undefined };
}
