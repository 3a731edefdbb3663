// Numbers as people read them.

/** `13.4 MiB`; three significant digits. */
export function humanBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${bytes < 0 ? "−" : ""}${value.toFixed(digits)} ${units[unit]}`;
}

/** Bytes per second as `+1.40 MiB`, per hour; `0 B` for less than the smallest step of memory. */
export function humanGrowth(bytesPerSecond: number): string {
  const perHour = bytesPerSecond * 3600;
  if (Math.abs(perHour) < 4096) return "0 B";
  return `${perHour > 0 ? "+" : ""}${humanBytes(perHour)}`;
}

/** `3 d 4 h`, `12 min`, `8 s`: the two largest units that matter. */
export function humanDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return `${minutes} min`;
  return `${whole} s`;
}

/** `42 %`, `0.3 %`. */
export function humanShare(share: number): string {
  const percent = share * 100;
  return `${percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}
