// The view, and the fragment of the address that keeps it: #y=2023&l=municipality&s=age:25-29&p=62063,21004&v=map&z=4,100,200

import { type Zoom, readZoom, written } from "./zoom";

export type View = "map" | "comparison" | "trend";
export type Uncertainty = "none" | "fade" | "hatch";

export interface ViewState {
  year: number;
  level: string;
  split: Record<string, string>;
  chosen: string[];
  view: View;
  uncertainty: Uncertainty;
  zoom: Zoom;
}

const VIEWS: View[] = ["map", "comparison", "trend"];
const UNCERTAINTIES: Uncertainty[] = ["none", "fade", "hatch"];
export const MAX_CHOSEN = 6;

export function write(state: ViewState): string {
  const splits = Object.entries(state.split).filter(([, value]) => value);
  const parts: [string, string][] = [
    ["y", String(state.year)],
    ["l", state.level],
    ["s", splits.map(([name, value]) => `${name}:${value}`).join(",")],
    ["p", state.chosen.join(",")],
    ["v", state.view],
    ["u", state.uncertainty === "none" ? "" : state.uncertainty],
    ["z", written(state.zoom)],
  ];
  const encode = (text: string) => encodeURIComponent(text).replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2B/g, "+");
  return `#${parts
    .filter(([, text]) => text)
    .map(([key, text]) => `${key}=${encode(text)}`)
    .join("&")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A fragment that somebody cut in the middle of a sign.
  }
}

/** What a fragment says; a dimension may be shortened to its beginning (age:25-29 is age_category:25-29). */
export function read(fragment: string, dimensions: string[]): Partial<ViewState> {
  const given = new Map<string, string>();
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) given.set(part.slice(0, at), decoded(part.slice(at + 1)));
  }
  const found: Partial<ViewState> = {};
  const year = Number(given.get("y"));
  if (Number.isInteger(year) && year > 0) found.year = year;
  const level = given.get("l");
  if (level) found.level = level;
  const split: Record<string, string> = {};
  for (const one of (given.get("s") ?? "").split(",")) {
    const at = one.indexOf(":");
    const dimension = dimensions.find((known) => known === one.slice(0, at)) ?? dimensions.find((known) => at > 0 && known.startsWith(one.slice(0, at)));
    if (dimension && at > 0) split[dimension] = one.slice(at + 1);
  }
  found.split = split;
  found.chosen = [...new Set((given.get("p") ?? "").split(",").filter(Boolean))].slice(0, MAX_CHOSEN);
  const view = VIEWS.find((one) => one === given.get("v"));
  if (view) found.view = view;
  const uncertainty = UNCERTAINTIES.find((one) => one === given.get("u"));
  if (uncertainty) found.uncertainty = uncertainty;
  if (given.has("z")) found.zoom = readZoom(given.get("z"));
  return found;
}
