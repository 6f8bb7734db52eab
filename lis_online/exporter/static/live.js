// Asks the worker every five seconds and redraws what has changed. A question that fails is said, with since when.

import { el, patch } from './live_elements.js';
import * as tables from './live_tables.js';
import * as words from './live_words.js';

const EVERY = 5000; // ms
const PATIENCE = 8000; // ms that an answer may take

const state = { table: null, tag: null, window: null, asked: 0, lostSince: null, skew: 0, told: new Map(), timer: 0 };
const at = (id) => document.getElementById(id);
const now = () => Date.now() + state.skew;

async function ask() {
  clearTimeout(state.timer);
  const mine = ++state.asked;
  try {
    await answer(mine);
    state.lostSince = null;
  } catch (reason) {
    state.lostSince ??= Date.now();
    state.reason = reason instanceof Refusal ? reason.message : null;
  }
  if (mine !== state.asked) return; // a newer question is under way
  draw();
  state.timer = setTimeout(ask, EVERY);
}

class Refusal extends Error {}

async function answer(mine) {
  const query = state.window ? `?window=${encodeURIComponent(state.window)}` : '';
  const headers = state.tag ? { 'If-None-Match': state.tag } : {};
  const found = await fetch(`/api/v1/live${query}`, { headers, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  const table = found.status === 200 ? await found.json() : null;
  if (mine !== state.asked) return;
  if (found.status === 400) state.window = null; // the worker has other windows now
  if (found.status !== 200 && found.status !== 304) throw new Refusal(`the worker answered ${found.status}`);
  const date = Date.parse(found.headers.get('Date'));
  if (Number.isFinite(date)) state.skew = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
  if (table !== null) [state.table, state.tag] = [table, found.headers.get('ETag')];
}

function draw() {
  link();
  const { table } = state;
  const main = at('main');
  const wanted = el('main');
  if (table !== null) {
    context(table);
    choices(table.numbers);
    announce(table.numbers);
    at('version').textContent = `lis-online ${table.version}`;
    wanted.append(...sections(table));
  }
  patch(at('notices'), el('div', {}, notices(table)));
  patch(main, wanted);
  document.documentElement.dataset.drawn = Number(document.documentElement.dataset.drawn || 0) + 1;
}

function sections(table) {
  const found = table.numbers;
  return [
    found ? tables.variants(found) : el('section', { class: 'empty' }, el('h2', {}, 'Where the numbers are'), el('p', {}, table.why_none)),
    found && tables.drift(found.drift),
    found && tables.sources(found),
    tables.experiments(table.experiments),
    tables.health(table.health, now()),
  ].filter(Boolean);
}

function link() {
  const [tone, word] = state.lostSince === null ? ['good', 'Live'] : ['bad', `Connection lost since ${words.clock(state.lostSince)}`];
  const pill = at('link');
  patch(pill, el('p', {}, el('span', { 'aria-hidden': 'true' }, words.SIGNS[tone]), ' ', el('span', {}, word)));
  pill.className = `pill ${tone}`;
}

function context({ numbers }) {
  const parts = numbers === null ? ['No numbers here'] : [
    `As of ${words.moment(numbers.as_of)}, event time`,
    words.behind((now() - Date.parse(numbers.as_of)) / 1000),
    `window ${numbers.window}`,
    `${words.count(numbers.samples)} samples`,
    numbers.effective_users === null ? null : `${words.count(numbers.effective_users)} effective users`,
    numbers.level.value === null ? null : `unleaked ${numbers.metric} ${words.level(numbers.level.value)}`,
  ];
  patch(at('context'), el('p', {}, parts.filter(Boolean).map((part) => el('span', {}, part))));
}

function notices(table) {
  const said = [];
  const say = (tone, text) => said.push(el('p', { class: `notice ${tone}` }, el('span', { 'aria-hidden': 'true' }, words.SIGNS[tone]), ' ', text));
  if (state.lostSince !== null) {
    say('bad', `Connection lost since ${words.clock(state.lostSince)}${state.reason ? ` (${state.reason})` : ''}. `
      + 'What stands here is from before; the page keeps trying.');
  }
  if (table === null) return said;
  if (table.health.alive) say('bad', `This worker is stuck: ${table.health.alive}.`);
  if (table.health.ready) say('open', `This worker is not ready: ${table.health.ready}.`);
  if (table.stale_since) say('open', `No new numbers since ${words.moment(table.stale_since)}, ${words.duration((now() - Date.parse(table.stale_since)) / 1000)} ago.`);
  const found = table.numbers;
  if (found && !found.warm_up.over) {
    say('open', `Warming up${found.warm_up.ends ? ` until ${words.moment(found.warm_up.ends)}, event time` : ''}: numbers are shown and not judged yet.`);
  }
  for (const [ranker, why] of Object.entries(found?.set_aside || {})) say('bad', `Ranker ${ranker} is set aside: ${why}.`);
  return said;
}

// A screen reader hears of changed diagnoses alone.
function announce(numbers) {
  const news = [];
  for (const one of numbers?.variants || []) {
    const key = `${numbers.window} ${one.key}`;
    const word = (words.DIAGNOSES[one.diagnosis] || [null, one.diagnosis])[1];
    if (state.told.has(key) && state.told.get(key) !== word) news.push(`${one.key}: ${word}, before ${state.told.get(key)}.`);
    state.told.set(key, word);
  }
  if (news.length) at('news').textContent = news.join(' ');
}

// The radio buttons are made once for each list of windows, so that the one in focus stays.
function choices(numbers) {
  const box = at('windows');
  box.hidden = numbers === null;
  if (numbers === null) return;
  const place = box.querySelector('.choices');
  if (place.dataset.known !== numbers.windows.join()) {
    place.dataset.known = numbers.windows.join();
    place.replaceChildren(...numbers.windows.map((name) => el('label', {}, el('input', { type: 'radio', name: 'window', value: name }), el('span', {}, name))));
  }
  const chosen = place.querySelector(`input[value="${CSS.escape(state.window || numbers.window)}"]`);
  if (chosen) chosen.checked = true;
}

at('windows').addEventListener('change', (event) => {
  state.window = event.target.value;
  ask();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) ask();
});
ask();
