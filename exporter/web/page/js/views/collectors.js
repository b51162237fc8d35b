// Every collector: whether it is up, how old its data is, what it costs, its last error.

import {h} from '../dom.js';
import {duration} from '../format.js';
import {now, state} from '../state.js';
import {Table} from '../table.js';

export class CollectorsView {
  constructor() {
    const state_of = one => (one.up ? 'up' : one.has_run ? 'down' : 'starting');
    this.table = new Table({
      caption: 'Collectors', quiet: true, sort: 0, most: 1000, columns: [
        {name: 'State', value: state_of, show: one => h('span', {class: `badge ${state_of(one)}`}, state_of(one))},
        {name: 'Collector', value: one => one.collector},
        {name: 'Instance', wide: true, value: one => one.instance},
        {name: 'Age', unit: 'seconds', value: one => (one.last_success ? now() - one.last_success : Infinity),
         show: one => (one.last_success ? duration(now() - one.last_success) : 'never')},
        {name: 'Interval', unit: 'seconds', wide: true, value: one => one.interval_seconds, show: one => duration(one.interval_seconds)},
        {name: 'Took', unit: 'seconds', value: one => one.duration_seconds},
        {name: 'Series', unit: 'number', value: one => one.series},
        {name: 'Dropped', wide: true, unit: 'number', value: one => one.dropped_series_total},
        {name: 'Failures', wide: true, unit: 'number', value: one => one.failures_total},
        {name: 'Timeouts', wide: true, unit: 'number', value: one => one.timeouts_total},
        {name: 'Last error', value: one => one.last_error, show: one => h('span', {class: 'error'}, one.last_error)},
      ]});
    this.summary = h('p', {role: 'status'});
    this.element = h('div', {}, h('h1', {}, 'Collectors'), this.summary, this.table.element);
  }

  async update() {
    const all = state.status.collectors;
    const down = all.filter(one => one.has_run && !one.up).length;
    const series = all.reduce((sum, one) => sum + one.series, 0);
    this.summary.textContent = `${all.length} collectors, ${down} down, ${series} series, ` +
        `vigia ${state.status.version} up for ${duration(now() - state.status.started)}`;
    this.table.set(all);
  }
}
