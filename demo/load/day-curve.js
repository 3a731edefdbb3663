// How much is going on at an hour of the day: the shape of many a service's traffic. Nearly nothing from midnight to seven, a
// first peak before noon, the highest in the evening.

const points = [
  [0, 0.02],
  [7, 0.02],
  [9, 0.3],
  [11.5, 0.8],
  [13.5, 0.6],
  [17, 0.75],
  [20, 1],
  [22, 0.5],
  [24, 0.02],
];

/** Share of the day's peak at an hour, 0 to 24; later hours are those of the next days. */
export function shareOfPeak(hour) {
  const time = ((hour % 24) + 24) % 24;
  const next = points.findIndex(([end]) => time < end);
  const [[from, low], [to, high]] = [points[next - 1], points[next]];
  return low + ((time - from) / (to - from)) * (high - low);
}

/** "14:05" */
export function clock(hour) {
  const minutes = Math.floor((hour % 24) * 60 + 1e-6);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
