// Durations as Prometheus writes them: `1h30m`.

const secondsPer: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** Seconds; undefined for what is no duration. */
export function durationSeconds(text: string): number | undefined {
  if (!/^(?:\d{1,15}(?:ms|[smhdwy])){1,8}$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    seconds += Number(n) * (secondsPer[unit as string] as number);
  }
  return seconds;
}
