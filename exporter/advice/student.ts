// Student's t distribution with whole degrees of freedom.

/**
 * Probability that t is at most `value`.
 * The finite series of Abramowitz and Stegun 26.7.3 and 26.7.4, https://personal.math.ubc.ca/~cbm/aands/page_948.htm
 */
export function studentCdf(value: number, degrees: number): number {
  const angle = Math.atan(value / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < degrees; k += 2) {
    term *= (square * (k - 1)) / k;
    sum += term;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return 0.5 + within / 2;
}

/** The value below which t lies with this probability, from .5 to .9999. */
export function studentQuantile(probability: number, degrees: number): number {
  return bisect((value) => studentCdf(value, degrees) < probability, 0, 10_000);
}

/** Where `isBelow` turns from true to false between two numbers; the lower of them where it is never true. */
export function bisect(isBelow: (value: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return low;
}
