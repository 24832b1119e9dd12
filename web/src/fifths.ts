// Differences between places: the members of a level in five equal parts by the value of where they live.
import type { Named } from "./charts";
import { FACTOR } from "./format";
import type { Unit } from "./types";

const PARTS = 5;
const FEWEST = 10;

/** What a numerator over its denominator is multiplied by; a count is not divided, and a median follows from no sums. */
const SCALES: Record<Exclude<Unit, "count" | "median">, number> = { percent: 100, per_100: 100, per_1000: 1_000, per_100000: 100_000, mean: 1, mean_nights: 1 };

export interface Fifths {
  /** Values from the lowest to the highest part, whole numbers of the fourth decimal. */
  values: number[];
  ratio: number | undefined;
  shown: number;
}

/** Undefined where counts are hidden or places are few. A place belongs to the part that its middle member is in. */
export function fifths(rows: Named[], unit: Unit): Fifths | undefined {
  const known = rows
    .flatMap(({ cell }) =>
      cell?.state === "value" && cell.value !== undefined && cell.numerator !== undefined && cell.denominator
        ? [{ value: cell.value, numerator: cell.numerator, denominator: cell.denominator }]
        : [],
    )
    .sort((a, b) => a.value - b.value);
  if (unit === "count" || unit === "median" || known.length < FEWEST) return undefined;
  const total = known.reduce((sum, one) => sum + one.denominator, 0);
  const sums = Array.from({ length: PARTS }, () => ({ numerator: 0, denominator: 0 }));
  let before = 0;
  for (const one of known) {
    const part = Math.min(PARTS - 1, Math.floor(((before + one.denominator / 2) / total) * PARTS));
    const sum = sums[part] as { numerator: number; denominator: number };
    sum.numerator += one.numerator;
    sum.denominator += one.denominator;
    before += one.denominator;
  }
  if (sums.some((sum) => !sum.denominator)) return undefined;
  const values = sums.map((sum) => Math.round((SCALES[unit] * FACTOR * sum.numerator) / sum.denominator));
  const [lowest, highest] = [values[0] as number, values[PARTS - 1] as number];
  return { values, ratio: lowest ? highest / lowest : undefined, shown: known.length };
}
