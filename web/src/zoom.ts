// The part of the map that is seen: how many times enlarged, and the corner of it, in units of the drawing.

export type Zoom = [times: number, x: number, y: number];

export const WHOLE: Zoom = [1, 0, 0];
const MAX_TIMES = 16;

/** The same with its corner within the drawing. */
function within([times, x, y]: Zoom, [width, height]: [number, number]): Zoom {
  const clamp = (at: number, size: number) => Math.round(Math.max(0, Math.min(at, size - size / times)));
  return [times, clamp(x, width), clamp(y, height)];
}

/** Enlarged by a factor around a point; never smaller than the whole. */
export function zoomed(zoom: Zoom, factor: number, size: [number, number], point?: [number, number]): Zoom {
  const times = Math.min(MAX_TIMES, zoom[0] * factor);
  if (times <= 1) return WHOLE;
  const [x, y] = point ?? [zoom[1] + size[0] / zoom[0] / 2, zoom[2] + size[1] / zoom[0] / 2];
  return within([times, x - size[0] / times / 2, y - size[1] / times / 2], size);
}

/** Moved by steps of the drawing. */
export const moved = (zoom: Zoom, dx: number, dy: number, size: [number, number]): Zoom => within([zoom[0], zoom[1] + dx, zoom[2] + dy], size);

/** Whether a point is seen. */
export const shows = ([times, x, y]: Zoom, [width, height]: [number, number], [px, py]: [number, number]): boolean =>
  px >= x && py >= y && px <= x + width / times && py <= y + height / times;

export const viewBox = ([times, x, y]: Zoom, [width, height]: [number, number]): string => `${x} ${y} ${width / times} ${height / times}`;

export const written = (zoom: Zoom): string => (zoom[0] === 1 ? "" : zoom.join(","));

/** A zoom as a fragment writes it; the whole map where it says nothing of sense. */
export function readZoom(text: string | undefined): Zoom {
  const found = (text ?? "").split(",").map(Number);
  const [times, x, y] = found;
  const isSound = found.length === 3 && [2, 4, 8, MAX_TIMES].includes(times as number) && found.every((one) => Number.isInteger(one) && one >= 0);
  return isSound ? [times as number, x as number, y as number] : WHOLE;
}
