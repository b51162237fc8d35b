// A table that sorts by its column heads.

import {h, replace, setText} from './dom.js';
import {compareNames, format} from './format.js';

export class Table {
  // columns: [{name, value(row), unit, show(row), wide}]; `value` sorts, `show` is what stands there, `wide` ones are left
  // out on a phone. A `quiet` caption is that of the page.
  constructor({caption, quiet = false, columns, sort = 0, descending = false, empty = 'nothing', most = 100}) {
    Object.assign(this, {columns, sort, descending, empty, most, rows: []});
    this.heads = columns.map((column, i) => h('th', {scope: 'col', class: classOf(column)},
        h('button', {type: 'button', onclick: () => this.sortBy(i)}, column.name)));
    this.body = h('tbody');
    this.foot = h('p', {class: 'quiet'});
    this.element = h('div', {class: 'table', tabindex: '0', role: 'region', 'aria-label': caption},
                     h('table', {}, h('caption', {class: quiet ? 'hidden' : null}, caption), h('thead', {}, h('tr', {}, this.heads)), this.body),
                     this.foot);
  }

  sortBy(i) {
    this.descending = i === this.sort ? !this.descending : Boolean(this.columns[i].unit);
    this.sort = i;
    this.draw();
  }

  set(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    const value = this.columns[this.sort].value;
    const sign = this.descending ? -1 : 1;
    const rows = [...this.rows].sort((a, b) => sign * compare(value(a), value(b)));
    this.heads.forEach((head, i) => {
      if (i === this.sort) head.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    this.fill(rows.slice(0, this.most));
    this.foot.textContent = !rows.length ? this.empty
        : rows.length > this.most ? `${this.most} of ${rows.length} rows` : '';
  }

  // Cells that say what they said stay, and with them what is selected or has the focus.
  fill(rows) {
    while (this.body.children.length > rows.length) this.body.lastChild.remove();
    while (this.body.children.length < rows.length) {
      this.body.append(h('tr', {}, this.columns.map(column => h('td', {class: classOf(column)}))));
    }
    rows.forEach((row, i) => {
      const cells = this.body.children[i].children;
      this.columns.forEach((column, k) => put(cells[k], cell(column, row)));
    });
  }
}

function classOf({unit, wide}) {
  return [unit ? 'number' : '', wide ? 'wide' : ''].join(' ').trim() || null;
}

function put(place, content) {
  if (!(content instanceof Node)) setText(place, String(content));
  else if (!place.firstChild?.isEqualNode(content)) replace(place, content);
}

function cell(column, row) {
  if (column.show) return column.show(row);
  const value = column.value(row);
  return column.unit ? format(value, column.unit) : value ?? '';
}

function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') {
    return (Number.isNaN(a) ? -Infinity : a) - (Number.isNaN(b) ? -Infinity : b);
  }
  return compareNames(String(a ?? ''), String(b ?? ''));
}
