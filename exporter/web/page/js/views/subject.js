// Host, PostgreSQL, Redis, endpoints, KPIs: charts and tables of one subject.

import {instant, labelValues} from '../api.js';
import {Chart} from '../chart.js';
import {h, isNear} from '../dom.js';
import {loadDeploys} from '../marks.js';
import {rateWindow} from '../state.js';
import {subjects} from '../subjects.js';
import {Table} from '../table.js';

const kMostKpis = 60;

export class SubjectView {
  constructor(name, app) {
    this.subject = subjects[name];
    this.app = app;
    this.charts = this.subject.charts.map(spec => this.chart(spec));
    this.tables = this.subject.tables.map(spec => ({spec, table: makeTable(spec)}));
    this.sight = new IntersectionObserver(entries => this.seen(entries), {rootMargin: '50%'});
    for (const {table} of this.tables) this.sight.observe(table.element);
    this.found = new Map();
    this.absent = h('p', {class: 'absent', hidden: true}, this.subject.absent);
    this.grid = h('div', {class: 'grid'}, this.charts.map(chart => chart.element));
    this.element = h('div', {}, h('h1', {}, this.subject.title), this.absent, this.grid,
                     this.tables.map(({table}) => table.element));
    this.last = this.charts[0].element;  // those of metrics that are found stand before it
    this.stop = new AbortController();
  }

  get ranged() {
    return true;
  }

  chart(spec) {
    return new Chart(spec, {onZoom: (from, to) => this.app.zoom(from, to)});
  }

  // Of what is under way, nothing is wanted any more.
  cancel() {
    this.stop.abort();
    this.stop = new AbortController();
    for (const chart of this.charts) chart.cancel();
  }

  destroy() {
    this.cancel();
    this.sight.disconnect();
    for (const chart of this.charts) chart.destroy();
  }

  restyle() {
    for (const chart of this.charts) chart.restyle();
  }

  async update() {
    await Promise.all([...this.charts.map(chart => chart.update()), this.lookFor(), this.mark(), this.discover(),
                       ...this.tables.map(entry => this.fill(entry))]);
  }

  // Tables that came into sight were not asked for while they were out of it.
  seen(entries) {
    for (const {target, isIntersecting} of entries) {
      const entry = this.tables.find(({table}) => table.element === target);
      // Whether vigia answers is the poll's to tell.
      if (isIntersecting && entry.skipped) this.fill(entry).catch(() => {});
    }
  }

  // What nobody watches has a sentence instead of empty charts.
  async lookFor() {
    const {result} = await this.ask(`count(${this.subject.probe})`);
    this.absent.hidden = result.length > 0;
    for (const part of [this.grid, ...this.tables.map(({spec, table}) => (spec.optional ? null : table.element))]) {
      if (part) part.hidden = !this.absent.hidden;
    }
  }

  async mark() {
    const deploys = await loadDeploys({signal: this.stop.signal});
    for (const chart of this.charts) chart.mark(deploys);
  }

  ask(expr) {
    return instant(expr, undefined, {signal: this.stop.signal});
  }

  // Joins the columns' answers by the key of their labels; the leading column decides the rows.
  async fill(entry) {
    const {spec, table} = entry;
    entry.skipped = !table.element.hidden && !isNear(table.element);
    if (entry.skipped) return;
    const rows = new Map();
    const answers = await Promise.all(spec.columns.map(column => (column.expr
        ? this.ask(column.expr.replaceAll('$rate', rateWindow())) : null)));
    const leads = spec.columns.some(column => column.leads);
    spec.columns.forEach((column, i) => {
      for (const {metric, value} of answers[i]?.result ?? []) {
        const key = spec.key(metric);
        if (!rows.has(key)) rows.set(key, {labels: metric, values: [], leading: false});
        const row = rows.get(key);
        row.values[i] = Number(value[1]);
        row.leading ||= !leads || Boolean(column.leads);
      }
    });
    table.set([...rows.values()].filter(row => row.leading));
    if (spec.optional) table.element.hidden = !rows.size;
  }

  // A chart for each metric that came since the last look.
  async discover() {
    if (!this.subject.discover) return;
    const {signal} = this.stop;
    const added = [];
    const names = await labelValues('__name__', {'match[]': `{__name__=~"${this.subject.discover}"}`});
    if (signal.aborted) return;
    for (const name of names.slice(0, kMostKpis)) {
      if (this.found.has(name)) continue;
      const title = name.replace(/^kpi_/, '').replaceAll('_', ' ');
      const chart = this.chart({title, unit: name.endsWith('_ratio') ? 'ratio' : 'number',
                                queries: [{expr: name, name: labels => legend(labels, title)}]});
      this.found.set(name, chart);
      this.charts.push(chart);
      this.grid.insertBefore(chart.element, this.last);
      added.push(chart.update());
    }
    await Promise.all(added);
  }
}

// What tells one series of a metric from the others.
function legend({__name__: _, ...labels}, title) {
  return Object.values(labels).join(' ') || title;
}

function makeTable(spec) {
  const table = new Table({
    caption: spec.caption, sort: spec.sort, descending: spec.descending,
    columns: spec.columns.map((column, i) => ({
      name: column.name, unit: column.unit,
      value: row => (column.expr ? row.values[i] : column.text ? column.text(row.labels) : row.labels[column.label] ?? '')})),
  });
  table.element.hidden = Boolean(spec.optional);
  return table;
}
