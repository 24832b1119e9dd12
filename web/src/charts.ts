// Map and charts, drawn anew for the view; the same looks as the static ones of Python.
import { html } from "htm/preact";
import { Component, type ComponentChildren } from "preact";
import type { Shape } from "./geometry";
import { type Classes, classOf, patternOf } from "./classes";
import { texts } from "./data";
import { count, decimal, figure, say, value } from "./format";
import { decimalsOf, domain, path, scale, ticks } from "./scales";
import type { Cell, Unit } from "./types";
import { type Zoom, viewBox } from "./zoom";

let WIDTH = 480;
let PLACE = 0;

const HEIGHT = 270;
const LEFT = 54;
const RIGHT = 26;
const TOP = 14;
const BOTTOM = 30;
const MANY = 60;
const Z = { "limit-95": 1.959964, "limit-998": 3.090232 };

/** Fits the charts to a place: on a narrow one they have fewer units, so that their text stays as large. */
export function fit(width: number): void {
  WIDTH = width > 0 && width < 440 ? 330 : 480;
  PLACE = width;
}

export interface Named {
  code: string;
  name: string;
  cell: Cell | undefined;
}

type Markup = ComponentChildren;

/** The patterns of states; `times`: how many units of the drawing a picture unit has. */
export function hatching(id: string, times = 1): Markup {
  const transform = times === 1 ? undefined : `scale(${times})`;
  return html`<defs>
    <pattern id="${id}-hidden" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform=${transform}>
      <rect width="7" height="7" class="hatch-ground" />
      <path d="M-1,1l2,-2M0,7l7,-7M6,8l2,-2" class="hatch-line" />
    </pattern>
    <pattern id="${id}-dots" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform=${transform}>
      <rect width="6" height="6" class="hatch-ground" />
      <circle cx="3" cy="3" r="1.1" class="hatch-dot" />
    </pattern>
    <pattern id="${id}-few" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform=${transform}>
      <path d="M2,2l4,4M6,2l-4,4" class="few-line" />
    </pattern>
  </defs>`;
}

const band = (x: number, y: number): Markup =>
  texts().synthetic ? html`<text x=${x} y=${y} class="t-band" text-anchor="end">${say("band.synthetic")}</text>` : null;

function frame(id: string, title: string, told: string, height: number, content: Markup): Markup {
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" width=${WIDTH} height=${height} class="chart live" role="img" aria-labelledby="${id}-title ${id}-desc" xmlns="http://www.w3.org/2000/svg">
    <title id="${id}-title">${title}</title><desc id="${id}-desc">${told}</desc>
    ${hatching(id)}${content}
  </svg>`;
}

function horizontals(marks: number[], y: (value: number) => number, whole = false): Markup {
  const decimals = whole ? 0 : decimalsOf(marks);
  return marks.map(
    (mark) => html`<path d="M${LEFT},${y(mark).toFixed(1)}H${WIDTH - RIGHT}" class="grid" />
      <text x=${LEFT - 6} y=${y(mark) + 4} class="t-tick" text-anchor="end">${decimal(mark, decimals)}</text>`,
  );
}

export interface MapProps {
  id: string;
  title: string;
  shapes: Shape[];
  size: [number, number];
  attribution: string;
  /** Names the outlines: others need a new drawing. */
  outlines: string;
  look: (code: string) => string;
  says: (code: string) => string;
  isFew: (code: string) => boolean;
  uncertainty: "none" | "fade" | "hatch";
  chosen: string[];
  borders: Shape[];
  zoom: Zoom;
}

/**
 * The places of a map. While the outlines stay, a change of view only rewrites what differs, without a comparison of trees.
 * Other outlines need another key: Preact does not know what was rewritten, and would leave it where it is.
 */
class Places extends Component<MapProps> {
  override shouldComponentUpdate(next: MapProps): boolean {
    const paths = (this.base as Element).children;
    next.shapes.forEach((shape, at) => {
      const attributes = attributesOf(next, shape);
      const path = paths[at] as Element;
      for (const [key, value] of Object.entries(attributes)) {
        if (value === undefined) path.removeAttribute(key);
        else if (path.getAttribute(key) !== value) path.setAttribute(key, value);
      }
    });
    return false;
  }

  render(props: MapProps): Markup {
    return html`<g class="places" fill-rule="evenodd" role="presentation">${props.shapes.map(
      (shape) => html`<path id="${props.id}-${shape.code}" data-code=${shape.code} d=${shape.d} role="option" ...${attributesOf(props, shape)} />`,
    )}</g>`;
  }
}

function attributesOf(props: MapProps, shape: Shape): Record<string, string | undefined> {
  const css = props.look(shape.code);
  const faded = props.uncertainty === "fade" && props.isFew(shape.code) ? " faded" : "";
  return {
    class: css + faded,
    fill: patternOf(css, props.id),
    "aria-selected": props.chosen.includes(shape.code) ? "true" : "false",
    "aria-label": props.says(shape.code),
  };
}

export function mapView(props: MapProps): Markup {
  const { id, shapes, size, uncertainty, zoom } = props;
  const [width, height] = size;
  // Patterns stay about as wide on a narrow screen and on an enlarged map.
  const times = (width / 860) * Math.max(1, Math.min(2.2, PLACE > 0 ? 600 / PLACE : 1)) / zoom[0];
  const over = (code: string, css: string) => {
    const shape = shapes.find((one) => one.code === code);
    return shape ? html`<path key=${code} d=${shape.d} class=${css} />` : null;
  };
  return html`<svg viewBox="0 0 ${width} ${height + 260}" width=${width / 10} height=${height / 10 + 26} class=${zoom[0] === 1 ? "map live" : `map live zoomed z${zoom[0]}`} xmlns="http://www.w3.org/2000/svg"
      role="listbox" aria-multiselectable="true" tabindex="0" aria-label="${props.title}. ${say("app.map_help")}">
    ${hatching(id, times)}
    <svg class="part" x="0" y="0" width=${width} height=${height} viewBox=${viewBox(zoom, size)}>
    <${Places} key=${props.outlines} ...${props} />
    ${uncertainty === "hatch" ? html`<g class="few" aria-hidden="true">${shapes.filter((shape) => props.isFew(shape.code)).map((shape) => html`<path d=${shape.d} fill="url(#${id}-few)" />`)}</g>` : null}
    <g class="borders" aria-hidden="true">${props.borders.map((shape) => html`<path d=${shape.d} />`)}</g>
    <g class="marks" aria-hidden="true">${props.chosen.map((code) => over(code, "chosen"))}</g>
    <path class="active" aria-hidden="true" />
    </svg>
    <text x="80" y=${height + 180} class="t-note" aria-hidden="true">${props.attribution}</text>
    ${texts().synthetic ? html`<text x=${width - 80} y=${height + 180} class="t-band" text-anchor="end" aria-hidden="true">${say("band.synthetic")}</text>` : null}
  </svg>`;
}

export interface Line {
  name: string;
  /** By year; undefined where there is no published cell. */
  points: [number, Cell | undefined][];
  css: string;
  isCountry: boolean;
}

const hasValue = (cell: Cell | undefined): cell is Cell & { value: number } => cell?.state === "value" && cell.value !== undefined;

/** Neighbouring years with a figure. */
function runs(points: [number, Cell | undefined][]): [number, Cell & { value: number }][][] {
  const found: [number, Cell & { value: number }][][] = [];
  let before = NaN;
  for (const [year, cell] of points) {
    if (!hasValue(cell)) continue;
    if (year !== before + 1) found.push([]);
    found[found.length - 1]?.push([year, cell]);
    before = year;
  }
  return found;
}

export function series(id: string, title: string, unit: Unit, lines: Line[], years: number[], now: number): Markup {
  const shown = lines.flatMap((line) => line.points.map(([, cell]) => cell).filter(hasValue));
  if (!shown.length) return null;
  const own = lines.filter((line) => !line.isCountry);
  const alone = own.length <= 1;
  const extent = shown.flatMap((cell) => [cell.value, ...(alone ? [cell.low ?? cell.value, cell.high ?? cell.value] : [])]);
  const marks = domain(extent);
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const x = scale(first === last ? first - 1 : first, first === last ? last + 1 : last, LEFT + 12, WIDTH - RIGHT - 12);
  const y = scale(marks[0] as number, marks[marks.length - 1] as number, HEIGHT - BOTTOM, TOP);
  const every = Math.ceil(years.length / Math.floor(WIDTH / 60));
  const gaps = alone ? (own[0] ?? lines[0])?.points.filter(([, cell]) => cell && cell.state !== "value") ?? [] : [];
  const looks = { hidden: "s-hidden", nobody: "s-nobody", not_computable: "s-not-computable", value: "" };
  const told = lines
    .map((line) => `${line.name}: ${line.points.filter(([, cell]) => cell).map(([year, cell]) => `${year} ${figure(unit, cell)}`).join(", ")}`)
    .join("; ");
  const content = html`${horizontals(marks, y)}
    <path d="M${x(now).toFixed(1)},${HEIGHT - BOTTOM}l-5,7h10z" class="now" />
    ${years.filter((_, at) => (years.length - 1 - at) % every === 0).map((year) => html`<text x=${x(year)} y=${HEIGHT - BOTTOM + 20} class=${year === now ? "t-tick now-year" : "t-tick"} text-anchor="middle">${year}</text>`)}
    ${gaps.map(([year, cell]) => {
      const css = looks[(cell as Cell).state];
      return html`<rect x=${x(year) - 5} y=${TOP} width="10" height=${HEIGHT - BOTTOM - TOP} class=${css} fill=${patternOf(css, id)}><title>${year}: ${figure(unit, cell)}</title></rect>`;
    })}
    ${lines.map((line) => {
      const parts = runs(line.points);
      const withBand = alone && (own.length ? !line.isCountry : true);
      return html`<g class=${line.css}>
        ${withBand ? parts.map((run) => {
          if (run.some(([, cell]) => cell.low === undefined || cell.high === undefined)) return null;
          if (run.length === 1) return run.map(([year, cell]) => html`<path d="M${x(year)},${y(cell.low as number)}V${y(cell.high as number)}" class="whisker" />`);
          const upper = run.map(([year, cell]): [number, number] => [x(year), y(cell.high as number)]);
          const lower = run.map(([year, cell]): [number, number] => [x(year), y(cell.low as number)]).reverse();
          return html`<path d=${path([...upper, ...lower], true)} class="interval" />`;
        }) : null}
        ${parts.map((run) => html`<path d=${path(run.map(([year, cell]) => [x(year), y(cell.value)]))} class=${line.isCountry && own.length ? "line-country" : "line"} />`)}
        ${line.isCountry && own.length ? null : parts.flat().map(([year, cell]) => html`<circle cx=${x(year)} cy=${y(cell.value)} r="3.5" class=${cell.provisional ? "dot-open" : "dot"}><title>${line.name}, ${year}: ${figure(unit, cell)}</title></circle>`)}
      </g>`;
    })}
    ${band(WIDTH - RIGHT, HEIGHT + 6)}`;
  return frame(id, title, told, HEIGHT + (texts().synthetic ? 16 : 0), content);
}

const shownOf = (rows: Named[]): (Named & { cell: Cell & { value: number } })[] =>
  rows.filter((row): row is Named & { cell: Cell & { value: number } } => hasValue(row.cell));

export function ranking(id: string, title: string, unit: Unit, rows: Named[], country: Cell | undefined, classes: Classes | undefined, chosen: string[]): Markup {
  const shown = shownOf(rows).sort((a, b) => b.cell.value - a.cell.value || (a.code < b.code ? -1 : 1));
  const [highest, lowest] = [shown[0], shown[shown.length - 1]];
  if (shown.length < 2 || !classes || !highest || !lowest) return null;
  const told = say("chart.ranking_desc", {
    places: shown.length,
    missing: rows.length - shown.length,
    highest: highest.name,
    highest_value: figure(unit, highest.cell),
    lowest: lowest.name,
    lowest_value: figure(unit, lowest.cell),
  });
  const extent = shown.flatMap(({ cell }) => [cell.value, cell.low ?? cell.value, cell.high ?? cell.value]);
  if (shown.length <= MANY) {
    const [row, left] = [19, WIDTH > 400 ? 184 : 132];
    const right = Math.max(76, 7.5 * Math.max(...shown.map(({ cell }) => figure(unit, cell).length)) + 8);
    const most = WIDTH > 400 ? 24 : 17;
    const high = Math.max(...extent);
    const x = scale(0, high, left, WIDTH - right);
    const bottom = row * shown.length + 8;
    const cut = (text: string) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
    return frame(id, title, told, bottom + 38, html`
      ${shown.map(({ code, name, cell }, at) => html`<g data-code=${code} class=${chosen.includes(code) ? "row chosen" : "row"}>
        <text x=${left - 6} y=${21 + at * row} class="t-label" text-anchor="end">${cut(name)}<title>${name}</title></text>
        <rect x=${left} y=${10 + at * row} width=${Math.max(1, x(cell.value) - left)} height=${row - 5} class="bar ${classOf(classes, cell.value)}" />
        ${cell.low !== undefined && cell.high !== undefined ? html`<path d="M${x(cell.low).toFixed(1)},${8 + at * row + row / 2}H${x(cell.high).toFixed(1)}" class="whisker" />` : null}
        <text x=${WIDTH - right + 6} y=${21 + at * row} class="t-value">${figure(unit, cell)}</text>
      </g>`)}
      ${hasValue(country) && country.value <= high ? html`<path d="M${x(country.value).toFixed(1)},4V${bottom}" class="line-country" /><text x=${x(country.value)} y=${bottom + 14} class="t-country" text-anchor="middle">${figure(unit, country)}</text>` : null}
      ${band(WIDTH - 8, bottom + 32)}`);
  }
  // Intervals of the smallest places reach far: they are cut at the frame, or all points would lie on one line.
  const marks = domain([...shown.map(({ cell }) => cell.value), ...(hasValue(country) ? [country.value] : [])]);
  const [bottom, top] = [marks[0] as number, marks[marks.length - 1] as number];
  const y = scale(bottom, top, HEIGHT - BOTTOM, TOP);
  const x = scale(0, shown.length - 1, WIDTH - RIGHT - 4, LEFT + 4);
  const whiskers = shown
    .map(({ cell }, at) => (cell.low !== undefined && cell.high !== undefined ? `M${x(at).toFixed(1)},${y(Math.max(cell.low, bottom)).toFixed(1)}V${y(Math.min(cell.high, top)).toFixed(1)}` : ""))
    .join("");
  return frame(id, title, told, HEIGHT + (texts().synthetic ? 16 : 0), html`${horizontals(marks, y)}
    <path d=${whiskers} class="whiskers" />
    ${shown.map(({ code, name, cell }, at) => html`<circle data-code=${code} cx=${x(at).toFixed(1)} cy=${y(cell.value).toFixed(1)} r=${chosen.includes(code) ? 5 : 2.2} class="point ${classOf(classes, cell.value)} ${chosen.includes(code) ? "chosen" : ""}"><title>${name}: ${figure(unit, cell)}</title></circle>`)}
    ${hasValue(country) ? html`<path d="M${LEFT},${y(country.value).toFixed(1)}H${WIDTH - RIGHT}" class="line-country" /><text x=${LEFT + 6} y=${y(country.value) - 5} class="t-country">${figure(unit, country)}</text>` : null}
    <text x=${LEFT} y=${HEIGHT - BOTTOM + 18} class="t-tick">${lowest.name}: ${figure(unit, lowest.cell)}</text>
    <text x=${WIDTH - RIGHT} y=${HEIGHT - BOTTOM + 18} class="t-tick" text-anchor="end">${highest.name}: ${figure(unit, highest.cell)}</text>
    ${band(WIDTH - RIGHT, HEIGHT + 6)}`);
}

export function distribution(id: string, title: string, unit: Unit, rows: Named[], country: Cell | undefined, classes: Classes | undefined): Markup {
  const values = shownOf(rows).map((row) => row.cell.value).sort((a, b) => a - b);
  const [low, high] = [values[0], values[values.length - 1]];
  if (values.length < 2 || !classes || low === undefined || high === undefined || low === high) return null;
  const marks = ticks(low, high, 6);
  const [from, to] = [marks[0] as number, marks[marks.length - 1] as number];
  const x = scale(from, to, LEFT, WIDTH - RIGHT);
  const bins = Math.min(24, Math.max(6, Math.floor(values.length / 3)));
  const wide = (to - from) / bins;
  const counts: number[] = new Array(bins).fill(0);
  for (const one of values) {
    const bin = Math.min(bins - 1, Math.floor((one - from) / wide));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const up = ticks(0, Math.max(...counts), 4);
  const y = scale(0, up[up.length - 1] as number, HEIGHT - BOTTOM, TOP);
  const told = say("chart.distribution_desc", { places: values.length, low: value(unit, low), middle: value(unit, values[Math.floor(values.length / 2)] as number), high: value(unit, high) });
  const right = hasValue(country) && x(country.value) > WIDTH / 2;
  const few = marks.filter((_, at) => marks.length <= (WIDTH > 400 ? 7 : 4) || at % 2 === 0);
  // With a long unit the marks would run into each other: the legend has it.
  const isLong = few.some((mark) => value(unit, mark).length > 8);
  return frame(id, title, told, HEIGHT + (texts().synthetic ? 16 : 0), html`${horizontals(up.map((mark) => mark * 10_000), (mark) => y(mark / 10_000), true)}
    ${counts.map((number, at) => {
      if (!number) return null;
      const [start, end] = [from + at * wide, from + (at + 1) * wide];
      return html`<rect x=${x(start)} y=${y(number)} width=${x(end) - x(start) - 1} height=${HEIGHT - BOTTOM - y(number)} class="bar ${classOf(classes, (start + end) / 2)}"><title>${value(unit, start)} – ${value(unit, end)}: ${count(number)}</title></rect>`;
    })}
    ${few.map((mark) => html`<text x=${x(mark)} y=${HEIGHT - BOTTOM + 18} class="t-tick" text-anchor="middle">${isLong ? decimal(mark, decimalsOf(marks)) : value(unit, mark)}</text>`)}
    ${hasValue(country) ? html`<path d="M${x(country.value).toFixed(1)},${TOP}V${HEIGHT - BOTTOM}" class="line-country" /><text x=${x(country.value) + (right ? -5 : 5)} y=${TOP + 9} class="t-country" text-anchor=${right ? "end" : "start"}>${figure(unit, country)}</text>` : null}
    ${band(WIDTH - RIGHT, HEIGHT + 6)}`);
}

/** Whether a percentage differs from the country's by more than z standard errors. */
function isOutside(cell: Cell & { value: number }, centre: number, z: number): boolean {
  const share = centre / 1_000_000;
  return Math.abs(cell.value / 1_000_000 - share) > z * Math.sqrt((share * (1 - share)) / (cell.denominator ?? 1));
}

export interface Level {
  title: string;
  rows: Named[];
  country: Cell | undefined;
}

/** `isShare`: whether values are percentages that their counts give, so that chance alone has limits. */
export function funnel(id: string, { title, rows, country }: Level, unit: Unit, isShare: boolean, chosen: string[]): Markup {
  const shown = shownOf(rows).filter((row) => row.cell.denominator);
  if (shown.length < 3 || unit === "count" || !hasValue(country)) return null;
  const sizes = shown.map((row) => row.cell.denominator as number);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const x = scale(Math.log10(least), Math.log10(most + 1), LEFT + 8, WIDTH - RIGHT - 8);
  const centre = country.value;
  const marks = domain([...shown.map((row) => row.cell.value), centre]);
  const [bottom, top] = [marks[0] as number, marks[marks.length - 1] as number];
  const y = scale(bottom, top, HEIGHT - BOTTOM, TOP);
  const powers = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((factor) => factor * 10 ** power));
  const inside = powers.filter((size) => size >= least && size <= most);
  const some = inside.length > 6 ? inside.filter((size) => String(size).startsWith("1")) : inside;
  const outside = isShare ? shown.filter((row) => isOutside(row.cell, centre, Z["limit-998"])) : [];
  const limits = isShare
    ? Object.entries(Z).map(([css, z]) => {
        const share = centre / 1_000_000;
        const lines = [1, -1].map((sign) => {
          const points: [number, number][] = [];
          for (let at = 0; at <= 60; at++) {
            const size = 10 ** (x.low + ((x.high - x.low) * at) / 60);
            const limit = (share + sign * z * Math.sqrt((share * (1 - share)) / size)) * 1_000_000;
            if (limit >= Math.max(bottom, 0) && limit <= Math.min(top, 1_000_000)) points.push([x(Math.log10(size)), y(limit)]);
          }
          return path(points);
        });
        return html`<path d=${lines.join("")} class=${css} />`;
      })
    : null;
  const told = say(isShare ? "chart.funnel_desc" : "chart.funnel_desc_plain", { places: shown.length, outside: outside.length });
  return frame(id, title, told, HEIGHT + 16 + (texts().synthetic ? 16 : 0), html`${horizontals(marks, y)}
    ${some.map((size) => html`<text x=${x(Math.log10(size))} y=${HEIGHT - BOTTOM + 18} class="t-tick" text-anchor="middle">${count(size)}</text>`)}
    ${limits}<path d="M${LEFT + 8},${y(centre).toFixed(1)}H${WIDTH - RIGHT - 8}" class="line-country" />
    ${shown.map((row) => html`<circle data-code=${row.code} cx=${x(Math.log10(row.cell.denominator as number)).toFixed(1)} cy=${y(row.cell.value).toFixed(1)} r=${chosen.includes(row.code) ? 5 : 2.6} class="point plain${outside.includes(row) ? " outside" : ""}${chosen.includes(row.code) ? " chosen" : ""}"><title>${row.name}: ${figure(unit, row.cell)} (${count(row.cell.denominator as number)})</title></circle>`)}
    <text x=${(LEFT + WIDTH - RIGHT) / 2} y=${HEIGHT + 6} class="t-note" text-anchor="middle">${say("chart.size")}</text>
    ${band(WIDTH - RIGHT, HEIGHT + 23)}`);
}
