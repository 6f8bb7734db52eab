// Elements, and how a page that is drawn anew keeps those it has: focus, scroll and selection stay.

const SVG = 'http://www.w3.org/2000/svg';
const DRAWN = new Set(['svg', 'polyline', 'rect', 'circle']);

// An element; attributes that are null or false are left out, children too. Text is text, never markup.
export function el(name, attributes = {}, ...children) {
  const made = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== false));
  return made;
}

// A table whose roles survive when narrow screens lay its rows out as cards. columns: texts.
export function table(caption, columns, rows) {
  const heads = columns.map((text) => el('th', { scope: 'col', role: 'columnheader' }, text));
  return el('table', { role: 'table' },
    el('caption', {}, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, heads)),
    el('tbody', { role: 'rowgroup' }, rows.map((cells) => el('tr', { role: 'row' }, cells.map((content, place) => (
      place === 0
        ? el('th', { scope: 'row', role: 'rowheader' }, content)
        : el('td', { role: 'cell', 'data-label': columns[place] }, el('div', {}, content))
    ))))));
}

// Makes the children of one element those of another, and changes nothing that is the same.
export function patch(shown, wanted) {
  const before = [...shown.childNodes];
  const after = [...wanted.childNodes];
  after.forEach((next, place) => {
    const old = before[place];
    if (old === undefined) shown.append(next);
    else if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) old.replaceWith(next);
    else if (next.nodeType === Node.TEXT_NODE) { if (old.data !== next.data) old.data = next.data; }
    else { patchAttributes(old, next); patch(old, next); }
  });
  before.slice(after.length).forEach((old) => old.remove());
}

function patchAttributes(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}
