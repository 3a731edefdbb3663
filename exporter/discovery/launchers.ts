// Programs that run an app which is called something else: gunicorn, celery, puma, npm, artisan. Their groups are called after
// both, `shop/gunicorn`, since a machine may have two apps under one kind of server, and one app under two.

import path from "node:path";
import { isPlaceholder } from "./arguments.ts";
import { namedByPlace, type Place, speakingFolder } from "./place.ts";
import { withoutVersion } from "./versions.ts";

interface Launcher {
  /** The app, where the arguments tell. */
  app?: (args: readonly string[]) => string | undefined;
  /** Words that make another service of the same app: `artisan queue:work`. Those that mean the ordinary one are left out. */
  role?: (args: readonly string[]) => string | undefined;
  /** It is a file of the app's own folder. */
  isInProject?: boolean;
}

const word = /^[a-z][\w:.-]{0,39}$/i;
const firstWord = (args: readonly string[]) => args.find((arg) => !arg.startsWith("-"));
const option = (names: RegExp) => (args: readonly string[]) => {
  const at = args.findIndex((arg) => names.test(arg));
  const [, joined] = /^[^=]+=(.+)$/.exec(args[at] ?? "") ?? [];
  return at < 0 ? undefined : (joined ?? args[at + 1]);
};
const command = (usual: RegExp) => (args: readonly string[]) => {
  const name = firstWord(args);
  return name === undefined || usual.test(name) || !word.test(name) ? undefined : name;
};

/** `shop.main:app`; without the colon only the last word, which no option announces. */
function moduleIn(args: readonly string[]): string | undefined {
  const named = args.find((arg) => /^[a-z_]\w*(?:\.\w+)*:[a-z_][\w.]*(?:\(.*\))?$/i.test(arg));
  const last = args.at(-1) ?? "";
  const isAnnounced = args.at(-2)?.startsWith("-") === true && !/\.[aw]sgi$/.test(last);
  return named ?? (/^[a-z_]\w*(?:\.\w+)*$/i.test(last) && !isAnnounced ? last : undefined);
}

const server: Launcher = { app: moduleIn };
const project = (usual: RegExp): Launcher => ({ isInProject: true, role: command(usual) });
const packageManager: Launcher = {
  role: (args) => {
    const [verb, script] = args.filter((arg) => !arg.startsWith("-"));
    const named = verb === "run" || verb === "run-script" || verb === "rum" || verb === "urn" ? script : undefined;
    return named === undefined || /^(start|serve|dev|prod)$/.test(named) || !word.test(named) ? undefined : named;
  },
};

const launchers = new Map<string, Launcher>([
  ["gunicorn", server],
  ["uvicorn", server],
  ["hypercorn", server],
  ["daphne", server],
  ["granian", server],
  ["waitress-serve", server],
  ["dramatiq", server],
  ["flask", { app: option(/^(?:--app|-A)(?:=|$)/), role: flaskRole }],
  ["celery", { app: option(/^(?:-A|--app)(?:=|$)/), role: celeryRole }],
  ["rq", { role: command(/^worker$/) }],
  ["puma", {}],
  ["unicorn", {}],
  ["thin", {}],
  ["rackup", {}],
  ["sidekiq", {}],
  ["next", {}],
  ["next-server", {}],
  ["nuxt", {}],
  ["npm", packageManager],
  ["yarn", packageManager],
  ["pnpm", packageManager],
  ["Passenger", {}],
  ["rails", project(/^(?:server|s)$/)],
  ["rake", { ...project(/^$/) }],
  ["artisan", project(/^serve$/)],
  ["console", project(/^$/)],
  ["manage.py", project(/^(?:runserver|serve)$/)],
]);

/** Files under which a launcher is started. */
const aliases = new Map([
  ["npm-cli.js", "npm"],
  ["yarn.js", "yarn"],
  ["pnpm.cjs", "pnpm"],
  ["next-server.js", "next-server"],
]);

/** `celery -A shop beat` runs beside the workers. */
function celeryRole(args: readonly string[]): string | undefined {
  return args.find((arg) => /^(?:beat|flower|events)$/.test(arg));
}

function flaskRole(args: readonly string[]): string | undefined {
  const rest = args.filter((arg, i) => !arg.startsWith("-") && !/^(?:--app|-A)$/.test(args[i - 1] ?? ""));
  return command(/^run$/)(rest);
}

/** Parts of a module that say nothing of the app. */
const genericModule = /^(?:app|application|main|wsgi|asgi|src|server|config|core|project|run|index|backend|api|web|)$/;

/** What is called `shop` in `shop.main:app`; undefined where that says nothing. */
function appOf(module: string | undefined): string | undefined {
  if (module === undefined || isPlaceholder(module)) return undefined;
  const [dotted = ""] = module.split(":", 1);
  const name = /^[\w.]+$/.test(dotted)
    ? dotted.split(".").find((part) => !genericModule.test(part))
    : speakingFolder(dotted);
  return name === undefined ? undefined : withoutVersion(name).name || undefined;
}

/** Words that run what follows them, in the same process or in one of the same name. */
const wrappers: Readonly<Record<string, RegExp | undefined>> = {
  bundle: /^exec$/,
  bundler: /^exec$/,
  "ddtrace-run": undefined,
  "opentelemetry-instrument": undefined,
  "newrelic-admin": /^run-program$/,
  tsx: undefined,
  "ts-node": undefined,
  nodemon: undefined,
  "pm2-runtime": undefined,
};

/** What a wrapper runs, with its arguments: `puma -C x` of `bundle exec puma -C x`. Undefined where it is none. */
export function unwrapped(file: string, args: readonly string[]): readonly string[] | undefined {
  const name = withoutVersion(path.posix.basename(file)).name;
  if (!Object.hasOwn(wrappers, name)) return undefined;
  const verb = wrappers[name];
  const rest = args.slice(args.findIndex((arg) => !arg.startsWith("-")));
  if (args.length === 0 || rest[0]?.startsWith("-")) return undefined;
  if (verb === undefined) return rest;
  return verb.test(rest[0] ?? "") && rest.length > 1 ? rest.slice(1) : undefined;
}

/**
 * `shop/gunicorn`, `shop/celery:beat`, `npm`: the app first, where its module, its folder or its unit tells. Undefined where the
 * file is no launcher. `app` is what a title says.
 */
export function launched(
  file: string,
  args: readonly string[],
  place: Place,
  app?: string | undefined,
): string | undefined {
  const base = path.posix.basename(file);
  const name = aliases.get(base) ?? withoutVersion(base).name;
  const launcher = launchers.get(name);
  if (launcher === undefined) return undefined;
  const whole = path.posix.resolve(launcher.isInProject ? (place.cwd() ?? "/") : "/", file);
  const isBeside = launcher.isInProject || /\/(?:\.?venv|env|virtualenv|node_modules|vendor)\//.test(whole);
  const beside = isBeside ? speakingFolder(path.posix.dirname(whole)) : undefined;
  const known =
    appOf(app ?? launcher.app?.(args)) ?? (beside === name ? undefined : beside) ?? namedByPlace(place, name);
  const role = launcher.role?.(args);
  const service = role === undefined || isPlaceholder(role) ? name : `${name}:${role}`;
  return known === undefined || known === name ? service : `${known}/${service}`;
}
