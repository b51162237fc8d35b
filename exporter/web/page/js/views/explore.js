// A PromQL box: completion, table and graph, errors with their place, shared by its URL.

import {get, instant, labelValues, range} from '../api.js';
import {Chart} from '../chart.js';
import {h, replace} from '../dom.js';
import {seriesText} from '../format.js';
import {frame} from '../state.js';
import {Table} from '../table.js';

const kMostChoices = 12;

export class ExploreView {
  constructor(app, parameters) {
    this.app = app;
    this.box = h('textarea', {
      id: 'expr', rows: '2', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off',
      role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'choices', 'aria-autocomplete': 'list',
      placeholder: 'sum by (mode) (rate(node_cpu_seconds_total[1m]))',
      oninput: () => this.suggest(), onkeydown: event => this.key(event), onblur: () => this.close()});
    this.box.value = parameters.get('expr') ?? '';
    this.choices = h('ul', {id: 'choices', role: 'listbox', 'aria-label': 'Completions', hidden: true});
    this.fault = h('pre', {class: 'fault', role: 'alert', hidden: true});
    this.notes = h('ul', {class: 'notes'});
    this.summary = h('p', {class: 'quiet', role: 'status'});
    this.graph = h('div', {});
    this.table = new Table({
      caption: 'Values now', sort: 1, descending: true, empty: 'no series',
      columns: [{name: 'Series', value: row => row.name}, {name: 'Value', unit: 'number', value: row => row.value,
                 show: row => row.text}]});
    this.element = h('div', {}, h('h1', {}, 'Explore'),
        h('form', {class: 'query', onsubmit: event => { event.preventDefault(); this.submit(); }},
          h('label', {for: 'expr'}, 'PromQL'),
          h('div', {class: 'combo'}, this.box, this.choices),
          h('button', {type: 'submit', class: 'primary'}, 'Run'),
          h('button', {type: 'button', onclick: () => this.tidy()}, 'Format')),
        this.fault, this.notes, this.summary, this.graph, this.table.element);
    this.words = [];
    this.stop = new AbortController();
    this.loadNames();
  }

  get ranged() {
    return true;
  }

  // Whether the address asks for another expression than the one shown.
  reads(parameters) {
    return (parameters.get('expr') ?? '') !== this.box.value.trim();
  }

  async loadNames() {
    try {
      const [metrics, labels, language] = await Promise.all(
          [labelValues('__name__'), get('/api/v1/labels'), get('/api/vigia/v1/language')]);
      this.words = [...metrics, ...language.functions, ...language.keywords, ...labels.data];
    } catch {
      // Completion does without; the poll tells that vigia does not answer.
    }
  }

  // Of what is under way, nothing is wanted any more.
  cancel() {
    this.stop.abort();
    this.stop = new AbortController();
    this.chart?.cancel();
  }

  destroy() {
    this.cancel();
    this.chart?.destroy();
  }

  restyle() {
    this.chart?.restyle();
  }

  submit() {
    this.close();
    this.app.setParameters({expr: this.box.value.trim()});
    this.shown = null;
    this.app.restart();
  }

  async tidy() {
    try {
      this.box.value = (await get('/api/v1/format_query', {query: this.box.value})).data;
      this.showFault(null);
    } catch (error) {
      this.showFault(error);
    }
  }

  async update() {
    const expr = this.box.value.trim();
    if (!expr || (this.failed && this.shown === expr)) return;
    if (this.shown !== expr) this.begin(expr);
    const {signal} = this.stop;
    const begun = performance.now();
    try {
      const answer = await instant(expr, undefined, {signal});
      if (signal.aborted) return;
      this.showFault(null);
      this.showAnswer(answer, performance.now() - begun);
      if (this.chart && answer.resultType !== 'string' && answer.resultType !== 'matrix') await this.chart.update();
    } catch (error) {
      if (signal.aborted) return;
      this.failed = error.status > 0;
      this.showFault(error);
    }
  }

  begin(expr) {
    this.shown = expr;
    this.failed = false;
    this.chart?.destroy();
    this.chart = new Chart({title: expr, queries: [{expr}]}, {onZoom: (from, to) => this.app.zoom(from, to)});
    replace(this.graph, this.chart.element);
  }

  showAnswer({resultType, result, warnings, infos}, took) {
    const rows = resultType === 'scalar' || resultType === 'string'
        ? [{name: resultType, value: Number(result[1]), text: result[1]}]
        : result.map(({metric, value, values}) => {
            const last = value ?? values.at(-1);
            return {name: seriesText(metric), value: Number(last[1]), text: last[1]};
          });
    this.graph.hidden = resultType === 'string' || resultType === 'matrix';
    this.table.set(rows);
    this.summary.textContent = `${rows.length} series, ${took.toFixed(0)} ms`;
    replace(this.notes, [...warnings, ...infos].map(text => h('li', {}, text)));
  }

  // Prometheus' errors begin with line:column of the fault; the line is shown with a mark below.
  showFault(error) {
    this.fault.hidden = !error;
    if (!error) return;
    const place = /(\d+):(\d+)/.exec(error.message);
    const lines = this.box.value.split('\n');
    const line = place ? lines[Number(place[1]) - 1] : undefined;
    replace(this.fault, error.message);
    if (line !== undefined && error.type === 'bad_data') {
      this.fault.append(`\n\n${line}\n${' '.repeat(Math.max(0, Number(place[2]) - 1))}^`);
    }
    this.summary.textContent = '';
  }

  word() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    return /[A-Za-z_:][\w:]*$/.exec(before)?.[0] ?? '';
  }

  suggest() {
    const word = this.word().toLowerCase();
    if (word.length < 2) return this.close();
    const starts = [];
    const holds = [];
    for (const name of this.words) {
      const at = name.toLowerCase().indexOf(word);
      if (at === 0) starts.push(name);
      else if (at > 0) holds.push(name);
      if (starts.length >= kMostChoices) break;
    }
    const found = [...new Set([...starts, ...holds])].slice(0, kMostChoices);
    if (!found.length || (found.length === 1 && found[0] === this.word())) return this.close();
    this.at = 0;
    replace(this.choices, found.map((name, i) => h('li', {
      id: `choice-${i}`, role: 'option', 'aria-selected': String(i === 0),
      onmousedown: event => { event.preventDefault(); this.take(name); }}, name)));
    this.choices.hidden = false;
    this.box.setAttribute('aria-expanded', 'true');
    this.box.setAttribute('aria-activedescendant', 'choice-0');
  }

  close() {
    this.choices.hidden = true;
    this.box.setAttribute('aria-expanded', 'false');
    this.box.removeAttribute('aria-activedescendant');
  }

  take(name) {
    const end = this.box.selectionStart;
    const start = end - this.word().length;
    this.box.setRangeText(name, start, end, 'end');
    this.close();
  }

  key(event) {
    if (event.key === 'Enter' && this.choices.hidden && !event.shiftKey) {
      event.preventDefault();
      return this.submit();
    }
    if (this.choices.hidden) return undefined;
    const items = [...this.choices.children];
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) {
      event.preventDefault();
      items[this.at].setAttribute('aria-selected', 'false');
      this.at = (this.at + step + items.length) % items.length;
      items[this.at].setAttribute('aria-selected', 'true');
      this.box.setAttribute('aria-activedescendant', items[this.at].id);
    } else if (event.key === 'Enter' || event.key === 'Tab') {
      event.preventDefault();
      this.take(items[this.at].textContent);
    } else if (event.key === 'Escape') {
      this.close();
    }
    return undefined;
  }
}
