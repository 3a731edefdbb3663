// A curve in one line of text.

const bars = "▁▂▃▄▅▆▇█";

/** As many bars as asked for, each the mean of its part; what moves by less than a tenth of the level looks level. */
export function sparkline(values: readonly number[], width = 40): string {
  const known = values.filter((value) => !Number.isNaN(value));
  const count = Math.min(width, known.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = known.slice(Math.floor((i * known.length) / count), Math.floor(((i + 1) * known.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const range = Math.max(high - low, high / 10);
  return means
    .map((mean) => bars[Math.min(bars.length - 1, Math.floor(((mean - low) / range) * bars.length))])
    .join("");
}
