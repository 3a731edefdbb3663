// Small decoders from parsed YAML to typed values. Each says what it expected, what came, and where.

import { GiB, KiB, MiB } from "../../catalog/defaults.ts";
import { Pattern } from "./pattern.ts";

/** A value that is not as documented; `path` leads to it: `groups[0].match.uid`. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly path: Path;

  constructor(path: Path, expected: string, value: unknown) {
    super(`expected ${expected}, got ${show(value)}`);
    this.path = path;
  }
}

export type Path = readonly (string | number)[];

/** Turns a parsed value into a T, or throws DecodeError. */
export type Decoder<T> = (value: unknown, path: Path) => T;

/** `groups[0].match.uid` */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== "string" || value === "") throw new DecodeError(path, "a text", value);
  return value;
};

export const yesOrNo: Decoder<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new DecodeError(path, "true or false", value);
  return value;
};

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw new DecodeError(path, words.join(" or "), value);
    return word;
  };
}

export function wholeNumber(minimum: number, maximum: number): Decoder<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < minimum || value > maximum) {
      throw new DecodeError(path, `a whole number from ${minimum} to ${maximum}`, value);
    }
    return value;
  };
}

const secondsPer = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `5s`, `1m30s`, `250ms`: seconds. The notation of Prometheus. */
export const duration: Decoder<number> = (value, path) => {
  const parts = typeof value === "string" ? [...value.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)] : [];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== value) {
    throw new DecodeError(path, "a duration such as 5s or 1m30s", value);
  }
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * secondsPer[unit as keyof typeof secondsPer], 0);
};

const bytesPer: Record<string, number> = {
  "": 1,
  B: 1,
  k: 1000,
  kB: 1000,
  M: 1e6,
  MB: 1e6,
  G: 1e9,
  GB: 1e9,
  Ki: KiB,
  KiB,
  Mi: MiB,
  MiB,
  Gi: GiB,
  GiB,
};

/** `$(NAME)` as a whole, as Kubernetes writes it: an environment variable. */
const variable = /^\$\((\w+)\)$/;

/**
 * `512MiB`, `512Mi`, `1GB` or a plain number: bytes. Kubernetes' short units are understood, and `$(NAME)` for an
 * environment variable that holds one of these.
 */
export const byteSize: Decoder<number> = (value, path) => {
  const name = typeof value === "string" ? variable.exec(value)?.[1] : undefined;
  if (name !== undefined && !process.env[name]) {
    throw new DecodeError(path, `the environment variable ${name} to hold a size`, process.env[name]);
  }
  const given = name === undefined ? value : process.env[name];
  const written = typeof given === "string" || typeof given === "number" ? String(given) : "";
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(written) ?? [];
  const bytes = Math.round(Number(amount) * (bytesPer[unit ?? ""] ?? Number.NaN));
  if (!(bytes >= 1 && Number.isSafeInteger(bytes))) throw new DecodeError(path, "a size such as 512MiB or 1GB", given);
  return bytes;
};

/** A regular expression that must match the whole text, as everywhere in Prometheus. */
export const anchoredPattern: Decoder<Pattern> = (value, path) => {
  const source = text(value, path);
  try {
    return new Pattern(source);
  } catch (error) {
    throw new DecodeError(path, `a regular expression of RE2 (${(error as Error).message})`, value);
  }
};

export function listOf<T>(item: Decoder<T>): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, "a list", value);
    return value.map((entry, index) => item(entry, [...path, index]));
  };
}

type Fields = Record<string, Decoder<unknown>>;
type Decoded<F extends Fields> = { [K in keyof F]?: ReturnType<F[K]> };

/** A mapping in which every key is known and none is needed. */
export function mapping<F extends Fields>(fields: F): Decoder<Decoded<F>> {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DecodeError(path, "a mapping", value);
    }
    const decoded: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(value)) {
      const decode = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (decode === undefined) throw new DecodeError([...path, key], `one of ${Object.keys(fields).join(", ")}`, key);
      decoded[key] = decode(entry, [...path, key]);
    }
    return decoded as Decoded<F>;
  };
}
