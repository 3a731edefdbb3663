// The default name of a process group: what its user would call it. `node --max-old-space-size=512 dist/server.js` is
// server.js, `java -jar orders.jar` is orders.jar, `gunicorn: master [shop]` is gunicorn, everything else its program.

import path from "node:path";
import { sizes } from "../../catalog/defaults.ts";
import { isPlaceholder } from "./arguments.ts";

/** What the kernel tells about a process without any right. */
export interface NameSources {
  /** The kernel's name of the process, at most 15 bytes, which the process may change. */
  comm: string;
  argv: readonly string[];
  /** Path of the program; undefined where the link may not be read. */
  exe: string | undefined;
}

interface Interpreter {
  program: RegExp;
  /** Options whose value is the next argument. */
  withValue?: RegExp;
  /** Options that name the program themselves: `-m module`, `-jar file`. */
  names?: RegExp;
  /** Options after which no script follows: code given on the command line. */
  inline?: RegExp;
  /** Words before the script: `deno run`, `bun run`. */
  commands?: RegExp;
}

const interpreters: readonly Interpreter[] = [
  {
    program: /^(node|nodejs|iojs)$/,
    withValue:
      /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file(-if-exists)?|--title|--input-type|--watch-path|--unhandled-rejections|--disable-warning|--dns-result-order|--max-http-header-size|--heapsnapshot-signal|--diagnostic-dir)$/,
    inline: /^(-e|--eval|-p|--print|-pe)$/,
  },
  {
    program: /^deno$/,
    commands: /^(run|serve|task|test|start)$/,
    withValue: /^(-c|--config|--import-map|--cert|--seed|--location|--host|--port|-L|--log-level)$/,
    inline: /^eval$/,
  },
  {
    program: /^bun$/,
    commands: /^(run|x|exec|test|start)$/,
    withValue: /^(-r|--preload|-c|--config|--cwd|--env-file|--port|--conditions)$/,
    inline: /^(-e|--eval|-p|--print)$/,
  },
  {
    program: /^(python|pypy)[\d.]*$/,
    withValue: /^(-W|-X|--check-hash-based-pycs)$/,
    // single letters stand together: `-um`, `-Ic`
    names: /^-[bBdEiIOPqRsSuvx]*m$/,
    inline: /^-[bBdEiIOPqRsSuvx]*c$/,
  },
  {
    program: /^java$/,
    withValue:
      /^(-cp|-classpath|--class-path|-p|--module-path|--add-modules|--add-opens|--add-exports|--add-reads|--limit-modules|--patch-module|--upgrade-module-path|--source)$/,
    names: /^(-jar|-m|--module)$/,
  },
  { program: /^(ruby|jruby|truffleruby)[\d.]*$/, withValue: /^(-I|-r|-C|-E)$/, inline: /^-[aclnpsSvwWx\d]*e$/ },
  { program: /^perl[\d.]*$/, withValue: /^-I$/, inline: /^-[acflnpsStTuUwWX\d]*[eE]$/ },
  { program: /^php[\d.]*$/, withValue: /^(-d|-c|-z)$/, names: /^-f$/, inline: /^(-r|-S)$/ },
  {
    program: /^dotnet$/,
    commands: /^(exec|run|watch)$/,
    withValue: /^(--depsfile|--runtimeconfig|--additionalprobingpath|--roll-forward|--fx-version)$/,
  },
  { program: /^(ba|da|z|k|a)?sh$/, withValue: /^-[oO]$/, inline: /^-\w*c$/ },
];

/** Script names that say nothing without their folder. */
const generic = /^(index|main|__main__|cli|start)(\.\w+)?$/;
/** Folders that say nothing either, or, like that of a release, another thing tomorrow. */
const genericFolder =
  /^(dist|build|out|lib|src|bin|app|usr|local|srv|opt|var|www|html|home|code|workspace|current|releases|\d+|\.\.?|)$/;

/** Longer names are cut by the kernel (TASK_COMM_LEN), in bytes. */
const longestComm = 15;

/** Never empty. The arguments are those without secrets. */
export function defaultName({ comm, argv, exe }: NameSources): string {
  const words = isTitle(argv) ? argv[0].split(" ") : argv;
  const file = exe === undefined || isUnnamedFile(exe) ? words[0] : exe;
  const program = calledAs(words, comm) ?? (file === undefined ? comm : programName(file));
  const name = titleName(argv, program) ?? scriptName(words, program) ?? program;
  return (name || comm || "unknown").slice(0, sizes.name);
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

/** Did the process write a title over its arguments? `nginx: worker process`, `npm run start`. */
function isTitle(argv: readonly string[]): argv is readonly [string] {
  return argv.length === 1 && /^[^/].*[ :]/s.test(argv[0] as string);
}

/** Its first word: `[celeryd: shop@host:MainProcess]` is celeryd. That of `node server.js` says no more than the program. */
function titleName(argv: readonly string[], program: string): string | undefined {
  const word = isTitle(argv) ? argv[0].replace(/^\[/, "").split(/[ :\]]/, 1)[0] : undefined;
  return word && word !== program && !isPlaceholder(word) ? word : undefined;
}

/** The script, module or archive that an interpreter runs. */
function scriptName(argv: readonly string[], program: string): string | undefined {
  const called = programName(argv[0] ?? "");
  const interpreter = interpreters.find((one) => one.program.test(program) || one.program.test(called));
  if (interpreter === undefined) return undefined;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (interpreter.inline?.test(argument)) return undefined;
    if (interpreter.names?.test(argument)) return shortScript(argv.slice(i + 1).find((next) => !isPlaceholder(next)));
    if (interpreter.withValue?.test(argument)) i++;
    else if (interpreter.commands?.test(argument)) continue;
    else if (argument !== "" && !/^[-+@]/.test(argument) && !isPlaceholder(argument)) return shortScript(argument);
  }
  return undefined;
}

function shortScript(script: string | undefined): string | undefined {
  if (script === undefined || isUnnamedFile(script)) return undefined;
  const base = path.basename(script);
  if (base === "." || base === "..") return undefined; // `node .`: the folder it was started in, which is not told
  if (!generic.test(base)) return base || undefined;
  const folder = path
    .dirname(script)
    .split("/")
    .findLast((part) => !genericFolder.test(part));
  return folder === undefined ? base : `${folder}/${base}`;
}
