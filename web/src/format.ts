// Texts and numbers, written as the pages of Python write them: marks from the data, rounded half up.
import { texts } from "./data";
import type { Cell, Unit } from "./types";

export const FACTOR = 10_000;

export function say(key: string, values: Record<string, string | number> = {}): string {
  const text = texts().texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The name of a declared thing: itself where no text has one. */
export function name(kind: string, word: string): string {
  return texts().texts[`${kind}.${word}`] ?? word;
}

export function plural(level: string): string {
  return texts().texts[`level_plural.${level}`] ?? name("level", level);
}

/** A whole number of the fourth decimal with so many decimals. */
export function decimal(scaled: number, decimals: number): string {
  const step = 10 ** (4 - decimals);
  const shown = Math.floor((scaled + step / 2) / step);
  const whole = Math.floor(shown / 10 ** decimals);
  const grouped = String(whole).replace(/\B(?=(\d{3})+$)/g, texts().group);
  return decimals ? `${grouped}${texts().decimal}${String(shown % 10 ** decimals).padStart(decimals, "0")}` : grouped;
}

export const count = (number: number): string => decimal(Math.round(number) * FACTOR, 0);

/** A part of a whole in percent, without decimals; what is not nothing is never 0 %. */
export function share(part: number, whole: number): string {
  const percent = (number: number) => say("unit_value.percent", { value: decimal(number, 0) });
  if (part && 200 * part < whole) return say("unit_value.below", { value: percent(FACTOR) });
  return percent(whole ? (100 * part * FACTOR) / whole : 0);
}

const decimalsOf = (unit: Unit): number => (unit === "count" ? 0 : 1);

export function value(unit: Unit, scaled: number): string {
  return say(`unit_value.${unit}`, { value: decimal(scaled, decimalsOf(unit)) });
}

export function range(unit: Unit, low: number, high: number): string {
  const bounds = say("range", { low: decimal(low, decimalsOf(unit)), high: decimal(high, decimalsOf(unit)) });
  return say(`unit_value.${unit}`, { value: bounds });
}

/** What a reader sees in place of a figure, in each of its states. */
export function figure(unit: Unit, cell: Cell | undefined): string {
  if (!cell) return say("state.absent");
  return cell.state === "value" && cell.value !== undefined ? value(unit, cell.value) : say(`state.${stateSaid(cell)}`);
}

/** What the texts call a state: of a standardised rate it may be a stratum that nobody is in. */
const stateSaid = (cell: Cell): string => (cell.state === "nobody" && cell.denominator ? "empty_stratum" : cell.state);

/** Where a hidden value lies; empty where nothing is known. */
export function bounds(unit: Unit, cell: Cell | undefined): string {
  if (cell?.state !== "hidden" || cell.low === undefined) return "";
  if (cell.high === undefined) return say("bounds_from", { low: value(unit, cell.low) });
  return range(unit, cell.low, cell.high);
}

export function interval(unit: Unit, cell: Cell | undefined): string {
  return cell?.state === "value" && cell.low !== undefined && cell.high !== undefined
    ? range(unit, cell.low, cell.high)
    : "";
}

/** Everything that is told of a figure, in sentences. */
export function told(unit: Unit, cell: Cell | undefined, country: string): string[] {
  if (!cell) return [say("state_meaning.absent")];
  if (cell.state === "hidden") {
    const within = bounds(unit, cell);
    return [say(within ? "hidden_between" : "hidden", { k: texts().k, bounds: within })];
  }
  if (cell.state !== "value") return [say(`state_meaning.${stateSaid(cell)}`)];
  const parts: string[] = [];
  const between = interval(unit, cell);
  if (between) parts.push(say("app.interval", { interval: between }));
  if (unit !== "count" && cell.numerator !== undefined && cell.denominator !== undefined)
    parts.push(say("app.counts", { numerator: count(cell.numerator), denominator: count(cell.denominator) }));
  if (cell.comparison) parts.push(say(`comparison_long.${cell.comparison}`, { country }));
  if (cell.trend) parts.push(`${say("app.by_trend")}: ${name("trend", cell.trend)}`);
  if (cell.few) parts.push(say("app.few"));
  if (cell.provisional) parts.push(say("status.provisional"));
  return parts;
}
