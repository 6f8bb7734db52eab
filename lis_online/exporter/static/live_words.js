// How the page writes numbers, times and states: one form each.

export const NONE = '\u2013';

// A sign that reads as one: U+2212 for minus.
export const signed = (text) => text.replace('-', '\u2212');
export const difference = (value) => signed(`${value < 0 ? '' : '+'}${value.toFixed(4)}`);
export const level = (value) => value.toFixed(4);
export const percent = (value) => signed(`${(100 * value).toFixed(0)}%`);
export const share = (value) => signed(`${(100 * value).toFixed(1)}%`);
export const change = (value) => signed(`${value < 0 ? '' : '+'}${(100 * value).toFixed(2)}%`);
export const amount = (value) => (Math.abs(value) >= 1000 ? count(value) : signed(Number(value.toPrecision(4)).toString()));
export const count = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',');

// "2026-11-21 15:02:03 UTC" of a text or of milliseconds.
export const moment = (time) => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
export const clock = (time) => `${new Date(time).toISOString().slice(11, 19)} UTC`;

export const behind = (seconds) => (seconds < 0 ? `${duration(-seconds)} ahead of the clock` : `${duration(seconds)} behind the clock`);

// A stretch of time in its largest unit: 4 s, 12 min, 3.5 h, 2.1 d.
export function duration(seconds) {
  if (seconds < 0) return `${duration(-seconds)} ahead`;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86400).toFixed(1)} d`;
}

// A state of the page: its tone has a colour, and a sign and a word beside it.
export const SIGNS = { good: '\u2713', bad: '\u2715', open: '\u25cb' };

export const DIAGNOSES = {
  aligned: ['good', 'Aligned'],
  beyond_preference: ['good', 'Beyond preference'],
  misaligned: ['bad', 'Misaligned'],
  invalid_baseline: ['bad', 'Invalid baseline'],
  weak_preference_data: ['open', 'Weak preference data'],
  overloaded_sketch: ['bad', 'Overloaded sketch'],
  insufficient_data: ['open', 'Insufficient data'],
};

export const GUARDRAILS = { holds: ['good', 'Holds'], breached: ['bad', 'Breached'], undecided: ['open', 'Not decided'] };

export const PAUSES = {
  restoring: ['open', 'Restoring'],
  catching_up: ['open', 'Catching up'],
  history_unreachable: ['bad', 'History unreachable'],
  broker_unreachable: ['bad', 'Kafka unreachable'],
  registry_unreachable: ['bad', 'Schema registry unreachable'],
  other: ['open', 'Waiting'],
};
