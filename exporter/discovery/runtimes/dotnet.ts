// The hard limit of .NET's heap. Beyond it an allocation throws, and a program that does not catch that aborts.
//   DOTNET_GCHeapHardLimit=C800000         hexadecimal, also with 0x in front; COMPlus_GCHeapHardLimit in older versions
//   DOTNET_GCHeapHardLimitPercent=32       hexadecimal too: 50 % of the container's limit, else of the machine's memory
// Without either it is three quarters of the container's limit, at least 20 MiB; without a container's limit there is none.
// https://learn.microsoft.com/en-us/dotnet/core/runtime-config/garbage-collector

import { MiB } from "../../../catalog/defaults.ts";
import { aborted, type HeapLimitSource, type HeapSetting, type HeapSize } from "./heap-limit.ts";

export interface DotnetEnvironment {
  /** In bytes. */
  readonly limit?: number;
  readonly percent?: number;
  /** A limit for each part of the heap: those count instead. */
  readonly hasParts?: true;
  /** Official images say that they are some: then a program may be a .NET program under a name of its own. */
  readonly isImage?: true;
}

/** By the names of variables, which have either prefix. */
export function readDotnetVariables(variable: (name: string) => string | undefined): DotnetEnvironment {
  const setting = (name: string) => variable(`DOTNET_${name}`) ?? variable(`COMPlus_${name}`);
  const limit = hexadecimal(setting("GCHeapHardLimit"));
  const percent = hexadecimal(setting("GCHeapHardLimitPercent"));
  const parts = ["SOH", "LOH", "POH"].flatMap((part) => [`GCHeapHardLimit${part}`, `GCHeapHardLimit${part}Percent`]);
  return {
    ...(limit ? { limit } : {}),
    ...(percent && percent <= 100 ? { percent } : {}),
    ...(parts.some((name) => setting(name) !== undefined) ? { hasParts: true as const } : {}),
    ...(variable("DOTNET_RUNNING_IN_CONTAINER") === undefined ? {} : { isImage: true as const }),
  };
}

export function dotnetSetting({ limit, percent, hasParts }: DotnetEnvironment): HeapSetting | undefined {
  if (hasParts) return undefined;
  if (limit !== undefined) return setting({ bytes: limit }, "environment");
  if (percent !== undefined) return setting({ share: percent / 100 }, "environment");
  return setting({ share: 0.75, ofLimit: true, atLeast: 20 * MiB }, "default");
}

const setting = (size: HeapSize, source: HeapLimitSource): HeapSetting => ({
  runtime: "dotnet",
  source,
  kind: "hard",
  exitCodes: [aborted],
  size,
});

const hexadecimal = (text = "") => (/^(?:0x)?[\da-f]{1,13}$/i.test(text) ? Number.parseInt(text, 16) : undefined);

/** The runtime names its threads, and has some in every program. */
export const isDotnetThread = (comm: string): boolean => comm.startsWith(".NET ");
