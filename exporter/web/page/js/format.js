// Numbers, times and labels as people read them.

const kDecimal = ['', 'k', 'M', 'G', 'T', 'P'];
const kBinary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function signed(value, text) {
  return value < 0 ? `-${text}` : text;
}

function scaled(value, base, units) {
  let i = 0;
  let rest = Math.abs(value);
  while (rest >= base && i < units.length - 1) {
    rest /= base;
    ++i;
  }
  return signed(value, digits(rest) + (units[i] ? `\u202f${units[i]}` : ''));
}

// Three significant digits of a number that is not negative, without needless zeros.
function digits(value) {
  if (value === 0) return '0';
  if (value >= 100) return value.toFixed(0);
  if (value < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

export function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return '0\u202fs';
  if (size < 1e-3) return signed(value, `${digits(size * 1e6)}\u202fµs`);
  if (size < 1) return signed(value, `${digits(size * 1e3)}\u202fms`);
  if (size < 120) return signed(value, `${digits(size)}\u202fs`);
  return duration(value);
}

// 93784 -> "1d 2h"
export function duration(value) {
  let rest = Math.round(Math.abs(value));
  const parts = [];
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || (unit === 's' && !parts.length)) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return signed(value, parts.join(' '));
}

const kFormats = {
  number: value => (Number.isInteger(value) && Math.abs(value) < 1e5 ? String(value)
                                                                      : scaled(value, 1000, kDecimal)),
  bytes: value => scaled(value, 1024, kBinary),
  'bytes/s': value => `${scaled(value, 1024, kBinary)}/s`,
  '/s': value => `${scaled(value, 1000, kDecimal)}/s`,
  percent: value => signed(value, `${digits(Math.abs(value))}\u202f%`),
  ratio: value => kFormats.percent(value * 100),
  seconds,
  up: value => ({0: 'down', 1: 'up'})[value] ?? '',
};

export function format(value, unit = 'number') {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '+∞' : '−∞';
  return (kFormats[unit] ?? kFormats.number)(value);
}

const pad = number => String(number).padStart(2, '0');

// Of these functions none uses Intl, whose first use costs a browser 10 to 25 ms.
export function clock(time) {
  const date = new Date(time * 1000);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function stamp(time) {
  const date = new Date(time * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(time)}`;
}

// The order of names for people: without regard to case, "sda2" before "sda10".
export function compareNames(a, b) {
  const [left, right] = [a, b].map(text => text.toLowerCase().match(/\d+|\D+/g) ?? []);
  for (let i = 0; i < left.length && i < right.length; ++i) {
    if (left[i] === right[i]) continue;
    return Number(left[i]) - Number(right[i]) || (left[i] < right[i] ? -1 : 1);
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

// RFC 3339 to Unix seconds; 0 for the "never" of Go and for what is no time.
export function parseTime(text) {
  const time = typeof text === 'number' ? text : Date.parse(text) / 1000;
  return Number.isFinite(time) && time > 0 ? time : 0;
}

export function labelText(labels, skip = ['__name__', 'alertname']) {
  return Object.entries(labels)
      .filter(([name]) => !skip.includes(name))
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ');
}

export function seriesText(labels) {
  const rest = labelText(labels);
  return (labels.__name__ ?? '') + (rest ? `{${rest}}` : '') || '{}';
}

// A matcher list that selects exactly these labels.
export function selector(labels) {
  const quote = value => JSON.stringify(value).replace(/\u2028|\u2029/g, '');
  return `{${Object.entries(labels).map(([name, value]) => `${name}=${quote(value)}`).join(',')}}`;
}
