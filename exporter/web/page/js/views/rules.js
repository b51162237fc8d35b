// Every rule with its state, its last evaluation and its cost; those that can never fire are marked.

import {get} from '../api.js';
import {h} from '../dom.js';
import {duration, format, parseTime} from '../format.js';
import {now} from '../state.js';
import {Table} from '../table.js';

export class RulesView {
  constructor() {
    this.filter = h('input', {type: 'search', id: 'rule-filter', placeholder: 'name, group or expression',
                              oninput: () => this.draw()});
    this.table = new Table({
      caption: 'Rules', quiet: true, sort: 0, most: 500, empty: 'no rules', columns: [
        {name: 'State', value: order, show: rule => h('span', {class: `badge ${stateOf(rule)}`}, stateOf(rule))},
        {name: 'Rule', value: rule => rule.name, show: rule => h('a', {href: `#/journal?alert=${encodeURIComponent(rule.name)}`}, rule.name)},
        {name: 'Group', wide: true, value: rule => rule.group},
        {name: 'Expression', value: rule => rule.query,
         show: rule => h('a', {class: 'code', href: `#/explore?expr=${encodeURIComponent(rule.query)}`}, rule.query)},
        {name: 'For', wide: true, unit: 'seconds', value: rule => rule.duration ?? 0, show: rule => (rule.duration ? duration(rule.duration) : '')},
        {name: 'Alerts', wide: true, unit: 'number', value: rule => rule.alerts?.length ?? 0},
        {name: 'Evaluated', wide: true, unit: 'seconds', value: age, show: rule => (parseTime(rule.lastEvaluation) ? `${duration(age(rule))} ago` : 'not yet')},
        {name: 'Took', wide: true, unit: 'seconds', value: rule => rule.evaluationTime ?? 0, show: rule => format(rule.evaluationTime, 'seconds')},
        {name: 'Error', value: rule => rule.lastError ?? '', show: rule => h('span', {class: 'error'}, rule.lastError ?? '')},
      ]});
    this.summary = h('p', {role: 'status'});
    this.element = h('div', {}, h('h1', {}, 'Rules'), this.summary,
                     h('p', {}, h('label', {for: 'rule-filter'}, 'Filter '), this.filter), this.table.element);
    this.rules = [];
  }

  async update() {
    const {data} = await get('/api/v1/rules');
    this.rules = data.groups.flatMap(group => group.rules.map(rule => ({...rule, group: group.name, file: group.file})));
    const failing = this.rules.filter(rule => rule.health === 'err').length;
    const dead = this.rules.filter(rule => rule.dead).length;
    this.summary.textContent = `${this.rules.length} rules in ${data.groups.length} ${data.groups.length === 1 ? 'group' : 'groups'}, ${failing} failing` +
        (dead ? `, ${dead} that no series can reach` : '');
    this.draw();
  }

  draw() {
    const wanted = this.filter.value.trim().toLowerCase();
    this.table.set(this.rules.filter(rule => !wanted ||
        `${rule.name} ${rule.group} ${rule.query}`.toLowerCase().includes(wanted)));
  }
}

function age(rule) {
  const time = parseTime(rule.lastEvaluation);
  return time ? now() - time : Infinity;
}

function stateOf(rule) {
  if (rule.health === 'err') return 'error';
  if (rule.type === 'recording') return 'recording';
  if (rule.dead && rule.state === 'inactive') return 'dead';
  return rule.state ?? 'unknown';
}

function order(rule) {
  const at = ['error', 'firing', 'pending', 'dead', 'inactive', 'recording'].indexOf(stateOf(rule));
  return at < 0 ? 9 : at;
}
