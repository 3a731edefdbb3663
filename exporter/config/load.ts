// From a YAML file to a configuration, with the file and the line in every complaint.

import fs from "node:fs";
import { type Config, decodeConfig, defaultConfig } from "./config.ts";
import { byteSize, DecodeError, type Decoder, type Path, showPath } from "./decode.ts";

/** The configuration cannot be used; the message names the place and is all that a user needs to see. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads and decodes the file, if there is one, and what the environment tells. Throws ConfigError. */
export async function loadConfig(file: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  return { ...(await readConfig(file)), ...fromEnvironment(env) };
}

/** Where there is no file to write it into: what a pod tells its sidecar. An empty variable says nothing. */
function fromEnvironment(env: NodeJS.ProcessEnv): Partial<Config> {
  const { LEAKWATCH_MEMORY_LIMIT: limit, LEAKWATCH_GROUP_PREFIX: prefix } = env;
  try {
    return {
      ...(limit ? { unseenMemoryLimit: byteSize(limit, []) } : {}),
      ...(prefix ? { groupPrefix: prefix } : {}),
    };
  } catch (error) {
    throw new ConfigError(`LEAKWATCH_MEMORY_LIMIT: ${(error as Error).message}`, { cause: error });
  }
}

const readConfig = (file: string | undefined): Promise<Config> =>
  file === undefined ? Promise.resolve(defaultConfig) : readDocument(file, decodeConfig);

/** Decodes a configuration's text. `file` is only for messages. Throws ConfigError. */
export const parseConfig = (source: string, file: string): Promise<Config> => parseDocument(source, file, decodeConfig);

/** Reads a YAML file and decodes it. Throws ConfigError. */
export async function readDocument<T>(file: string, decode: Decoder<T>): Promise<T> {
  let source: string;
  try {
    source = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return parseDocument(source, file, decode);
}

async function parseDocument<T>(source: string, file: string, decode: Decoder<T>): Promise<T> {
  const yaml = await import("js-yaml"); // loaded when needed: most sidecars have no configuration
  let document: unknown;
  try {
    const documents = yaml.loadAll(source);
    if (documents.length > 1) throw new ConfigError(`${file}: expected one YAML document, got ${documents.length}`);
    document = documents[0];
  } catch (error) {
    if (error instanceof yaml.YAMLException) throw new ConfigError(yamlMessage(file, error), { cause: error });
    throw error;
  }
  try {
    return decode(document, []);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const line = lineOf(yaml, source, error.path);
    const place = showPath(error.path);
    throw new ConfigError(`${file}:${line}: ${place === "" ? "" : `${place}: `}${error.message}`, { cause: error });
  }
}

type Yaml = typeof import("js-yaml");

function yamlMessage(file: string, error: InstanceType<Yaml["YAMLException"]>): string {
  const line = error.mark === undefined ? "" : `:${error.mark.line + 1}`;
  return `${file}${line}: not valid YAML: ${error.reason}`;
}

/** Line of the key or list entry at `path`, or of the innermost part of the path that the document has. */
function lineOf(yaml: Yaml, source: string, path: Path): number {
  const { MAPPING, SEQUENCE, SCALAR, POP, DOCUMENT } = yaml.EVENT_ID;
  const events = yaml.parseEvents(source, {});
  let at = 0;
  let best = 0;
  let bestDepth = -1;

  const isPrefix = (place: Path) => place.length <= path.length && place.every((key, i) => key === path[i]);
  const visit = (place: Path): void => {
    const event = events[at++];
    if (event === undefined) return;
    if (event.type === SCALAR) note(place, event.valueStart);
    if (event.type === SEQUENCE) {
      note(place, event.start);
      for (let index = 0; events[at]?.type !== POP; index++) visit([...place, index]);
      at++;
    }
    if (event.type === MAPPING) {
      note(place, event.start);
      while (events[at]?.type !== POP) {
        const keyEvent = events[at++];
        const key = keyEvent?.type === SCALAR ? yaml.getScalarValue(source, keyEvent) : "";
        if (keyEvent?.type === SCALAR) note([...place, key], keyEvent.valueStart);
        visit([...place, key]);
      }
      at++;
    }
  };
  const note = (place: Path, offset: number) => {
    if (!isPrefix(place) || offset < 0 || place.length <= bestDepth) return; // a value can start a line below its key
    best = offset;
    bestDepth = place.length;
  };

  while (events[at]?.type === DOCUMENT) at++;
  visit([]);
  return source.slice(0, best).split("\n").length;
}
