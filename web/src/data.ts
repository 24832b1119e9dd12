// Data files: scripts that push [key, value]; the page loads some, this module the rest.
import type { Block, Cell, Index, PlaceRow, PlacesFile, State, Texts, TopologyFile } from "./types";

const store = new Map<string, unknown>();
const waiting = new Map<string, Promise<void>>();

interface Queue {
  push(entry: [string, unknown]): unknown;
}

/** Takes what was loaded before this script, and what comes after it. */
export function start(): void {
  const holder = self as unknown as { claimatlas?: [string, unknown][] | Queue };
  const before = Array.isArray(holder.claimatlas) ? holder.claimatlas : [];
  for (const [key, value] of before) store.set(key, value);
  holder.claimatlas = { push: ([key, value]: [string, unknown]) => store.set(key, value) };
}

export function loaded<T>(key: string): T | undefined {
  return store.get(key) as T | undefined;
}

/** Loads a data file by a script element, once. */
export function load(root: string, key: string): Promise<void> {
  if (store.has(key)) return Promise.resolve();
  let promise = waiting.get(key);
  if (!promise) {
    promise = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const file = `data/${key}.js`;
      script.src = root + file;
      script.onload = () => resolve();
      script.onerror = () => {
        waiting.delete(key);
        reject(new Error(file));
      };
      document.head.append(script);
    });
    waiting.set(key, promise);
  }
  return promise;
}

export const texts = (): Texts => loaded<Texts>("texts") as Texts;
export const places = (): PlacesFile => loaded<PlacesFile>("places") as PlacesFile;
export const topology = (): TopologyFile | undefined => loaded<TopologyFile>("topology");
export const indexOf = (indicator: string): Index => loaded<Index>(`${indicator}/index`) as Index;

/** The places of a level in the codes of a year. */
export function placesOf(level: string, year: number): PlaceRow[] {
  const { vintages, of } = places();
  return vintages[of[year] ?? vintages.length - 1]?.[level] ?? [];
}

const positions = new WeakMap<PlaceRow[], Map<string, number>>();

export function positionOf(level: string, year: number, code: string): number {
  const rows = placesOf(level, year);
  let map = positions.get(rows);
  if (!map) {
    map = new Map(rows.map((row, position) => [row[0], position]));
    positions.set(rows, map);
  }
  return map.get(code) ?? -1;
}

export function placeOf(level: string, year: number, code: string): PlaceRow | undefined {
  return placesOf(level, year)[positionOf(level, year, code)];
}

/** The level that a code belongs to, the smallest first; undefined where no level has it. */
export function levelOf(code: string, year: number): string | undefined {
  return [...places().levels].reverse().find((level) => positionOf(level, year, code) >= 0);
}

/** The larger places that a place lies in, from the smallest. */
export function parentsOf(level: string, year: number, code: string): [string, PlaceRow][] {
  const found: [string, PlaceRow][] = [];
  let row = placeOf(level, year, code);
  while (row?.[2] && row[3]) {
    const parent: string = row[2];
    row = placeOf(parent, year, row[3]);
    if (row) found.push([parent, row]);
  }
  return found;
}

const STATES: Record<string, State> = { v: "value", h: "hidden", "0": "nobody", n: "not_computable" };
const COMPARISONS = { l: "lower", s: "similar", h: "higher" } as const;
const TRENDS = { r: "rising", f: "falling", n: "none" } as const;

const number = (value: number | undefined): number | undefined => (value === undefined || value < 0 ? undefined : value);

function cellOf(block: Block, at: number, code: string): Cell | undefined {
  const state = STATES[block.state[at] ?? "-"];
  if (!state) return undefined;
  return {
    code,
    state,
    numerator: number(block.n[at]),
    denominator: number(block.d[at]),
    value: number(block.v[at]),
    low: number(block.l[at]),
    high: number(block.h[at]),
    comparison: COMPARISONS[block.comparison[at] as "l"],
    trend: TRENDS[block.trend[at] as "r"],
    few: block.reliability[at] === "l",
    provisional: block.status[at] === "p",
  };
}

/** Which group of dimensions a choice of values is in, and the values in the file's order. */
export function groupOf(split: Record<string, string>, dimensions: string[]): { group: string; values: string[] } {
  const used = dimensions.filter((name) => split[name]);
  return { group: used.join("+") || "total", values: used.map((name) => split[name] as string) };
}

/** A file's cells of a level and split, by code; undefined where the file is not loaded or has none. */
export function cellsOf(
  indicator: string,
  group: string,
  values: string[],
  year: number,
  level: string,
): Map<string, Cell> | undefined {
  const block = loaded<Record<string, Block>>(`${indicator}/${group}-${year}`)?.[level];
  const split = block?.s.findIndex((one) => one.every((value, at) => value === values[at])) ?? -1;
  if (!block || split < 0) return undefined;
  const rows = placesOf(level, year);
  const found = new Map<string, Cell>();
  rows.forEach(([code], at) => {
    const cell = cellOf(block, split * rows.length + at, code);
    if (cell) found.set(code, cell);
  });
  return found;
}

/** The cell of one place. */
export function cellAt(
  indicator: string,
  group: string,
  values: string[],
  year: number,
  level: string,
  code: string,
): Cell | undefined {
  const block = loaded<Record<string, Block>>(`${indicator}/${group}-${year}`)?.[level];
  const split = block?.s.findIndex((one) => one.every((value, at) => value === values[at])) ?? -1;
  const at = positionOf(level, year, code);
  return block && split >= 0 && at >= 0 ? cellOf(block, split * placesOf(level, year).length + at, code) : undefined;
}
