// Log lines on standard error, in the logfmt that Prometheus and its exporters write. Names in them are the targets' own, so no field is
// long, and none holds what a terminal or a reader of lines would act on.

import { sizes } from "../catalog/defaults.ts";
import { cutText } from "./text/visible.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "logfmt" | "json";

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export function createLogger(
  level: LogLevel,
  format: LogFormat,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (logLevels.indexOf(lineLevel) < logLevels.indexOf(level)) return;
      const entry = Object.fromEntries(
        Object.entries({ time: new Date().toISOString(), level: lineLevel, msg: message, ...fields }).map(
          ([key, value]) => [key, typeof value === "string" ? cutText(value, sizes.logField) : value],
        ),
      );
      write(`${format === "json" ? JSON.stringify(entry) : logfmt(entry)}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function logfmt(entry: Fields): string {
  return Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${/^[^\s="]+$/.test(String(value)) ? value : JSON.stringify(String(value))}`)
    .join(" ");
}
