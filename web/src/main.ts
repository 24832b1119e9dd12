// The script of the atlas: starts what the page asks for. Without the data of its page it leaves the page as it is.
import { html } from "htm/preact";
import { render } from "preact";
import { loaded, start } from "./data";
import { IndicatorPage } from "./indicator";
import { type Entry, Search, pageOf } from "./search";

function search(slot: HTMLElement, root: string, language: string): void {
  const place = document.createElement("div");
  slot.prepend(place);
  const pick = (entry: Entry): void => location.assign(`${root}${language}/${pageOf(entry)}`);
  render(html`<${Search} id="find" pick=${pick} />`, place);
}

function main(): void {
  start();
  const app = document.getElementById("app");
  if (!app || !loaded("texts") || !loaded("places")) return;
  const { page, indicator = "", root = "", language = "" } = app.dataset;
  if (page === "indicator" && loaded(`${indicator}/index`)) void new IndicatorPage(app, indicator, root, language).start();
  const slot = app.querySelector<HTMLElement>('[data-slot="search"]') ?? (page === "place" ? app.querySelector<HTMLElement>('[data-slot="controls"]') : null);
  if (slot) search(slot, root, language);
}

main();
