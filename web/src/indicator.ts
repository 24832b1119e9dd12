// The page of an indicator: one view, kept in the fragment, drawn into the slots of the page.
import { html } from "htm/preact";
import { type ComponentChildren, render } from "preact";
import { type Line, type Named, distribution, fit, funnel, hatching, mapView, ranking, series } from "./charts";
import { type Classes, classesOf, legend, look, patternOf } from "./classes";
import { cellAt, cellsOf, groupOf, indexOf, levelOf, load, loaded, parentsOf, placeOf, places, placesOf, texts, topology } from "./data";
import { fifths } from "./fifths";
import { bounds, count, decimal, figure, interval, name, plural, say, share, told, value } from "./format";
import { type Shape, outlines, vintageOf } from "./geometry";
import { savePng, saveSvg, standalone } from "./image";
import { type Entry, HOSPITAL, Search, pageOf } from "./search";
import { MAX_CHOSEN, type Uncertainty, type View, type ViewState, read, write } from "./state";
import type { Cell } from "./types";
import { WHOLE, moved, shows, viewBox, zoomed } from "./zoom";

type Markup = ComponentChildren;
type Column = "place" | "value" | "denominator";

/** The choice that is drawn. */
interface Now {
  group: string;
  values: string[];
  cells: Map<string, Cell>;
  rows: Named[];
  country: Cell | undefined;
  countryName: string;
  classes: Classes | undefined;
  title: string;
}

export class IndicatorPage {
  private readonly index;
  private readonly dimensions: string[];
  private readonly unit;
  /** Whether values have intervals, and are compared with the country. */
  private readonly hasIntervals: boolean;
  /** Whether a value is the percentage that its counts give. */
  private readonly isShare: boolean;
  private readonly title: string;
  private readonly slots = new Map<string, HTMLElement>();
  private readonly taken = new Set<string>();
  private state: ViewState;
  private active: string | undefined;
  private shapes: Shape[] = [];
  private order: { column: Column; descending: boolean } = { column: "place", descending: false };
  private loading = 0;
  private pending: (() => void)[] = [];
  private isBusy = false;
  private dragged = false;
  /** The fragment of the view that is drawn, which the state may be ahead of. */
  private drawn = "";

  constructor(
    private readonly app: HTMLElement,
    private readonly id: string,
    private readonly root: string,
    private readonly language: string,
  ) {
    this.index = indexOf(id);
    this.unit = this.index.unit;
    this.hasIntervals = this.unit === "percent" || this.index.standardised;
    this.isShare = this.unit === "percent" && !this.index.standardised;
    this.dimensions = Object.keys(this.index.values);
    this.title = texts().indicators[id]?.title ?? id;
    for (const slot of app.querySelectorAll<HTMLElement>("[data-slot]")) this.slots.set(slot.dataset.slot ?? "", slot);
    this.state = this.restored(location.hash);
  }

  async start(): Promise<void> {
    addEventListener("hashchange", () => {
      if (location.hash !== write(this.state)) void this.set(this.restored(location.hash));
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.point(undefined);
    });
    if (texts().outlines) await load(this.root, "topology").catch((error: Error) => this.say(say("app.failed", { file: error.message })));
    await this.set({}, true);
    this.loadRest();
  }

  /** The view that a fragment says, with what it leaves open as the page begins. */
  private restored(fragment: string): ViewState {
    const given = read(fragment, this.dimensions);
    const years = this.years();
    const year = given.year !== undefined && years.includes(given.year) ? given.year : this.index.final;
    const levels = places().levels;
    const published = levels.filter((one) => this.index.groups["total"]?.[year]?.includes(one));
    const level = given.level && levels.includes(given.level) ? given.level : (published[published.length - 1] ?? levels[0] ?? "");
    const split: Record<string, string> = {};
    for (const [dimension, one] of Object.entries(given.split ?? {}))
      if (this.index.values[dimension]?.includes(one)) split[dimension] = one;
    // A code that has ended leads to its successor.
    const chosen = [...new Set((given.chosen ?? []).map((code) => places().ended[code]?.[0] ?? code))].filter((code) => years.some((one) => levelOf(code, one)));
    return { year, level, split, chosen, view: given.view ?? "map", uncertainty: given.uncertainty ?? "none", zoom: given.zoom ?? WHOLE };
  }

  private years(): number[] {
    return Object.keys(this.index.groups["total"] ?? {}).map(Number).sort((a, b) => a - b);
  }

  /** Changes the view, loads what it needs, keeps it in the fragment and draws it. */
  private async set(change: Partial<ViewState>, isFirst = false): Promise<void> {
    const began = performance.now();
    this.state = { ...this.state, ...change };
    const { group } = groupOf(this.state.split, this.dimensions);
    const fragment = write(this.state);
    if (!isFirst || location.hash) history.replaceState(null, "", fragment);
    const key = `${this.id}/${group}-${this.state.year}`;
    const exists = this.index.groups[group]?.[this.state.year] !== undefined;
    if (exists && !loaded(key)) {
      this.say(say("app.loading"));
      try {
        await load(this.root, key);
      } catch (error) {
        this.say(say("app.failed", { file: (error as Error).message }));
        return;
      }
      if (fragment !== write(this.state)) return; // Another view was chosen meanwhile.
      this.say("");
    }
    this.draw();
    this.app.dataset.drawn = String(Math.round(performance.now() - began));
    if (group !== "total" || change.split || change.level) this.loadRest();
  }

  /**
   * Loads the other years of the group one after another, the nearest first, and joins the outlines of their places, so
   * that a change of year needs no wait.
   */
  private loadRest(): void {
    const { group } = groupOf(this.state.split, this.dimensions);
    const missing = Object.keys(this.index.groups[group] ?? {})
      .map(Number)
      .filter((year) => !loaded(`${this.id}/${group}-${year}`))
      .sort((a, b) => Math.abs(a - this.state.year) - Math.abs(b - this.state.year));
    const { level } = this.state;
    const others = [...new Map(this.years().map((year) => [vintageOf(year), year])).values()];
    const turn = ++this.loading;
    const next = async (): Promise<void> => {
      const year = missing.shift();
      if (turn !== this.loading) return;
      if (year === undefined) {
        const other = others.shift();
        if (other !== undefined) {
          outlines(level, other);
          setTimeout(() => void next(), 0);
          return;
        }
        this.drawSeries(this.now());
        this.app.dataset.ready = group;
        return;
      }
      try {
        await load(this.root, `${this.id}/${group}-${year}`);
      } catch (error) {
        this.say(say("app.failed", { file: (error as Error).message }));
      }
      setTimeout(() => void next(), 0);
    };
    void next();
  }

  private now(): Now {
    const { year, level, split } = this.state;
    const { group, values } = groupOf(split, this.dimensions);
    const cells = cellsOf(this.id, group, values, year, level) ?? new Map<string, Cell>();
    const rows = placesOf(level, year).map(([code, label]) => ({ code, name: label, cell: cells.get(code) }));
    const file = places();
    const countryRow = placesOf(file.country, year)[0];
    const country = countryRow && cellAt(this.id, group, values, year, file.country, countryRow[0]);
    const classes = classesOf(this.index.classes[group]?.[level]);
    const dimensions = group.split("+");
    const groups = values.map((one, at) => name(`value.${dimensions[at]}`, one)).join(", ");
    const what = `${this.title}${groups ? ` (${groups})` : ""}`;
    const title = say("app.view_said", { title: what, level: plural(level), year });
    return { group, values, cells, rows, country, countryName: countryRow?.[1] ?? "", classes, title };
  }

  private into(slot: string, content: Markup): void {
    const place = this.slots.get(slot);
    if (place && !this.taken.has(slot)) place.replaceChildren(); // What Python drew stays until there is something newer.
    this.taken.add(slot);
    if (place) render(html`${content}`, place);
  }

  private say(message: string): void {
    this.into("status", message ? html`<p class="message">${message}</p>` : null);
  }

  private draw(): void {
    const now = this.now();
    this.drawn = write(this.state);
    fit(this.slots.get("series")?.clientWidth ?? 0);
    this.drawControls(now);
    this.drawMap(now);
    // What stands below the map follows piece by piece, so that the next key or click does not wait for it.
    this.pending = [() => this.drawSeries(now), ...this.charts(now), () => this.drawTable(now), () => this.drawLink()];
    this.app.removeAttribute("data-settled");
    if (!this.isBusy) this.drawNext();
  }

  private drawNext(): void {
    const piece = this.pending.shift();
    this.isBusy = piece !== undefined;
    if (!piece) {
      this.app.dataset.settled = this.drawn;
      return;
    }
    setTimeout(() => {
      piece();
      this.drawNext();
    }, 0);
  }

  // --- Controls ---------------------------------------------------------------------------------------------------

  private drawControls(now: Now): void {
    const { year, level, split, view, uncertainty } = this.state;
    const years = this.years();
    const at = years.indexOf(year);
    const select = (id: string, label: string, chosen: string, options: [string, string][], change: (value: string) => void) =>
      html`<div class="field"><label for=${id}>${label}</label>
        <select id=${id} onChange=${(event: Event) => change((event.target as HTMLSelectElement).value)}>
          ${options.map(([one, text]) => html`<option value=${one} selected=${one === chosen}>${text}</option>`)}
        </select></div>`;
    const views: [View, string][] = [["map", say("app.by_value")]];
    if (this.hasIntervals) views.push(["comparison", say("app.by_comparison", { country: now.countryName })]);
    if (this.isShare) views.push(["trend", say("app.by_trend")]);
    const uncertain: [Uncertainty, string][] = [["none", say("app.uncertainty_none")], ["fade", say("app.uncertainty_fade")], ["hatch", say("app.uncertainty_hatch")]];
    this.into(
      "controls",
      html`<div class="controls">
        <div class="field"><label for="app-year">${say("app.year")}</label>
          <div class="stepper">
            <button type="button" aria-label=${say("app.previous_year")} disabled=${at <= 0} onClick=${() => this.set({ year: years[at - 1] as number })}>‹</button>
            <input id="app-year" type="range" min="0" max=${years.length - 1} value=${at} aria-valuetext=${String(year)}
              onInput=${(event: Event) => this.set({ year: years[Number((event.target as HTMLInputElement).value)] as number })} />
            <button type="button" aria-label=${say("app.next_year")} disabled=${at >= years.length - 1} onClick=${() => this.set({ year: years[at + 1] as number })}>›</button>
            <output for="app-year">${year}</output>
          </div></div>
        ${select("app-level", say("app.level"), level, places().levels.map((one) => [one, name("level", one)]), (one) => this.set({ level: one }))}
        ${this.dimensions.map((dimension) =>
          select(`app-${dimension}`, name("dimension", dimension), split[dimension] ?? "", [["", name("value", "all")], ...(this.index.values[dimension] ?? []).map((one): [string, string] => [one, name(`value.${dimension}`, one)])], (one) =>
            this.set({ split: { ...split, [dimension]: one } })),
        )}
        ${views.length > 1 ? select("app-view", say("app.colours"), view, views, (one) => this.set({ view: one as View })) : null}
        ${select("app-uncertainty", say("app.uncertainty"), uncertainty, uncertain, (one) => this.set({ uncertainty: one as Uncertainty }))}
        <${Search} id="app-find" pick=${(entry: Entry) => this.pick(entry)} />
      </div>`,
    );
    this.into("hidden", html`<p class="share-hidden">${this.hiddenSaid(now)}</p>`);
  }

  /** How many of the places are hidden, and why. */
  private hiddenSaid(now: Now): string {
    const hidden = now.rows.filter((row) => row.cell?.state === "hidden").length;
    const planned = now.rows.filter((row) => row.cell).length;
    if (!planned) return say("app.not_split");
    const of = { hidden: count(hidden), planned: count(planned), share: share(hidden, planned) };
    return hidden ? `${say("app.hidden_count", of)} ${say("hidden", { k: texts().k })}` : say("app.hidden_none", of);
  }

  private pick(entry: Entry): void {
    if (entry.level === HOSPITAL) return location.assign(`${this.root}${this.language}/${pageOf(entry)}`);
    const chosen = [...this.state.chosen.filter((code) => code !== entry.code), entry.code].slice(-MAX_CHOSEN);
    void this.set({ chosen, level: entry.level }).then(() => {
      this.point(entry.code);
      this.announce(entry.code);
    });
  }

  private toggle(code: string): void {
    const isChosen = this.state.chosen.includes(code);
    const others = this.state.chosen.filter((one) => one !== code);
    void this.set({ chosen: isChosen ? others : [...others, code].slice(-MAX_CHOSEN) }).then(() => {
      if (!isChosen) this.announce(code);
    });
  }

  private announce(code: string): void {
    const now = this.now();
    const row = now.rows.find((one) => one.code === code);
    if (row) this.say([`${row.name}, ${this.state.year}: ${figure(this.unit, row.cell)}`, ...told(this.unit, row.cell, now.countryName)].join("; "));
  }

  // --- Map --------------------------------------------------------------------------------------------------------

  private drawMap(now: Now): void {
    const { level, year, view, uncertainty, chosen, zoom } = this.state;
    const file = topology();
    this.shapes = outlines(level, year);
    const states = new Set(now.rows.map((row) => row.cell?.state ?? "absent"));
    const isFew = (code: string) => now.cells.get(code)?.few === true && now.cells.get(code)?.state === "value";
    const marked = now.rows.some((row) => isFew(row.code)) ? uncertainty : "none";
    this.into("legend", this.legend(legend({ view, unit: this.unit, classes: now.classes, states, uncertainty: marked })));
    if (!file || !this.shapes.length) {
      this.into("map", html`<p>${say("indicator.no_map")}</p>`);
      return;
    }
    const names = new Map(now.rows.map((row) => [row.code, row.name]));
    const larger = places().levels.slice(0, -1).filter((one) => one !== level && placesOf(one, year).length > 1);
    const border = places().levels.indexOf(level) > 1 ? larger.find((one) => placesOf(one, year).length >= 8) : undefined;
    const draw = mapView({
      id: "live-map",
      title: now.title,
      shapes: this.shapes,
      outlines: `${level} ${vintageOf(year)}`,
      size: [file.width, file.height],
      attribution: file.attribution,
      look: (code) => look(now.cells.get(code), view, now.classes),
      says: (code) => `${names.get(code) ?? code}: ${figure(this.unit, now.cells.get(code))}`,
      isFew,
      uncertainty,
      chosen,
      borders: border ? outlines(border, year) : [],
      zoom,
    });
    const size: [number, number] = [file.width, file.height];
    const around = (): [number, number] | undefined => {
      const shape = this.shapes.find((one) => one.code === (this.active ?? chosen[chosen.length - 1]));
      return shape && [shape.x, shape.y];
    };
    const zoomTo = (factor: number) => this.set({ zoom: factor ? zoomed(zoom, factor, size, factor > 1 ? around() : undefined) : WHOLE });
    const at = (event: Event) => (event.target as Element).closest<SVGElement>("[data-code]")?.dataset.code;
    this.into(
      "map",
      html`<figure class="live-map" onPointerMove=${(event: PointerEvent) => this.point(at(event), event)} onPointerLeave=${() => this.point(undefined)}
          onPointerDown=${(event: PointerEvent) => this.grab(event, size)}
          onClick=${(event: Event) => (this.dragged ? (this.dragged = false) : at(event) && this.toggle(at(event) as string))} onKeyDown=${(event: KeyboardEvent) => this.step(event)}
          onFocusIn=${(event: Event) => (event.target as Element).closest(".zoom") || this.active || this.point(chosen.find((code) => names.has(code)) ?? this.shapes[0]?.code)}>
        ${draw}<div class="tip" hidden></div>
        <div class="zoom" role="group" aria-label=${say("app.zoom")} onClick=${(event: Event) => event.stopPropagation()} onPointerDown=${(event: Event) => event.stopPropagation()} onKeyDown=${(event: Event) => event.stopPropagation()}>
          <button type="button" class="small" aria-label=${say("app.zoom_in")} disabled=${zoom[0] >= 16} onClick=${() => zoomTo(2)}>+</button>
          <button type="button" class="small" aria-label=${say("app.zoom_out")} disabled=${zoom[0] === 1} onClick=${() => zoomTo(0.5)}>−</button>
          <button type="button" class="small" aria-label=${say("app.zoom_all")} disabled=${zoom[0] === 1} onClick=${() => zoomTo(0)}>⤢</button></div>
        <figcaption>${now.title}<span class="source"> · ${file.attribution}</span></figcaption></figure>${this.saving("map", now.title)}`,
    );
    this.point(this.active && names.has(this.active) ? this.active : undefined);
  }

  private legend(rows: [string, string][]): Markup {
    return html`<svg width="0" height="0" class="patterns" aria-hidden="true">${hatching("live-key")}</svg><ul class="legend">${rows.map(([css, text]) => html`<li><svg viewBox="0 0 28 18" width="28" height="18" class="key" aria-hidden="true">
      <rect x="1" y="1" width="26" height="16" class=${css} fill=${patternOf(css, "live-key")} /></svg><span>${text}</span></li>`)}</ul>`;
  }

  /** Shows the figure of a place beside the pointer, or below the map for the keyboard. */
  private point(code: string | undefined, event?: PointerEvent): void {
    const figureElement = this.slots.get("map")?.querySelector<HTMLElement>("figure");
    const svg = figureElement?.querySelector("svg");
    const tip = figureElement?.querySelector<HTMLElement>(".tip");
    if (!figureElement || !svg || !tip) return;
    if (code !== this.active || !code) {
      this.active = code;
      svg.querySelector("path.active")?.setAttribute("d", this.shapes.find((shape) => shape.code === code)?.d ?? "");
      if (code) svg.setAttribute("aria-activedescendant", `live-map-${code}`);
      else svg.removeAttribute("aria-activedescendant");
      tip.hidden = !code;
      if (code) this.fill(tip, code);
    }
    const shape = this.shapes.find((one) => one.code === code);
    if (!shape) return;
    const box = figureElement.getBoundingClientRect();
    const drawing = svg.getBoundingClientRect();
    const [times, left0, top0] = this.state.zoom;
    const unit = (drawing.width / svg.viewBox.baseVal.width) * times;
    const x = event ? event.clientX - box.left : drawing.left - box.left + (shape.x - left0) * unit;
    const y = event ? event.clientY - box.top : drawing.top - box.top + (shape.y - top0) * unit;
    const left = Math.max(0, Math.min(x + 14, box.width - tip.offsetWidth));
    const top = y + 18 + tip.offsetHeight > box.height ? Math.max(0, y - tip.offsetHeight - 12) : y + 18;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  /** Moves an enlarged map with the pointer; the view is kept when it is let go. */
  private grab(down: PointerEvent, size: [number, number]): void {
    const svg = this.slots.get("map")?.querySelector<SVGSVGElement>("svg.map");
    const part = svg?.querySelector("svg.part");
    const start = this.state.zoom;
    if (!svg || !part || start[0] === 1 || down.button) return;
    this.dragged = false;
    const unit = size[0] / start[0] / svg.getBoundingClientRect().width;
    let zoom = start;
    const move = (event: PointerEvent) => {
      const [dx, dy] = [down.clientX - event.clientX, down.clientY - event.clientY];
      if (Math.hypot(dx, dy) < 4 && !this.dragged) return;
      this.dragged = true;
      zoom = moved(start, dx * unit, dy * unit, size);
      part.setAttribute("viewBox", viewBox(zoom, size));
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (zoom !== start) void this.set({ zoom });
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  private fill(tip: HTMLElement, code: string): void {
    const now = this.now();
    const row = now.rows.find((one) => one.code === code);
    if (!row) return;
    render(
      html`<p class="tip-name">${row.name}</p><p class="tip-value">${figure(this.unit, row.cell)}</p>${told(this.unit, row.cell, now.countryName).map((one) => html`<p>${one}</p>`)}`,
      tip,
    );
  }

  /** Arrow keys go to the nearest place in their direction; Enter and Space choose. */
  private step(event: KeyboardEvent): void {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = this.shapes.find((shape) => shape.code === this.active) ?? this.shapes[0];
    if ((event.key === "Enter" || event.key === " ") && this.active) this.toggle(this.active);
    else if (direction && from) {
      const [dx, dy] = direction as [number, number];
      let best: Shape | undefined;
      let least = Infinity;
      for (const shape of this.shapes) {
        const along = (shape.x - from.x) * dx + (shape.y - from.y) * dy;
        const aside = Math.abs((shape.x - from.x) * dy) + Math.abs((shape.y - from.y) * dx);
        const cost = along + 2 * aside;
        if (shape !== from && along > 0 && aside <= 2 * along && cost < least) [best, least] = [shape, cost];
      }
      if (best) this.reveal(best);
    } else return;
    event.preventDefault();
  }

  /** Points to a place that the keyboard went to; an enlarged map moves to where it is seen. */
  private reveal(shape: Shape): void {
    const file = topology();
    const { zoom } = this.state;
    const size: [number, number] = [file?.width ?? 0, file?.height ?? 0];
    if (file && !shows(zoom, size, [shape.x, shape.y])) void this.set({ zoom: zoomed(zoom, 1, size, [shape.x, shape.y]) }).then(() => this.point(shape.code));
    else this.point(shape.code);
  }

  // --- Series and chosen places -------------------------------------------------------------------------------------

  private lines(now: Now): Line[] {
    const years = this.years();
    const points = (level: (year: number) => string | undefined, code: string): [number, Cell | undefined][] =>
      years.map((year) => {
        const of = level(year);
        return [year, of ? cellAt(this.id, now.group, now.values, year, of, code) : undefined];
      });
    const file = places();
    const country = placesOf(file.country, this.state.year)[0];
    const found: Line[] = this.state.chosen.map((code, at) => ({
      name: this.nameOf(code),
      points: points((year) => levelOf(code, year), code),
      css: `p${at}`,
      isCountry: false,
    }));
    if (country && !this.state.chosen.includes(country[0]))
      found.unshift({ name: country[1], points: points(() => file.country, country[0]), css: "country", isCountry: true });
    return found;
  }

  private nameOf(code: string): string {
    for (const year of [this.state.year, ...this.years().reverse()]) {
      const level = levelOf(code, year);
      const label = level && placeOf(level, year, code)?.[1];
      // A larger place may be called as its main town is.
      if (level && label) return level === places().smallest || level === places().country ? label : `${label} (${name("level", level)})`;
    }
    return code;
  }

  private drawSeries(now: Now): void {
    const lines = this.lines(now);
    const drawing = series("live-series", now.title, this.unit, lines, this.years(), this.state.year);
    const key = (line: Line) => html`<svg viewBox="0 0 28 12" width="28" height="12" class="key ${line.css}" aria-hidden="true"><path d="M1,6H27" class=${line.isCountry && lines.length > 1 ? "line-country" : "line"} /></svg>`;
    this.into(
      "series",
      html`<figure>${drawing}<figcaption>${say("app.series_note", { country: now.countryName })}</figcaption></figure>
      <ul class="legend lines">${lines.map((line) => html`<li>${key(line)}<span>${line.name}</span></li>`)}</ul>${drawing ? this.saving("series", this.title) : null}`,
    );
    this.into("compare", html`${this.chosenTable(now)}${this.inequality(now)}`);
  }

  private chosenTable(now: Now): Markup {
    const { chosen, year } = this.state;
    if (!chosen.length) return html`<p class="hint">${say("app.chosen_none")}</p>`;
    const rows = new Map<string, [string, string, string]>();
    for (const code of chosen) {
      const level = levelOf(code, year);
      rows.set(code, [level ?? places().smallest, code, (level && placeOf(level, year, code)?.[1]) ?? this.nameOf(code)]);
      if (level) for (const [larger, row] of parentsOf(level, year, code)) if (!rows.has(row[0])) rows.set(row[0], [larger, row[0], row[1]]);
    }
    // Chosen places first, then what they lie in, the country last.
    const ordered = [...rows.values()].sort((a, b) => Number(chosen.includes(b[1])) - Number(chosen.includes(a[1])) || places().levels.indexOf(b[0]) - places().levels.indexOf(a[0]));
    return html`<h3 id="chosen-title">${say("app.chosen")}</h3>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="chosen-title"><table class="data chosen"><caption>${say("app.within")}, ${year}</caption>
        <thead><tr><th scope="col">${say("column.place")}</th><th scope="col">${say("column.level")}</th><th scope="col" class="num">${say("column.value")}</th>
          ${this.hasIntervals ? html`<th scope="col" class="num">${say("column.interval")}</th><th scope="col">${say("column.comparison", { country: now.countryName })}</th>` : null}<td></td></tr></thead>
        <tbody>${ordered.map(([level, code, label]) => {
          const cell = cellAt(this.id, now.group, now.values, year, level, code);
          const at = chosen.indexOf(code);
          return html`<tr key=${code}><th scope="row">${at >= 0 ? html`<svg viewBox="0 0 12 12" width="12" height="12" class="p${at}" aria-hidden="true"><circle cx="6" cy="6" r="5" class="dot" /></svg> ` : null}<a href=${this.pageOf(level, code)}>${label}</a></th>
            <td>${name("level", level)}</td><td class="num">${figure(this.unit, cell)} ${bounds(this.unit, cell) ? html`<span class="bounds">${bounds(this.unit, cell)}</span>` : null}</td>
            ${this.hasIntervals ? html`<td class="num">${interval(this.unit, cell)}</td><td>${cell?.comparison ? name("comparison", cell.comparison) : ""}</td>` : null}
            <td>${at >= 0 ? html`<button type="button" class="small" aria-label=${say("app.remove", { place: label })} onClick=${() => this.toggle(code)}>×</button>` : null}</td></tr>`;
        })}</tbody></table></div>`;
  }

  private pageOf(level: string, code: string): string {
    return `${this.root}${this.language}/places/${level}/${code}.html`;
  }

  private inequality(now: Now): Markup {
    // The counts of a standardised rate give the crude one.
    const found = this.index.standardised ? undefined : fifths(now.rows, this.unit);
    if (!found) return null;
    const high = Math.max(...found.values);
    const [lowest, highest] = [found.values[0] as number, found.values[found.values.length - 1] as number];
    const ratio = found.ratio === undefined ? say("state.absent") : decimal(Math.round(found.ratio * 10_000), 1);
    const country = now.country?.value;
    const x = (one: number) => 90 + (one / high) * 300;
    return html`<h3>${say("app.inequality")}</h3>
      <figure><svg viewBox="0 0 480 ${found.values.length * 24 + 12}" width="480" height=${found.values.length * 24 + 12} class="chart" role="img" aria-label=${found.values.map((one, at) => `${say("app.fifth", { number: at + 1 })}: ${value(this.unit, one)}`).join("; ")}>
        ${found.values.map((one, at) => html`<text x="84" y=${at * 24 + 20} text-anchor="end" class="t-label">${say("app.fifth", { number: at + 1 })}</text>
          <rect x="90" y=${at * 24 + 6} width=${x(one) - 90} height="18" class="bar neutral" /><text x="470" y=${at * 24 + 20} text-anchor="end" class="t-value">${value(this.unit, one)}</text>`)}
        ${country !== undefined && country <= high ? html`<path d="M${x(country).toFixed(1)},2V${found.values.length * 24 + 8}" class="line-country" />` : null}
      </svg><figcaption>${say("app.inequality_text", { people: say("app.people"), high: value(this.unit, highest), low: value(this.unit, lowest), ratio })} ${say("app.inequality_note", { shown: count(found.shown), planned: count(now.rows.length) })}</figcaption></figure>`;
  }

  // --- Charts, table, link --------------------------------------------------------------------------------------------

  private charts(now: Now): (() => void)[] {
    const { chosen } = this.state;
    const pick = (event: Event) => {
      const code = (event.target as Element).closest<SVGElement>("[data-code]")?.dataset.code;
      if (code) this.toggle(code);
    };
    const show = (slot: string, drawing: Markup, note = "") =>
      this.into(slot, drawing ? html`<figure onClick=${pick}>${drawing}<figcaption>${now.title}${note ? `. ${note}` : ""}</figcaption></figure>${this.saving(slot, now.title)}` : html`<p class="hint">${say("state_meaning.absent")}</p>`);
    return [
      () => show("ranking", ranking("live-ranking", now.title, this.unit, now.rows, now.country, now.classes, chosen)),
      () => show("distribution", distribution("live-distribution", now.title, this.unit, now.rows, now.country, now.classes)),
      () => show("funnel", funnel("live-funnel", now, this.unit, this.isShare, chosen), this.isShare ? say("app.limits", { country: now.countryName }) : ""),
    ];
  }

  private drawTable(now: Now): void {
    const { column, descending } = this.order;
    const turn = descending ? -1 : 1;
    const collator = new Intl.Collator(this.language);
    const number = (row: Named) => (column === "value" ? row.cell?.value : row.cell?.denominator);
    const rows = [...now.rows].sort((a, b) => {
      if (column === "place") return turn * collator.compare(a.name, b.name);
      const [one, other] = [number(a), number(b)];
      if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
      return turn * (one - other) || collator.compare(a.name, b.name);
    });
    const head = (of: Column, text: string, css: string) =>
      html`<th scope="col" class=${css} aria-sort=${column === of ? (descending ? "descending" : "ascending") : "none"}><button type="button" class="sort" onClick=${() => {
        this.order = { column: of, descending: column === of && !descending };
        this.drawTable(this.now());
      }}>${text}<span aria-hidden="true">${column === of ? (descending ? " ▾" : " ▴") : ""}</span></button></th>`;
    const hasCounts = this.unit !== "count" && this.unit !== "median";
    const hasTrends = now.rows.some((row) => row.cell?.trend);
    this.into(
      "table",
      html`<table class="data"><caption>${now.title}</caption>
        <thead><tr>${head("place", say("column.place"), "")}<th scope="col">${say("column.code")}</th>${head("value", say("column.value"), "num")}
          ${this.hasIntervals ? html`<th scope="col" class="num">${say("column.interval")}</th>` : null}
          ${hasCounts ? html`<th scope="col" class="num">${say("column.numerator")}</th>${head("denominator", say("column.denominator"), "num")}` : null}
          ${this.hasIntervals ? html`<th scope="col">${say("column.comparison", { country: now.countryName })}</th>` : null}
          ${hasTrends ? html`<th scope="col">${say("column.trend")}</th>` : null}</tr></thead>
        <tbody>${rows.map(({ code, name: label, cell }) => {
          const within = bounds(this.unit, cell);
          return html`<tr key=${code} data-code=${code}><th scope="row"><a href=${this.pageOf(this.state.level, code)}>${label}</a></th><td>${code}</td>
            <td class="num"><span class="figure state-${cell?.state ?? "absent"}">${figure(this.unit, cell)}</span>${within ? html` <span class="bounds">${within}</span>` : null}${cell?.few && cell.state === "value" ? html` <span class="few">${say("indicator.few")}</span>` : null}</td>
            ${this.hasIntervals ? html`<td class="num">${interval(this.unit, cell)}</td>` : null}
            ${hasCounts ? html`<td class="num">${cell?.numerator === undefined ? "" : count(cell.numerator)}</td><td class="num">${cell?.denominator === undefined ? "" : count(cell.denominator)}</td>` : null}
            ${this.hasIntervals ? html`<td>${cell?.comparison ? name("comparison", cell.comparison) : ""}</td>` : null}
            ${hasTrends ? html`<td>${cell?.trend ? name("trend", cell.trend) : ""}</td>` : null}</tr>`;
        })}</tbody></table>`,
    );
  }

  private saving(slot: string, title: string): Markup {
    const picture = () => {
      const svg = this.slots.get(slot)?.querySelector<SVGSVGElement>("svg");
      const rows = slot === "map" ? this.slots.get("legend") : slot === "series" ? this.slots.get("series")?.querySelector(".legend") : null;
      return svg && standalone(svg, title, rows ?? null, `${document.title} · ${location.hash}`);
    };
    const file = `${this.id}_${slot}_${this.state.year}`;
    const save = (of: "svg" | "png") => {
      const made = picture();
      if (made && of === "svg") saveSvg(made, file);
      else if (made) savePng(made, file).catch((error: Error) => this.say(say("app.failed", { file: `${file}.png (${error.message})` })));
    };
    return html`<p class="saving"><button type="button" class="small" aria-label="${say("app.save_svg")}: ${name("indicator", slot)}" onClick=${() => save("svg")}>SVG</button>
      <button type="button" class="small" aria-label="${say("app.save_png")}: ${name("indicator", slot)}" onClick=${() => save("png")}>PNG</button></p>`;
  }

  private drawLink(): void {
    const copy = async (event: Event): Promise<void> => {
      const field = (event.target as Element).parentElement?.querySelector("input");
      field?.select();
      try {
        await navigator.clipboard.writeText(location.href);
      } catch {
        document.execCommand("copy"); // From a disk there is no clipboard but this one.
      }
      this.say(say("app.copied"));
    };
    const address = location.href.replace(/#.*$/, "") + write(this.state);
    this.into(
      "permalink",
      html`<p class="permalink"><label for="app-link">${say("app.link")}</label> <input id="app-link" type="text" readonly value=${address} /> <button type="button" onClick=${copy}>${say("app.copy")}</button></p>`,
    );
  }
}
