// What the data files hold: see lib/claimatlas/atlas/data_files.py.

export interface Texts {
  language: string;
  decimal: string;
  group: string;
  release: number;
  draft: boolean;
  synthetic: boolean;
  k: number;
  outlines: boolean;
  indicators: Record<string, { title: string; unit: Unit }>;
  texts: Record<string, string>;
}

export type Unit = "percent" | "per_100" | "per_1000" | "per_100000" | "mean" | "mean_nights" | "median" | "count";

/** Code, name, and level and code of the next larger place. */
export type PlaceRow = [string, string, string?, string?];

/** Successor, last year, names. */
export type Ended = [string, number, ...string[]];

export interface PlacesFile {
  levels: string[];
  country: string;
  smallest: string;
  vintages: Record<string, PlaceRow[]>[];
  of: Record<string, number>;
  others: Record<string, Record<string, string[]>>;
  /** By old code. */
  ended: Record<string, Ended>;
  /** Code and names of each hospital that has a page, and the ended ids. */
  hospitals: { open: [string, string, ...string[]][]; ended: Record<string, Ended> };
}

export interface Index {
  unit: Unit;
  standardised: boolean;
  final: number;
  values: Record<string, string[]>;
  /** By group and year: the levels. */
  groups: Record<string, Record<string, string[]>>;
  /** By group and level: decimals, least and largest value, breaks. */
  classes: Record<string, Record<string, number[]>>;
}

export interface Block {
  s: string[][];
  n: number[];
  d: number[];
  v: number[];
  l: number[];
  h: number[];
  state: string;
  comparison: string;
  trend: string;
  reliability: string;
  status: string;
}

export interface TopologyFile {
  attribution: string;
  width: number;
  height: number;
  vintages: Record<string, Record<string, { codes: string[]; of: number[] }>>;
  parts: number[][][];
  arcs: number[][];
}

export type State = "value" | "hidden" | "nobody" | "not_computable";

/** One published figure; numbers are whole numbers of the fourth decimal, undefined where there is none. */
export interface Cell {
  code: string;
  state: State;
  numerator: number | undefined;
  denominator: number | undefined;
  value: number | undefined;
  low: number | undefined;
  high: number | undefined;
  comparison: "lower" | "similar" | "higher" | undefined;
  trend: "rising" | "falling" | "none" | undefined;
  few: boolean;
  provisional: boolean;
}
