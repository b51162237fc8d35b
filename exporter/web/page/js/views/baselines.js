// Every watched series with its band of what is normal, the furthest from it first.

import {instant} from '../api.js';
import {Chart} from '../chart.js';
import {h, reconcile} from '../dom.js';
import {labelText, selector} from '../format.js';
import {loadDeploys} from '../marks.js';

const kMost = 40;
const kFacts = ['score', 'ratio', 'regression', 'learning', 'since_timestamp_seconds', 'change', 'expected', 'lower', 'upper'];

export class BaselinesView {
  constructor(app) {
    this.app = app;
    this.charts = new Map();
    this.stop = new AbortController();
    this.absent = h('p', {class: 'absent', hidden: true},
                    'No baseline has learnt enough yet, or none is configured: see baselines in vigia.yml.');
    this.summary = h('p', {role: 'status'});
    this.list = h('div', {class: 'grid'});
    this.element = h('div', {}, h('h1', {}, 'Baselines'), this.absent, this.summary, this.list);
  }

  get ranged() {
    return true;
  }

  // Of what is under way, nothing is wanted any more.
  cancel() {
    this.stop.abort();
    this.stop = new AbortController();
    for (const chart of this.charts.values()) chart.cancel();
  }

  destroy() {
    this.cancel();
    for (const chart of this.charts.values()) chart.destroy();
  }

  restyle() {
    for (const chart of this.charts.values()) chart.restyle();
  }

  async update() {
    const {signal} = this.stop;
    const [deploys, ...answers] = await Promise.all(
        [loadDeploys({signal}), ...kFacts.map(name => instant(`vigia_baseline_${name}`, undefined, {signal}))]);
    if (signal.aborted) return;
    const facts = answers.map(({result}) => new Map(result.map(({metric, value}) => [identity(metric), {metric, value: Number(value[1])}])));
    const [scores, ratio, regression, learning, since, change, expected, lower, upper] = facts;
    const watched = [...scores].map(([key, {metric, value}]) => ({
      key, labels: metric, score: value, ratio: ratio.get(key)?.value, regression: regression.get(key)?.value ?? 0,
      learning: learning.get(key)?.value === 1, since: since.get(key)?.value ?? 0, change: change.get(key)?.metric.text ?? '',
      improved: change.get(key)?.metric.state === 'improvement',
      outside: outside(expected.get(key)?.value * ratio.get(key)?.value, lower.get(key)?.value, upper.get(key)?.value),
    })).sort(byDistance);
    this.absent.hidden = watched.length > 0;
    const count = test => watched.filter(test).length;
    this.summary.textContent = watched.length ? `${watched.length} series watched, ${count(one => one.regression > 0)} with a regression, ` +
        `${count(one => one.learning)} learning` + (watched.length > kMost ? `; the ${kMost} furthest from normal are shown` : '') : '';
    const shown = watched.slice(0, kMost);
    reconcile(this.list, shown, one => one.key, one => this.make(one), (element, one) => describe(element, one));
    this.drop(new Set(shown.map(one => one.key)));
    for (const {key, since: began, regression: worse} of shown) {
      this.charts.get(key).mark(began > 0 ? [...deploys, {time: began, text: 'change', color: worse > 0 ? '--critical' : '--good'}] : deploys);
    }
    await Promise.all([...this.charts.values()].map(chart => chart.update()));
  }

  make({key, labels}) {
    const {__name__: _, ...own} = labels;
    const select = selector(own);
    const chart = new Chart({
      title: `${labels.baseline} ${labelText(own, ['baseline', 'alertname'])}`, band: true, queries: [
        {expr: `vigia_baseline_upper${select}`, name: 'upper', color: '--band', width: 1},
        {expr: `vigia_baseline_lower${select}`, name: 'lower', color: '--band', width: 1},
        {expr: `vigia_baseline_expected${select}`, name: 'expected', color: '--quiet', dash: [6, 4]},
        {expr: `vigia_baseline_expected${select} * vigia_baseline_ratio${select}`, name: 'value', color: '--series-0', width: 2}]},
        {onZoom: (from, to) => this.app.zoom(from, to)});
    this.charts.set(key, chart);
    const state = h('span', {class: 'badge'});
    const words = h('span', {class: 'words'});
    return h('section', {class: 'card'}, chart.element, h('p', {class: 'line deviation'}, state, words));
  }

  drop(keep) {
    for (const [key, chart] of this.charts) {
      if (keep.has(key)) continue;
      chart.destroy();
      this.charts.delete(key);
    }
  }
}

// The same series has the same identity in all of its metrics; a change has labels of its own.
function identity(labels) {
  const {__name__: _, state: _state, text: _text, ...rest} = labels;
  return JSON.stringify(Object.entries(rest).sort());
}

// False where any of them is not known.
function outside(value, lower, upper) {
  return value < lower || value > upper;
}

function distance({ratio}) {
  return ratio > 0 ? Math.abs(Math.log(ratio)) : 0;
}

function byDistance(a, b) {
  return Math.abs(b.regression) - Math.abs(a.regression) || Number(a.learning) - Number(b.learning) || b.score - a.score ||
      distance(b) - distance(a) || (a.key < b.key ? -1 : 1);
}

function describe(element, one) {
  const state = one.regression > 0 ? 'regression' : one.learning ? 'learning' : one.improved ? 'improvement' : one.score > 0.5 || one.outside ? 'unusual' : 'normal';
  const badge = element.querySelector('.badge');
  badge.className = `badge ${{regression: 'firing', learning: 'quiet', unusual: 'pending', improvement: 'up', normal: 'up'}[state]}`;
  badge.textContent = state;
  element.querySelector('.words').textContent = one.change || comparison(one.ratio);
  element.classList.toggle('bad', one.regression > 0);
}

function comparison(ratio) {
  if (ratio === undefined || !Number.isFinite(ratio)) return '';
  const percent = Math.abs(ratio - 1) * 100;
  if (percent < 0.5) return 'as expected';
  return `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)}\u202f% ${ratio > 1 ? 'above' : 'below'} what is expected`;
}
