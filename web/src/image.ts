// A picture of a chart as a file: everything that the style sheet says is written into it.

const PROPERTIES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "opacity",
  "font-size", "font-weight", "font-family", "vector-effect",
];
const NS = "http://www.w3.org/2000/svg";
const MARGIN = 20;

function fixed(source: Element, copy: Element): void {
  const style = getComputedStyle(source);
  for (const property of PROPERTIES) {
    const value = style.getPropertyValue(property);
    // A pattern is named by the whole address of the page here; in the file it is its own.
    if (value) copy.setAttribute(property, value.replace(/url\(["']?[^"')]*#([^"')]+)["']?\)/, "url(#$1)"));
  }
  for (const one of ["class", "role", "tabindex", "data-code", "aria-activedescendant"]) copy.removeAttribute(one);
  Array.from(source.children).forEach((child, at) => fixed(child, copy.children[at] as Element));
}

function text(x: number, y: number, content: string, size: number, weight: string, colour: string): SVGTextElement {
  const element = document.createElementNS(NS, "text");
  const attributes = { x, y, "font-size": size, "font-weight": weight, fill: colour, "font-family": "sans-serif" };
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = content;
  return element;
}

/** One picture of a figure: title, drawing, legend, source. */
export function standalone(svg: SVGSVGElement, title: string, legend: Element | null, foot: string): { markup: string; width: number; height: number } {
  const paper = getComputedStyle(document.body);
  const box = svg.viewBox.baseVal;
  const width = 960;
  const inner = width - 2 * MARGIN;
  const high = (inner * box.height) / box.width;
  const whole = document.createElementNS(NS, "svg");
  const copy = svg.cloneNode(true) as SVGSVGElement;
  fixed(svg, copy);
  for (const [key, value] of Object.entries({ x: MARGIN, y: 60, width: inner, height: high })) copy.setAttribute(key, String(value));
  const ground = document.createElementNS(NS, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", paper.backgroundColor === "rgba(0, 0, 0, 0)" ? "#ffffff" : paper.backgroundColor);
  whole.append(ground, text(MARGIN, 38, title, title.length > 80 ? 17 : 22, "bold", paper.color), copy);
  const patterns = legend?.querySelector(".patterns");
  if (patterns) {
    const own = patterns.cloneNode(true) as Element;
    fixed(patterns, own);
    whole.append(own);
  }
  let y = 60 + high + 24;
  let x = MARGIN;
  for (const row of Array.from(legend?.querySelectorAll("li") ?? [])) {
    const key = row.querySelector("svg");
    const label = row.textContent?.trim() ?? "";
    if (!key) continue;
    const swatch = key.cloneNode(true) as SVGSVGElement;
    fixed(key, swatch);
    const wide = 44 + label.length * 8.5;
    if (x + wide > width - MARGIN) [x, y] = [MARGIN, y + 26];
    for (const [name, value] of Object.entries({ x, y: y - 14, width: 28, height: 18 })) swatch.setAttribute(name, String(value));
    whole.append(swatch, text(x + 36, y, label, 15, "normal", paper.color));
    x += wide;
  }
  y += legend ? 28 : 0;
  whole.append(text(MARGIN, y, foot, 13, "normal", paper.color));
  const height = Math.ceil(y + MARGIN);
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) whole.setAttribute(key, String(value));
  return { markup: new XMLSerializer().serializeToString(whole), width, height };
}

const address = (markup: string): string => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup)}`;

function download(url: string, file: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  document.body.append(link);
  link.click();
  link.remove();
}

export function saveSvg(picture: { markup: string }, file: string): void {
  download(address(picture.markup), `${file}.svg`);
}

export function savePng(picture: { markup: string; width: number; height: number }, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.width * 2, picture.height * 2];
      const context = canvas.getContext("2d");
      if (!context) return reject(new Error("canvas"));
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      download(canvas.toDataURL("image/png"), `${file}.png`);
      resolve();
    };
    image.onerror = () => reject(new Error("image"));
    image.src = address(picture.markup);
  });
}
