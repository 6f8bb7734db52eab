// Two small pictures in a cell. The numbers stand beside them, so neither says anything that the text does not.

import { el } from './live_elements.js';

const WIDTH = 104;
const BAR = 10;
const SPARK = 26;

// The ends of a scale that all intervals of a column fit in, and a reference such as 0.
export function scale(found, reference) {
  const ends = found.flatMap((one) => [one?.lower, one?.upper, one?.value]).filter((end) => Number.isFinite(end));
  return { from: Math.min(reference, ...ends), to: Math.max(reference, ...ends), reference };
}

// An interval as a bar on its column's scale; a line marks the reference.
export function bar(found, { from, to, reference }) {
  if (!Number.isFinite(found.lower) || !Number.isFinite(found.upper) || from === to) return null;
  const at = (value) => Number((2 + ((WIDTH - 4) * (value - from)) / (to - from)).toFixed(1));
  const left = at(found.lower);
  return el('svg', { class: 'bar', viewBox: `0 0 ${WIDTH} ${BAR}`, width: WIDTH, height: BAR, 'aria-hidden': 'true' },
    el('rect', { class: 'axis', x: 0, y: BAR / 2 - 0.5, width: WIDTH, height: 1 }),
    el('rect', { class: 'reach', x: left, y: 3, width: Math.max(1, at(found.upper) - left), height: 4, rx: 2 }),
    el('rect', { class: 'reference', x: at(reference) - 0.5, y: 0, width: 1, height: BAR }),
    el('rect', { class: 'point', x: at(found.value) - 1.5, y: 1, width: 3, height: 8, rx: 1.5 }));
}

// The last values as a line; a gap where there was none. form: how a value is written.
export function spark(trail, form) {
  const known = (trail || []).filter((value) => value !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (place) => Number((3 + ((WIDTH - 6) * place) / (trail.length - 1)).toFixed(1));
  const y = (value) => Number((high === low ? SPARK / 2 : 3 + ((SPARK - 6) * (high - value)) / (high - low)).toFixed(1));
  const runs = [[]];
  trail.forEach((value, place) => {
    if (value === null) runs.push([]);
    else runs.at(-1).push(`${x(place)},${y(value)}`);
  });
  const last = trail.findLastIndex((value) => value !== null);
  const said = `Last ${known.length} values: from ${form(known[0])} to ${form(known.at(-1))}, `
    + `lowest ${form(low)}, highest ${form(high)}`;
  return el('svg', { class: 'spark', role: 'img', 'aria-label': said, viewBox: `0 0 ${WIDTH} ${SPARK}`, width: WIDTH, height: SPARK },
    runs.filter((run) => run.length > 1).map((run) => el('polyline', { points: run.join(' ') })),
    el('circle', { cx: x(last), cy: y(trail[last]), r: 2.2 }));
}
