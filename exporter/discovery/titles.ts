// Titles that programs write over their arguments. All processes of one server must get one name, since that is how its workers are
// recognised: only what stands in the titles of master and workers alike can be part of it.

import { launched } from "./launchers.ts";
import type { Named, Place } from "./place.ts";
import { withoutReplica, withoutVersion } from "./versions.ts";

/** Did the process write a title over its arguments? `nginx: worker process`, `npm run start`. */
export function isTitle(argv: readonly string[]): argv is readonly [string] {
  return argv.length === 1 && /^[^/].*[ :]/s.test(argv[0] as string);
}

interface Title {
  /** Its named groups `app` and `args` are the app's name and the launcher's arguments. */
  pattern: RegExp;
  launcher: string;
}

const titles: readonly Title[] = [
  { pattern: /^gunicorn: (?:master|worker) \[(?<app>[^\]]+)\]/, launcher: "gunicorn" },
  { pattern: /^puma(?: \d\S*)?:? .*\[(?<app>[^\]]+)\]$/, launcher: "puma" },
  { pattern: /^sidekiq \d\S* (?:(?<app>[^\s[]+) )?/, launcher: "sidekiq" },
  { pattern: /^unicorn (?:master|worker\[)/, launcher: "unicorn" },
  { pattern: /^Passenger (?:\w+App|AppPreloader): (?<app>\/\S+)/, launcher: "Passenger" },
  { pattern: /^npm (?<args>[\w: .-]+)$/, launcher: "npm" },
  { pattern: /^next-server /, launcher: "next-server" },
  { pattern: /^\[celery (?<args>beat)\]/, launcher: "celery" },
];

/** Programs whose processes share only this much of a title. */
const families: Readonly<Record<string, string>> = { celeryd: "celery" };

/** Characters of a title that are looked at: some patterns take time by the square of them. */
const longest = 512;

/** By the whole title where its form is known, else by its first word. Empty where it begins with a sign. */
export function namedByTitle(whole: string, place: Place): Named {
  const title = whole.slice(0, longest);
  for (const { pattern, launcher } of titles) {
    const found = pattern.exec(title);
    if (found === null) continue;
    const { app, args = "" } = found.groups ?? {};
    const name = launched(launcher, args.split(" ").filter(Boolean), place, app ?? undefined);
    if (name !== undefined) return { name, version: undefined };
  }
  const first = title.replace(/^\[/, "").split(/[ :\]]/, 1)[0] ?? "";
  const { name, version } = withoutVersion(first);
  const second = / \(?v?(\d+(?:\.\d+)+)\)?[: ]/.exec(title.slice(first.length, first.length + 64));
  const isRight = title.startsWith(first) && second?.index === 0; // `PM2 v5.3.0: God Daemon`
  return { name: families[name] ?? withoutReplica(name), version: version ?? (isRight ? second?.[1] : undefined) };
}
