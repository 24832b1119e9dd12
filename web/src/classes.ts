// Classes of values, as lib/claimatlas/atlas/classes.py makes them.
import { FACTOR, decimal, name, say } from "./format";
import type { Uncertainty, View } from "./state";
import type { Cell, Unit } from "./types";

const MAX_CLASSES = 7;
export const STATE_LOOKS = { hidden: "s-hidden", nobody: "s-nobody", not_computable: "s-not-computable" } as const;

export interface Classes {
  decimals: number;
  low: number;
  high: number;
  breaks: number[];
}

export function classesOf(numbers: number[] | undefined): Classes | undefined {
  if (!numbers) return undefined;
  const [decimals, low, high, ...breaks] = numbers as [number, number, number, ...number[]];
  return { decimals, low, high, breaks };
}

const colour = (classes: Classes, index: number): number =>
  classes.breaks.length ? halfEven((index * (MAX_CLASSES - 1)) / classes.breaks.length) : 3;

/** Python's round: a half goes to the even neighbour. */
function halfEven(number: number): number {
  const down = Math.floor(number);
  return number - down === 0.5 ? down + (down % 2) : Math.round(number);
}

export function classOf(classes: Classes, value: number): string {
  const step = 10 ** (4 - classes.decimals);
  const shown = Math.floor((value + step / 2) / step) * step;
  return `c${colour(classes, classes.breaks.filter((one) => one <= shown).length)}`;
}

/** The class of the style sheet that a cell is drawn with in a view. */
export function look(cell: Cell | undefined, view: View, classes: Classes | undefined): string {
  if (!cell) return "s-absent";
  if (cell.state !== "value") return STATE_LOOKS[cell.state];
  if (view === "comparison") return cell.comparison ? `k-${cell.comparison}` : "s-absent";
  if (view === "trend") return cell.trend ? { falling: "k-lower", none: "k-similar", rising: "k-higher" }[cell.trend] : "s-absent";
  return classes && cell.value !== undefined ? classOf(classes, cell.value) : "s-absent";
}

export function patternOf(css: string, id: string): string | undefined {
  const pattern = { "s-hidden": "hidden", "s-not-computable": "dots", "u-hatch": "few" }[css];
  return pattern && `url(#${id}-${pattern})`;
}

export interface LegendOf {
  view: View;
  unit: Unit;
  classes: Classes | undefined;
  /** The states that are there. */
  states: Set<string>;
  /** How uncertain figures are marked; none where there are none. */
  uncertainty: Uncertainty;
}

/** The legend of a view: look and text of each row, the states last. */
export function legend({ view, unit, classes, states, uncertainty }: LegendOf): [string, string][] {
  const rows: [string, string][] = [];
  if (view === "map" && classes) {
    const step = 10 ** (4 - classes.decimals);
    for (let index = 0; index <= classes.breaks.length; index++) {
      const first = classes.breaks[index - 1] ?? Math.floor((classes.low + step / 2) / step) * step;
      const last = (classes.breaks[index] ?? Math.floor((classes.high + step / 2) / step) * step + step) - step;
      const [low, high] = [decimal(first, classes.decimals), decimal(last, classes.decimals)];
      rows.push([`c${colour(classes, index)}`, say(`unit_value.${unit}`, { value: first === last ? low : say("range", { low, high }) })]);
    }
  } else if (view === "comparison") {
    for (const one of ["lower", "similar", "higher"]) rows.push([`k-${one}`, name("comparison", one)]);
  } else if (view === "trend") {
    rows.push(["k-lower", name("trend", "falling")], ["k-similar", name("trend", "none")], ["k-higher", name("trend", "rising")]);
  }
  if (uncertainty !== "none") rows.push([uncertainty === "hatch" ? "u-hatch" : "c4 faded", say("app.few")]);
  for (const [state, css] of Object.entries(STATE_LOOKS)) rows.push([css, say(`state.${state}`)]);
  if (states.has("absent")) rows.push(["s-absent", say("state_meaning.absent")]);
  return rows;
}

export const scaled = (number: number): number => Math.round(number * FACTOR);
