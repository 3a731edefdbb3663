// Durations as Prometheus writes them: 1h30m, 1w, 500ms.

const secondsPer: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** Seconds; 0 where there is no duration in the text. */
export function parseDuration(text: string): number {
  let seconds = 0;
  // a number is begun at its first digit only, so that a long one without a unit takes no longer
  for (const [, n, unit = ""] of text.matchAll(/(?<!\d)(\d+)(ms|[smhdwy])/g)) {
    seconds += Number(n) * (secondsPer[unit] ?? 0);
  }
  return seconds;
}
