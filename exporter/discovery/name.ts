// The default name of a process group: what its user would call it. `node --max-old-space-size=512 dist/server.js` is
// server.js, `java -jar orders.jar` is orders.jar, `gunicorn: master [shop]` is gunicorn, everything else its program.

import path from "node:path";

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
      /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|--title|--input-type)$/,
    inline: /^(-e|--eval|-p|--print|-pe)$/,
  },
  { program: /^(bun|deno)$/, commands: /^(run|x|exec|test|start)$/, inline: /^(-e|--eval|eval)$/ },
  { program: /^(python|pypy)[\d.]*$/, withValue: /^(-W|-X|--check-hash-based-pycs)$/, names: /^-m$/, inline: /^-c$/ },
  {
    program: /^java$/,
    withValue:
      /^(-cp|-classpath|--class-path|-p|--module-path|--add-modules|--add-opens|--add-exports|--add-reads|--patch-module|--upgrade-module-path)$/,
    names: /^(-jar|-m|--module)$/,
  },
  { program: /^(ruby|jruby|truffleruby)[\d.]*$/, withValue: /^(-I|-r|-C|-E)$/, inline: /^-e$/ },
  { program: /^perl[\d.]*$/, withValue: /^-I$/, inline: /^-[eE]$/ },
  { program: /^php[\d.]*$/, withValue: /^(-d|-c|-z)$/, names: /^-f$/, inline: /^(-r|-S)$/ },
  {
    program: /^dotnet$/,
    commands: /^(exec|run|watch)$/,
    withValue: /^(--depsfile|--runtimeconfig|--additionalprobingpath)$/,
  },
  { program: /^(ba|da|z|k|a)?sh$/, withValue: /^-[oO]$/, inline: /^-\w*c$/ },
];

/** Script names that say nothing without their folder. */
const generic = /^(index|main|__main__|cli|start)\.\w+$/;
/** Folders that say nothing either. */
const genericFolder = /^(dist|build|out|lib|src|bin|app|\.\.?|)$/;

/** Longer names are cut: they become label values on every series. */
const longestName = 128;

/** Never empty. */
export function defaultName({ comm, argv, exe }: NameSources): string {
  const program = programName(exe === undefined || isUnnamedFile(exe) ? (argv[0] ?? comm) : exe);
  const name = titleName(argv, program) ?? scriptName(argv, program) ?? program;
  return (name || comm || "unknown").slice(0, longestName);
}

/** A program that was run from memory, or a script from a descriptor: its path is no name. */
function isUnnamedFile(file: string): boolean {
  return /^\/(memfd:|dev\/fd\/|proc\/(self|\d+)\/fd\/)/.test(file);
}

/** `/usr/local/bin/node (deleted)` and `-bash` are node and bash. */
function programName(file: string): string {
  return path.basename(file.replace(/ \(deleted\)$/, "")).replace(/^-/, "");
}

/** A title that the process wrote over its arguments: `nginx: worker process`, `npm run start`. */
function titleName(argv: readonly string[], program: string): string | undefined {
  const [title] = argv;
  if (argv.length !== 1 || title === undefined || !/[ :]/.test(title) || title.startsWith("/")) return undefined;
  const word = title.split(/[ :]/, 1)[0];
  return word && word !== program ? word : undefined;
}

/** The script, module or archive that an interpreter runs. */
function scriptName(argv: readonly string[], program: string): string | undefined {
  const called = programName(argv[0] ?? "");
  const interpreter = interpreters.find((one) => one.program.test(program) || one.program.test(called));
  if (interpreter === undefined) return undefined;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (interpreter.inline?.test(argument)) return undefined;
    if (interpreter.names?.test(argument)) return shortScript(argv[i + 1]);
    if (interpreter.withValue?.test(argument)) i++;
    else if (interpreter.commands?.test(argument)) continue;
    else if (argument !== "" && !/^[-+@]/.test(argument)) return shortScript(argument);
  }
  return undefined;
}

function shortScript(script: string | undefined): string | undefined {
  if (script === undefined || isUnnamedFile(script)) return undefined;
  const base = path.basename(script);
  if (!generic.test(base)) return base || undefined;
  const folder = path
    .dirname(script)
    .split("/")
    .findLast((part) => !genericFolder.test(part));
  return folder === undefined ? base : `${folder}/${base}`;
}
