// The page's sections, each drawn from one part of /api/v1/live.

import { bar, scale, spark } from './live_charts.js';
import { el, table } from './live_elements.js';
import * as words from './live_words.js';

// A state: sign, word and colour.
export function badge([tone, word]) {
  return el('span', { class: `badge ${tone}` }, el('span', { 'aria-hidden': 'true' }, words.SIGNS[tone]), ` ${word}`);
}

const missing = (reason) => el('span', { class: 'none' }, `${words.NONE} `, el('span', { class: 'within' }, reason || 'no number'));

// A number with its interval, its place in the column and its last values.
function number(found, form, column) {
  if (!found || found.value === null) return missing(found?.reason);
  const known = found.lower !== null && found.lower !== undefined;
  const within = known ? `${form(found.lower)} to ${form(found.upper)}` : found.reason || 'no interval';
  return [
    el('span', { class: 'value' }, form(found.value), found.learning_noise ? el('abbr', { title: 'learning noise: the interval is widened' }, '~') : null),
    el('span', { class: `within${known ? ' ends' : ''}` }, within),
    bar(found, column),
    spark(found.trail, form),
  ];
}

const plain = (value, form) => (value === null || value === undefined ? missing('none yet') : el('span', { class: 'value' }, form(value)));

const section = (title, about, ...content) => el('section', {}, el('h2', {}, title), about && el('p', { class: 'about' }, about), content);

export function variants(numbers) {
  const sources = Object.fromEntries(numbers.sources.map((one) => [one.name, one]));
  const all = numbers.variants;
  const lis = scale(numbers.sources.map((one) => one.adjusted_lis), 0);
  const ais = scale(all.map((one) => one.adjusted_ais), 0);
  const efficiency = scale(all.map((one) => one.efficiency), 0);
  const pairs = scale(all.map((one) => one.pair_alignment), 0.5);
  const rows = all.map((one) => [
    [el('span', { class: 'name' }, one.name || one.key),
      el('span', { class: 'within' }, `${one.version ? `version ${one.version}` : 'no version yet'}${one.newest ? '' : ', not the newest'}`),
      el('span', { class: 'within' }, `aligned on ${one.source}`)],
    [badge(words.DIAGNOSES[one.diagnosis] || ['open', one.diagnosis || 'Not judged']), el('span', { class: 'sentence' }, one.sentence || '')],
    number(sources[one.source]?.adjusted_lis, words.difference, lis),
    number(one.adjusted_ais, words.difference, ais),
    number(one.efficiency, words.percent, efficiency),
    number(one.pair_alignment, words.share, pairs),
    plain(one.coverage, words.percent),
  ]);
  const columns = ['Variant', 'Diagnosis', 'Adjusted LIS', 'Adjusted AIS', 'Efficiency', 'Pair alignment', 'Coverage'];
  return section('Variants', 'What each representation delivers of what its preference data could bring.',
    all.length ? table('Variants: diagnosis and numbers with their intervals', columns, rows) : el('p', {}, 'No variant is declared.'));
}

export function sources(numbers) {
  const all = numbers.sources;
  const columns = ['Source', 'Adjusted LIS', 'LIS', 'Past alone', 'Placebo', 'Bound', 'Coverage'];
  const scales = ['adjusted_lis', 'lis', 'past', 'placebo', 'bound'].map((name) => [name, scale(all.map((one) => one[name]), 0)]);
  const rows = all.map((one) => [
    el('span', { class: 'name' }, one.name),
    ...scales.map(([name, column]) => number(one[name], words.difference, column)),
    plain(one.coverage, words.percent),
  ]);
  return section('Preference sources', 'What a ranker gains that sees each source\u2019s future pairs.',
    all.length ? table('Preference sources: what each can bring', columns, rows) : el('p', {}, 'No source is declared.'));
}

export function experiments(all) {
  return all.length === 0 ? null : section('Experiments', 'Lifts over control, with intervals that may be watched all day.', all.map(experiment));
}

function experiment(found) {
  const ratio = found.sample_ratio;
  const verdict = ratio.p_value === null
    ? badge(['open', `Sample ratio not checked: ${ratio.reason || 'no users'}`])
    : badge(ratio.mismatch ? ['bad', 'Sample ratio mismatch: do not read the lifts'] : ['good', 'Sample ratio as declared']);
  const lifts = found.arms.flatMap((arm) => arm.metrics.map((one) => one.lift)).filter((one) => one !== null);
  const column = scale(lifts, 0);
  const rows = found.arms.flatMap((arm) => (arm.metrics.length ? arm.metrics : [null]).map((one) => [
    [el('span', { class: 'name' }, arm.arm), el('span', { class: 'within' }, arm.variant ? `serves ${arm.variant}` : 'serves no variant')],
    one === null ? missing(found.reason) : one.metric,
    one === null ? missing('') : one.level.value === null ? missing(one.level.reason) : el('span', { class: 'value' }, words.amount(one.level.value)),
    one === null ? missing('') : lift(one.lift, column),
    one?.guardrail ? badge(words.GUARDRAILS[one.guardrail]) : el('span', { class: 'within' }, 'none'),
    [plain(arm.users, words.count), arm.crossed ? el('span', { class: 'within' }, `${words.count(arm.crossed)} left out, in several arms`) : null],
  ]));
  return el('div', { class: 'experiment' }, el('h3', {}, found.name, ' ', verdict),
    found.reason && el('p', { class: 'about' }, `Nothing is compared: ${found.reason}.`),
    table(`Experiment ${found.name}: arms against ${found.control}`, ['Arm', 'Metric', 'Level', 'Lift', 'Guardrail', 'Users'], rows));
}

function lift(found, column) {
  if (found === null) return el('span', { class: 'within' }, 'control');
  const side = !Number.isFinite(found.lower) ? null : found.lower > 0 ? '\u25b2 above control' : found.upper < 0 ? '\u25bc below control' : 'not decided yet';
  return [number(found, words.change, column), side && el('span', { class: 'within side' }, side)];
}

const FIGURES = { adjusted_lis: words.difference, adjusted_ais: words.difference, twin: words.difference, auc: words.level,
  efficiency: words.percent, pair_alignment: words.share, coverage: words.percent };

// Changes that were seen, open ones first; nothing where drift is not looked for.
export function drift(found) {
  if (!found) return null;
  const watched = `${words.count(found.judged)} numbers are watched`;
  if (!found.events.length) return section('Drift', found.judged ? `${watched}; none has left its level.` : 'The numbers\u2019 levels are not known yet.');
  const rows = found.events.map((one) => {
    const form = FIGURES[one.number] || words.amount;
    return [
      [el('span', { class: 'name' }, one.subject || 'Input and ranker'), el('span', { class: 'within' }, one.number.replaceAll('_', ' '))],
      [badge(one.open ? ['bad', 'Drifting'] : ['good', 'Over']), el('span', { class: 'sentence' }, one.sentence)],
      one.cause,
      number(one.before, form, { from: 0, to: 0 }),
      number(one.after, form, { from: 0, to: 0 }),
    ];
  });
  return section('Drift', `${watched}; ${found.active ? words.count(found.active) : 'none'} away from its level now.`,
    table('Drift: numbers that left their level', ['Number', 'State', 'Cause', 'Before', 'After'], rows));
}

const SLOW = 300; // s with records to read and no batch, after which a shard is said not to move

function shardState(one, now) {
  if (one.paused) return words.PAUSES[one.paused] || words.PAUSES.other;
  if (one.lag === 0) return ['good', 'Up to date'];
  const idle = (now - Date.parse(one.last_batch_at ?? one.assigned_at)) / 1000;
  return one.lag > 0 && idle > SLOW ? ['bad', 'Not moving'] : ['good', 'Working'];
}

const ORDER = ['join', 'rank', 'publish'];

export function health(found, now) {
  const ago = (time) => (time === null ? missing('not yet') : el('span', {}, `${words.duration((now - Date.parse(time)) / 1000)} ago`));
  const rows = found.shards.toSorted((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role)).map((one) => [
    el('span', { class: 'name' }, `${one.role} ${one.partition}`),
    badge(shardState(one, now)),
    one.lag === null ? missing('not known') : words.count(one.lag),
    one.watermark === null ? missing(one.role === 'publish' ? 'follows rank' : 'not yet') : words.duration((now - Date.parse(one.watermark)) / 1000),
    ago(one.last_batch_at),
    ago(one.checkpoint_at),
  ]);
  const columns = ['Shard', 'State', 'Records to read', 'Watermark behind', 'Last batch', 'Last checkpoint'];
  const roles = found.roles.length ? `This worker: ${found.roles.join(', ')}.` : 'This worker has no role.';
  const wrote = found.history && `History: ${words.count(found.history.rows)} rows written, ${words.count(found.history.failures)} tries failed`
    + `${found.history.written_at ? `, last ${words.duration((now - Date.parse(found.history.written_at)) / 1000)} ago` : ''}.`;
  return section('Pipeline', [roles, wrote].filter(Boolean).join(' '),
    rows.length ? table('Shards of this worker', columns, rows) : el('p', {}, 'No partition is assigned to this worker: it stands by.'));
}
