// Scales and marks of axes.

export interface Scale {
  (value: number): number;
  low: number;
  high: number;
}

export function scale(low: number, high: number, start: number, end: number): Scale {
  const span = high - low || 1;
  return Object.assign((value: number) => start + ((value - low) / span) * (end - start), { low, high });
}

export function ticks(low: number, high: number, about = 5): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / about));
  const step = [1, 2, 5, 10].map((factor) => power * factor).find((one) => one >= span / about) ?? power * 10;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

/** The least that an axis spans, as a part of the greatest value. */
const LEAST_SPAN = 0.02;

/** From 0 unless that would flatten what is to be seen. */
export function domain(values: number[]): number[] {
  let low = Math.min(...values);
  let high = Math.max(...values);
  // A change of next to nothing looks like it.
  const lacking = Math.max(0, LEAST_SPAN * (Math.abs(high) || 1) - (high - low)) / 2;
  [low, high] = [low >= 0 ? Math.max(0, low - lacking) : low - lacking, high + lacking];
  return ticks(low < high / 2 ? 0 : low, high);
}

/** The decimals that tell marks apart, of whole numbers of the fourth decimal. */
export function decimalsOf(marks: number[]): number {
  if (marks.every((mark) => mark % 10_000 === 0)) return 0;
  const step = ((marks[1] ?? 0) - (marks[0] ?? 0)) / 10_000;
  return Math.min(4, Math.max(1, -Math.floor(Math.log10(step * 1.0000001))));
}

export const path = (points: [number, number][], closed = false): string =>
  points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("") + (closed ? "Z" : "");
