// Addresses as they are shown and put together: people put passwords and tokens into them.

import { withoutSecretWords } from "./secrets.ts";

/**
 * An address without user and password, and without the values of parameters that look like secrets. It need not be a valid one:
 * then a password may hold slashes, so everything up to the last @ is left out.
 */
export function withoutCredentials(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,30}:\/\//i.exec(url)?.[0] ?? "";
  return withoutSecretWords(scheme + url.slice(Math.max(scheme.length, url.lastIndexOf("@") + 1)));
}

/** A path to which another one can be appended with a slash. */
export function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}
