import { healthyLike } from "./like/healthy.ts";
import { leaksLike } from "./like/leaks.ts";
import { healthyOther } from "./other/healthy.ts";
import { leaksOther } from "./other/leaks.ts";
import type { Family } from "./service.ts";
import { wide } from "./wide/families.ts";

export const sets = {
  /** The families of the corpus, drawn anew. */
  like: [...leaksLike, ...healthyLike],
  /** Services that behave in ways the corpus does not have. */
  other: [...leaksOther, ...healthyOther],
  /** All sizes and speeds, from minutes on; with limits of heaps. */
  wide,
} satisfies Record<string, readonly Family[]>;

export function isSetName(name: string): name is keyof typeof sets {
  return Object.hasOwn(sets, name);
}
