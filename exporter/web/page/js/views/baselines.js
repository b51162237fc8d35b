// Every watched series with its band of what is normal, the furthest from it first.

import {instant} from '../api.js';
import {Chart} from '../chart.js';
import {h, reconcile} from '../dom.js';
import {format, labelText, selector} from '../format.js';

const kMost = 40;

export class BaselinesView {
  constructor(app) {
    this.app = app;
    this.charts = new Map();
    this.absent = h('p', {class: 'absent', hidden: true},
                    'No baseline has learnt enough yet, or none is configured: see baselines in vigia.yml.');
    this.summary = h('p', {role: 'status'});
    this.list = h('div', {class: 'grid'});
    this.element = h('div', {}, h('h1', {}, 'Baselines'), this.absent, this.summary, this.list);
  }

  get ranged() {
    return true;
  }

  destroy() {
    for (const chart of this.charts.values()) chart.destroy();
  }

  restyle() {
    for (const chart of this.charts.values()) chart.restyle();
  }

  async update() {
    const [scores, ratios, regressions] = await Promise.all(
        ['score', 'ratio', 'regression'].map(name => instant(`vigia_baseline_${name}`)));
    const of = answer => new Map(answer.result.map(({metric, value}) => [identity(metric), Number(value[1])]));
    const [ratio, regression] = [of(ratios), of(regressions)];
    const watched = scores.result.map(({metric, value}) => {
      const key = identity(metric);
      return {key, labels: metric, score: Number(value[1]), ratio: ratio.get(key), regression: regression.get(key) ?? 0};
    }).sort((a, b) => Math.abs(b.regression) - Math.abs(a.regression) || b.score - a.score || a.key.localeCompare(b.key));
    this.absent.hidden = watched.length > 0;
    const off = watched.filter(one => one.regression > 0).length;
    this.summary.textContent = watched.length ? `${watched.length} series watched, ${off} with a regression` +
        (watched.length > kMost ? `; the ${kMost} furthest from normal are shown` : '') : '';
    const shown = watched.slice(0, kMost);
    reconcile(this.list, shown, one => one.key, one => this.make(one), (element, one) => describe(element, one));
    this.drop(new Set(shown.map(one => one.key)));
    await Promise.all([...this.charts.values()].map(chart => chart.update()));
  }

  make({key, labels}) {
    const {__name__: _, ...own} = labels;
    const select = selector(own);
    const chart = new Chart({
      title: `${labels.baseline} ${labelText(own, ['baseline', 'alertname'])}`, queries: [
        {expr: `vigia_baseline_upper${select}`, name: 'upper', color: '--band', width: 1},
        {expr: `vigia_baseline_lower${select}`, name: 'lower', color: '--band', width: 1},
        {expr: `vigia_baseline_expected${select}`, name: 'expected', color: '--quiet', dash: [6, 4]},
        {expr: `vigia_baseline_expected${select} * vigia_baseline_ratio${select}`, name: 'value', color: '--series-0', width: 2}]},
        {onZoom: (from, to) => this.app.zoom(from, to)});
    this.charts.set(key, chart);
    const words = h('p', {class: 'deviation'});
    return h('section', {class: 'card'}, chart.element, words);
  }

  drop(keep) {
    for (const [key, chart] of this.charts) {
      if (keep.has(key)) continue;
      chart.destroy();
      this.charts.delete(key);
    }
  }
}

function identity(labels) {
  const {__name__: _, ...rest} = labels;
  return JSON.stringify(Object.entries(rest).sort());
}

function describe(element, one) {
  const change = one.ratio === undefined || Number.isNaN(one.ratio) ? ''
      : `${one.ratio >= 1 ? '+' : ''}${format((one.ratio - 1) * 100, 'percent')} against the expected value`;
  element.querySelector('.deviation').textContent =
      `${one.regression > 0 ? 'Regression: ' : ''}${change ? `${change}; ` : ''}score ${format(one.score)}`;
  element.classList.toggle('bad', one.regression > 0);
}
