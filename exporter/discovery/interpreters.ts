// What an interpreter runs, by its arguments: `node --max-old-space-size=512 dist/server.js` runs dist/server.js.

import path from "node:path";
import { isPlaceholder } from "./arguments.ts";

interface Interpreter {
  program: RegExp;
  /** Options whose value is the next argument. */
  withValue?: RegExp;
  /** Options that name a module, which is no file: `-m module`. */
  module?: RegExp;
  /** Options that name the file themselves: `-jar file`. */
  file?: RegExp;
  /** Options after which no script follows: code given on the command line. */
  inline?: RegExp;
  /** Words before the script: `deno run`, `bun run`. */
  commands?: RegExp;
  /** A word that is neither is a module or a class. */
  runsClasses?: boolean;
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
    module: /^-[bBdEiIOPqRsSuvx]*m$/,
    inline: /^-[bBdEiIOPqRsSuvx]*c$/,
  },
  {
    program: /^java$/,
    withValue:
      /^(-cp|-classpath|--class-path|-p|--module-path|--add-modules|--add-opens|--add-exports|--add-reads|--limit-modules|--patch-module|--upgrade-module-path|--source)$/,
    file: /^-jar$/,
    module: /^(-m|--module)$/,
    runsClasses: true,
  },
  { program: /^(ruby|jruby|truffleruby)[\d.]*$/, withValue: /^(-I|-r|-C|-E)$/, inline: /^-[aclnpsSvwWx\d]*e$/ },
  { program: /^perl[\d.]*$/, withValue: /^-I$/, inline: /^-[acflnpsStTuUwWX\d]*[eE]$/ },
  { program: /^php[\d.]*$/, withValue: /^(-d|-c|-z)$/, file: /^-f$/, inline: /^(-r|-S)$/ },
  {
    program: /^dotnet$/,
    commands: /^(exec|run|watch)$/,
    withValue: /^(--depsfile|--runtimeconfig|--additionalprobingpath|--roll-forward|--fx-version)$/,
  },
  { program: /^(ba|da|z|k|a)?sh$/, withValue: /^-[oO]$/, inline: /^-\w*c$/ },
];

export interface Run {
  readonly kind: "file" | "module" | "class";
  readonly what: string;
  /** What it was given. */
  readonly rest: readonly string[];
}

const interpreterOf = (program: string) => interpreters.find((candidate) => candidate.program.test(program));

/** Does the program run what others wrote? */
export const isInterpreter = (program: string): boolean => interpreterOf(program) !== undefined;

/** Undefined where the program is no interpreter, and where its code was given on the command line. */
export function whatRuns(argv: readonly string[], program: string, called: string): Run | undefined {
  const interpreter = interpreterOf(program) ?? interpreterOf(called);
  if (interpreter === undefined) return undefined;
  const { inline, module, file, withValue, commands, runsClasses } = interpreter;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (inline?.test(argument)) return undefined;
    const announced = file?.test(argument) ? "file" : module?.test(argument) ? "module" : undefined;
    if (announced !== undefined) {
      const at = argv.findIndex((next, j) => j > i && !isPlaceholder(next));
      return at < 0 ? undefined : run(runsClasses && announced === "module" ? "class" : announced, argv, at);
    }
    if (withValue?.test(argument)) i++;
    else if (commands?.test(argument)) continue;
    else if (argument !== "" && !/^[-+@]/.test(argument) && !isPlaceholder(argument)) {
      return run(runsClasses && !/\.java$|\//.test(argument) ? "class" : "file", argv, i);
    }
  }
  return undefined;
}

const run = (kind: Run["kind"], argv: readonly string[], at: number): Run => ({
  kind,
  what: argv[at] as string,
  rest: argv.slice(at + 1),
});

/** Class names that say nothing without their package. */
const genericClass =
  /^(?:Main|App|Application|Bootstrap|Launcher|Server|Worker|Startup?|Run|Runner|Service|Program|Daemon|Cli|CLI|Client|MainKt|AppKt|ApplicationKt|EntryPoint)$/;
const genericPackage =
  /^(?:com|org|net|io|dev|de|uk|eu|app|application|main|server|service|services|startup|boot|bootstrap|core|impl|internal|cli|launcher|runner|run|web|start)$/;

/** `orders/Main` of com.shop.orders.Main, `Kafka` of kafka.Kafka; of a module its class, or its last part. */
export function shortClass(name: string): string {
  const parts = path.posix.basename(name).split(".");
  const last = parts.pop() ?? "";
  if (!genericClass.test(last)) return last;
  const speaking = parts.findLast((part) => part !== "" && !genericPackage.test(part));
  return speaking === undefined ? last : `${speaking}/${last}`;
}

/** Classes that only start an app, which they do not name. */
export const isJavaLauncher = (name: string): boolean =>
  /(?:^|\.)(?:JarLauncher|WarLauncher|PropertiesLauncher|QuarkusEntryPoint)$/.test(name);

/** What its user called the service on the command line of a JVM. */
export function javaServiceName(argv: readonly string[]): string | undefined {
  for (const argument of argv) {
    const [, name] =
      /^-D(?:spring\.application\.name|otel\.service\.name|dd\.service|elastic\.apm\.service_name)=([\w.-]+)$/.exec(
        argument,
      ) ?? [];
    if (name !== undefined) return name;
  }
  return undefined;
}
