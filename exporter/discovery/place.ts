// Where a program stands and runs, for names that say nothing by themselves: `index.js` of /srv/orders/dist is orders/index.js.

import path from "node:path";
import { extensionOf, isTemporary, withoutVersion } from "./versions.ts";

/** What is known of it without reading any of its files, which it could forge. */
export interface Place {
  /** What its user called the service in its arguments. */
  readonly service?: string | undefined;
  /** The systemd unit that it belongs to; undefined in containers. */
  readonly unit: string | undefined;
  /** Its working folder; undefined where the link may not be read. Asked only where it matters. */
  readonly cwd: () => string | undefined;
}

/** A name, and the version that was cut off it. */
export interface Named {
  readonly name: string;
  readonly version: string | undefined;
}

/** Names of scripts, archives and programs that say nothing without their folder. */
const generic =
  /^(?:(?:index|main|__main__|cli|start|app|application|run|www|bootstrap|entrypoint|script|\*)(?:\.\w+)?|server|service|AppRun|a\.out|(?:server|service|quarkus-run|runner)\.[jw]ar)$/;

/** Folders that say nothing either: of systems, tools and builds, and those of a user that images make for every app. */
const genericFolder =
  /^(?:dist|build|out|target|libs?|lib64|libexec|src|exe|bin|sbin|app|apps|application|applications|usr|local|srv|opt|var|www|html|home|root|code|_?work|workspace|current|releases|versions|revisions|tmp|temp|_temp|shm|dev|run|mnt|data|share|classes|jars?|deploy|deployments?|service|services|node_modules|\.bin|site-packages|venv|\.venv|env|virtualenv|vendor|bundle|gems|ruby|python3?|node|java|nodejs|store|snap|b\d{3}|\.next|standalone|\.output|server|main|\d+|\.\.?|)$/;

/** Units that start other people's programs. */
const supervisor =
  /^(?:cron|crond|anacron|atd|supervisord?|docker|containerd|podman|crio|kubelet|ssh|sshd|pm2(?:-.*)?|monit|runit|s6|nomad|user|run-.*|init|session.*)$/;

/** Version managers of runtimes: the versions in these paths are not the program's. */
const ofRuntime = /\/(?:\.nvm|\.fnm|\.rbenv|\.pyenv|\.asdf|\.rvm|\.volta|mise|jvm|erts-[\d.]+)\//;

/** Of a unit's name, in characters; a cgroup cannot have a longer one (NAME_MAX). */
const longestUnit = 255;

/** Deeper folders than so many are not looked at: a target can make thousands. */
const mostFolders = 64;

/** A script, an archive or a module by its path, as its user would call it. Undefined where that is another file each time. */
export function namedByPath(file: string, place: Place): Named | undefined {
  const cwd = file.startsWith("/") ? undefined : place.cwd();
  const whole = cwd === undefined ? file : path.posix.resolve(cwd, file);
  if (/(?:^|\/)\.{0,2}$/.test(file)) return named("", { written: file, whole }, place); // `node .` and `node ./`
  const base = path.posix.basename(file);
  const folder = { written: path.posix.dirname(file), whole: path.posix.dirname(whole) };
  // `node dist` runs what is in that folder
  const isFolder = extensionOf(base) === "" && genericFolder.test(base) && !generic.test(base);
  return isFolder ? named("", folder, place) : namedInFolder(base, folder, place);
}

/** The same of a file in a folder. */
export const namedByFile = (folder: string, base: string, place: Place): Named | undefined =>
  namedInFolder(base, { written: folder, whole: folder }, place);

/** As the arguments have it, and with the folder that the process runs in before it. */
interface Folder {
  readonly written: string;
  readonly whole: string;
}

function namedInFolder(base: string, folder: Folder, place: Place): Named | undefined {
  const own = isTemporary(base, folder.whole) ? { name: "", version: undefined } : withoutVersion(unwrapped(base));
  const name = own.name || `*${extensionOf(base)}`;
  return named(name === "*" ? "" : name, folder, place, own.version);
}

function named(name: string, { written, whole }: Folder, place: Place, ownVersion?: string): Named | undefined {
  const version = ownVersion ?? versionIn(whole);
  if (name !== "" && !generic.test(name)) return { name, version };
  const inside =
    place.service ??
    speakingFolder(written) ??
    unitName(place.unit) ??
    speakingFolder(whole) ??
    speakingFolder(place.cwd() ?? "");
  const called = name === "" || inside === undefined ? (inside ?? name) : `${inside}/${name}`;
  return called === "" ? undefined : { name: called, version };
}

/** Nix runs `.orders-wrapped`, a file that a script called `orders` starts. */
const unwrapped = (base: string) => /^\.(.+)-wrapped_*$/.exec(base)?.[1] ?? base;

/** The innermost folder that says something, without its version: `shop` of /opt/shop-2.1.0/dist. */
export function speakingFolder(folder: string): string | undefined {
  const parts = folder.split("/").slice(-mostFolders);
  for (let i = parts.length - 1; i >= 0; i--) {
    const part = parts[i] as string;
    if (isTemporary(part, parts.slice(0, i).join("/"))) continue;
    const { name } = withoutVersion(/^\.mount_(.+).{6}$/.exec(part)?.[1] ?? part); // an AppImage's
    if (!genericFolder.test(name)) return name;
  }
  return undefined;
}

/** Of the innermost folder that has one: `2.1.0` of /opt/shop-2.1.0/dist. */
function versionIn(folder: string): string | undefined {
  if (ofRuntime.test(folder)) return undefined;
  return folder
    .split("/")
    .slice(-mostFolders)
    .map((part) => (/^[a-z]+\d[\d.]*$/i.test(part) ? undefined : withoutVersion(part).version)) // python3.11
    .findLast((version) => version !== undefined);
}

/**
 * What a unit is called: `shop-worker` of shop-worker.service and of shop-worker@3.service, `tunnel@db` of tunnel@db.service.
 * Undefined for one that starts other people's programs.
 */
export function unitName(unit: string | undefined): string | undefined {
  const [, template = "", instance] =
    /^(.+?)(?:@(.*))?\.service$/.exec(unescaped(unit ?? "").slice(0, longestUnit)) ?? [];
  const { name } = withoutVersion(template);
  if (name === "" || supervisor.test(name)) return undefined;
  const word = instance === undefined || /^\d+$/.test(instance) ? "" : withoutVersion(instance).name;
  return word === "" ? name : `${name}@${word}`;
}

/** systemd writes a hyphen that is no separator as `\x2d`. */
const unescaped = (name: string) =>
  name.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/**
 * What a program that says nothing itself belongs to: what its user called it, its unit, else the folder that it runs in. A folder
 * can change while a program runs, and that of a master under another user may not be read where its workers' may; a unit does
 * neither. `own` is what the program is called anyway.
 */
export function namedByPlace({ service, unit, cwd }: Place, own = ""): string | undefined {
  const candidates = [() => service, () => unitName(unit), () => speakingFolder(cwd() ?? "")];
  for (const candidate of candidates) {
    const name = candidate();
    if (name !== undefined && name !== own) return name;
  }
  return undefined;
}
