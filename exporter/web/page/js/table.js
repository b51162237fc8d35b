// A table that sorts by its column heads.

import {h, replace} from './dom.js';
import {format} from './format.js';

export class Table {
  // columns: [{name, value(row), unit, show(row), number}]; `value` sorts, `show` is what stands there.
  constructor({caption, columns, sort = 0, descending = false, empty = 'nothing', most = 100}) {
    Object.assign(this, {columns, sort, descending, empty, most, rows: []});
    this.heads = columns.map((column, i) => h('th', {scope: 'col', class: column.unit ? 'number' : null},
        h('button', {type: 'button', onclick: () => this.sortBy(i)}, column.name)));
    this.body = h('tbody');
    this.foot = h('p', {class: 'quiet'});
    this.element = h('div', {class: 'table', tabindex: '0', role: 'region', 'aria-label': caption},
                     h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, this.heads)), this.body),
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
    replace(this.body, rows.slice(0, this.most).map(row => h('tr', {}, this.columns.map(
        column => h('td', {class: column.unit ? 'number' : null}, cell(column, row))))));
    this.foot.textContent = !rows.length ? this.empty
        : rows.length > this.most ? `${this.most} of ${rows.length} rows` : '';
  }
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
  return String(a ?? '').localeCompare(String(b ?? ''), 'en', {numeric: true});
}
