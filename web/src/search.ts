// Search of places and hospitals: a combobox over names, other names, former names and codes.
import { html } from "htm/preact";
import { useMemo, useState } from "preact/hooks";
import type { VNode } from "preact";
import { places } from "./data";
import { count, name, say } from "./format";
import type { Ended } from "./types";

export interface Entry {
  level: string;
  code: string;
  label: string;
  note: string;
  keys: string[];
}

export const HOSPITAL = "hospital";

const plain = (text: string): string =>
  text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();

/** Every place of the newest vintage and every hospital, and each ended code as a way to its successor. */
export function entries(): Entry[] {
  const file = places();
  const newest = file.vintages[file.vintages.length - 1] ?? {};
  const found: Entry[] = [];
  const names = new Map<string, string>();
  for (const level of [...file.levels].reverse())
    for (const [code, label] of newest[level] ?? []) {
      const others = file.others[level]?.[code] ?? [];
      names.set(`${level} ${code}`, label);
      found.push({ level, code, label, note: [name("level", level), ...others.filter((one) => !one.includes(label))].join(", "), keys: [label, ...others, code].map(plain) });
    }
  for (const [code, label, ...others] of file.hospitals.open) {
    names.set(`${HOSPITAL} ${code}`, label);
    found.push({ level: HOSPITAL, code, label, note: [name("level", HOSPITAL), ...others].join(", "), keys: [label, ...others, code].map(plain) });
  }
  const lists: [string, Record<string, Ended>][] = [[file.smallest, file.ended], [HOSPITAL, file.hospitals.ended]];
  for (const [level, ended] of lists)
    for (const [code, [successor, last, ...old]] of Object.entries(ended)) {
      const label = names.get(`${level} ${successor}`);
      if (!label) continue;
      const note = say("app.ended", { name: old.join(" / "), code, year: last });
      found.push({ level, code: successor, label, note, keys: [...old, code].map(plain) });
    }
  return found;
}

/** The page of what was found, from the folder of a language on. */
export const pageOf = (entry: Entry): string => (entry.level === HOSPITAL ? `hospitals/${entry.code}.html` : `places/${entry.level}/${entry.code}.html`);

/** The places whose name or code has the words, the best first. */
export function matches(all: Entry[], text: string): Entry[] {
  const wanted = plain(text);
  if (!wanted) return [];
  const rank = (keys: string[]): number =>
    Math.min(...keys.map((key) => (key === wanted ? 0 : key.startsWith(wanted) ? 1 : ` ${key}`.includes(` ${wanted}`) ? 2 : key.includes(wanted) ? 3 : 9)));
  return all
    .map((entry, at) => ({ entry, rank: rank(entry.keys), at }))
    .filter((one) => one.rank < 9)
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map((one) => one.entry);
}

const MAX_FOUND = 8;

export function Search(props: { id: string; pick: (entry: Entry) => void }): VNode {
  const all = useMemo(entries, []);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const found = useMemo(() => matches(all, text), [text]);
  const shown = isOpen ? found.slice(0, MAX_FOUND) : [];
  const pick = (entry: Entry | undefined): void => {
    if (!entry) return;
    setText("");
    setOpen(false);
    props.pick(entry);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      setOpen(true);
      setAt(shown.length ? (at + step + shown.length) % shown.length : 0);
    } else if (event.key === "Enter") pick(shown[at]);
    else if (event.key === "Escape") setOpen(false);
    else return;
    event.preventDefault();
  };
  const label = say(places().hospitals.open.length ? "app.find_with_hospitals" : "app.find");
  const said = !isOpen || !text ? "" : found.length ? say("app.found", { count: count(found.length) }) : say("app.found_none");
  return html`<div class="finder">
    <label for="${props.id}-text">${label}</label>
    <input id="${props.id}-text" type="text" role="combobox" autocomplete="off" spellcheck=${false} placeholder=${say("app.find_hint")}
      aria-expanded=${shown.length > 0 ? "true" : "false"} aria-controls="${props.id}-list" aria-autocomplete="list" aria-activedescendant=${shown[at] ? `${props.id}-${at}` : undefined}
      value=${text}
      onInput=${(event: Event) => {
        setText((event.target as HTMLInputElement).value);
        setAt(0);
        setOpen(true);
      }}
      onKeyDown=${onKeyDown} onBlur=${() => setOpen(false)} />
    <ul id="${props.id}-list" role="listbox" aria-label=${label} hidden=${!shown.length}>
      ${shown.map((entry, position) => html`<li id="${props.id}-${position}" role="option" aria-selected=${position === at ? "true" : "false"}
        onMouseDown=${(event: Event) => {
          event.preventDefault();
          pick(entry);
        }}><b>${entry.label}</b> <span>${entry.note}</span></li>`)}
    </ul>
    <p class="found" aria-live="polite">${said}</p>
  </div>` as VNode;
}
