// For the tests.
export function shareOfPeak(hour: number): number;
export function clock(hour: number): string;
