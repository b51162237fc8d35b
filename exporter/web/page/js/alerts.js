// The alerts as a person sees them: what the rules say, joined with what routing made of it.

import {ApiError, get} from './api.js';
import {parseTime} from './format.js';

export const kSeverities = ['critical', 'page', 'error', 'warning', 'info', 'none'];

// Part of vigia may be switched off; then there is nothing to show of it.
async function optional(promise, otherwise) {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return otherwise;
    throw error;
  }
}

export function labelKey(labels) {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// [{key, labels, annotations, state, since, value, rule, held, silencedBy, inhibitedBy, mutedBy, ack}],
// the most urgent first.
export async function loadAlerts() {
  const [rules, routed] = await Promise.all([
    optional(get('/api/v1/rules', {type: 'alert'}), {data: {groups: []}}),
    optional(get('/api/v2/alerts'), []),
  ]);
  const alerts = new Map();
  for (const group of rules.data.groups) {
    for (const rule of group.rules) {
      for (const one of rule.alerts ?? []) alerts.set(labelKey(one.labels), fromRule(one, rule, group));
    }
  }
  for (const one of routed) {
    const key = labelKey(one.labels);
    const alert = alerts.get(key) ?? fromOutside(one);
    alerts.set(key, {...alert, ...routing(one), key});
  }
  return [...alerts.values()].map(alert => ({...alert, shown: shownState(alert)})).sort(byUrgency);
}

function fromRule(one, rule, group) {
  return {key: labelKey(one.labels), labels: one.labels, annotations: one.annotations, state: one.state,
          since: parseTime(one.activeAt), value: Number(one.value), rule, group: group.name,
          held: one.vigia_held === true};
}

// Another Prometheus has sent it.
function fromOutside(one) {
  return {labels: one.labels, annotations: one.annotations, state: 'firing', since: parseTime(one.startsAt)};
}

function routing({status, fingerprint, receivers, acknowledged}) {
  return {fingerprint, silencedBy: status.silencedBy ?? [], inhibitedBy: status.inhibitedBy ?? [],
          mutedBy: status.mutedBy ?? [], receivers: (receivers ?? []).map(one => one.name),
          ack: acknowledged ?? null};
}

function shownState(alert) {
  if (alert.held) return 'held';
  if (alert.state !== 'firing') return alert.state;
  if (alert.silencedBy?.length) return 'silenced';
  if (alert.ack) return 'acknowledged';
  if (alert.inhibitedBy?.length) return 'inhibited';
  if (alert.mutedBy?.length) return 'muted';
  return 'firing';
}

const kOrder = ['firing', 'held', 'pending', 'acknowledged', 'silenced', 'muted', 'inhibited'];

function rank(list, value) {
  const at = list.indexOf(value);
  return at < 0 ? list.length : at;
}

function byUrgency(a, b) {
  return rank(kOrder, a.shown) - rank(kOrder, b.shown) ||
      rank(kSeverities, a.labels.severity) - rank(kSeverities, b.labels.severity) ||
      b.since - a.since || (a.key < b.key ? -1 : 1);
}

// Splits "expression > 5" at its last comparison with a number outside of all brackets:
// {expr, threshold}, or null. What is left of it has a value even while nothing fires.
export function splitThreshold(query) {
  const match = /^([\s\S]+?)\s*(>=|<=|==|!=|>|<)\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*$/i.exec(query);
  if (!match || !balanced(match[1]) || /\b(and|or|unless)\b/i.test(stripped(match[1]))) return null;
  return {expr: match[1], op: match[2], threshold: Number(match[3])};
}

function stripped(text) {
  return text.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, '""');
}

function balanced(text) {
  let depth = 0;
  for (const character of stripped(text)) {
    if ('([{'.includes(character)) ++depth;
    if (')]}'.includes(character) && --depth < 0) return false;
  }
  return depth === 0;
}
