// Outlines of every level and vintage as unions of the parts of one topology.
import { mergeArcs } from "topojson-client";
import type { GeometryCollection, MultiPolygon, Polygon, Topology } from "topojson-specification";
import { topology } from "./data";

export interface Shape {
  code: string;
  d: string;
  /** The middle of the largest ring's box, for going from place to place. */
  x: number;
  y: number;
}

type Point = [number, number];
interface Decoded {
  topology: Topology;
  parts: Polygon[];
}

let decoded: Decoded | undefined;
const shapes = new Map<string, Shape[]>();

function decode(): Decoded | undefined {
  const file = topology();
  if (decoded || !file) return decoded;
  const arcs = file.arcs.map((steps) => {
    const points: Point[] = [];
    let x = 0;
    let y = 0;
    for (let at = 0; at < steps.length; at += 2) {
      x += steps[at] as number;
      y += steps[at + 1] as number;
      points.push([x, y]);
    }
    return points;
  });
  // A multi-polygon with one ring each: rings are filled by the even-odd rule, so a hole needs no owner.
  const parts = file.parts.map((rings) => ({ type: "MultiPolygon", arcs: rings.map((ring) => [ring]) }) as MultiPolygon);
  const collection: GeometryCollection = { type: "GeometryCollection", geometries: parts };
  decoded = { topology: { type: "Topology", arcs, objects: { parts: collection } }, parts: parts as unknown as Polygon[] };
  return decoded;
}

/** The first year of the vintage that a year's outlines are of. */
export function vintageOf(year: number): string {
  const years = Object.keys(topology()?.vintages ?? {}).map(Number).sort((a, b) => a - b);
  return String(years.filter((first) => first <= year).pop() ?? years[0]);
}

function unpacked(runs: number[]): number[] {
  const found: number[] = [];
  for (let at = 0; at < runs.length; at += 2)
    for (let times = runs[at + 1] as number; times > 0; times--) found.push(runs[at] as number);
  return found;
}

function drawn(arcs: number[][][], all: Point[][]): Omit<Shape, "code"> {
  let d = "";
  let most = -1;
  let middle: Point = [0, 0];
  for (const ring of arcs.flat()) {
    let first = true;
    let [px, py] = [0, 0];
    let [west, east, north, south] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const arc of ring) {
      const points = all[arc < 0 ? ~arc : arc] as Point[];
      for (let at = 0; at < points.length; at++) {
        const [x, y] = points[arc < 0 ? points.length - 1 - at : at] as Point;
        if (first) d += `M${x},${y}l`;
        else if (at > 0) d += `${x - px} ${y - py} `;
        first = false;
        [px, py] = [x, y];
        west = Math.min(west, x);
        east = Math.max(east, x);
        north = Math.min(north, y);
        south = Math.max(south, y);
      }
    }
    d += "z";
    if ((east - west) * (south - north) > most) {
      most = (east - west) * (south - north);
      middle = [(west + east) / 2, (north + south) / 2];
    }
  }
  return { d, x: middle[0], y: middle[1] };
}

/** The outlines of a level in the codes of a year; empty where there are none. */
export function outlines(level: string, year: number): Shape[] {
  const all = decode();
  const vintage = vintageOf(year);
  const units = topology()?.vintages[vintage]?.[level];
  if (!all || !units) return [];
  const key = `${vintage} ${level}`;
  let found = shapes.get(key);
  if (!found) {
    const members: Polygon[][] = units.codes.map(() => []);
    unpacked(units.of).forEach((unit, part) => {
      if (unit >= 0) members[unit]?.push(all.parts[part] as Polygon);
    });
    found = units.codes.map((code, unit) => {
      const merged = mergeArcs(all.topology, members[unit] as Polygon[]);
      return { code, ...drawn(merged.arcs as number[][][], all.topology.arcs as Point[][]) };
    });
    shapes.set(key, found);
  }
  return found;
}
