// A chart of PromQL expressions over the shared time range. It keeps what it has and asks each
// time only for the points since, so a poll costs the server a few samples.

import plotLibrary from '/assets/js/uplot.js';
import {range} from './api.js';
import {h, isNear, replace, setText} from './dom.js';
import {clock, compareNames, format, seriesText, stamp} from './format.js';
import {frame, rateWindow, state} from './state.js';

const kColors = 10;      // of the palette in app.css: --series-0 ...
const kMostSeries = 200;
const kHeight = 190;
const kMostPoints = 40;  // of the cursor; with more series they cost more than they tell
// Steps of an axis: bytes are round in KiB, MiB, ..., what is counted comes whole, up or down is all there is.
const kSteps = {
  bytes: Array.from({length: 60}, (_, i) => 2 ** i),
  count: Array.from({length: 36}, (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3)),
  up: [1],
};
kSteps['bytes/s'] = kSteps.bytes;

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function color(i) {
  return style(`--series-${i % kColors}`);
}

// A series' name in the legend: "{{label}} text" filled from its labels.
function legendName(template, labels) {
  if (typeof template === 'function') return template(labels);
  if (!template) return seriesText(labels);
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '') || seriesText(labels);
}

export class Chart {
  // spec: {title, unit, queries: [{expr, name, dash, fill}], min, max, note, threshold, band}; `band` fills what is
  // between the first two series.
  constructor(spec, {onZoom} = {}) {
    this.spec = spec;
    this.onZoom = onZoom;
    this.series = new Map();  // key -> {name, query, points: Map(time -> value), hidden}
    this.hidden = new Set();
    this.marks = [];  // vertical lines
    this.plot = null;
    this.shape = '';
    this.canvas = h('div', {class: 'plot'});
    this.legend = h('ul', {class: 'legend'});
    this.note = h('p', {class: 'quiet', role: 'status'});
    this.element = h('figure', {class: 'chart', 'aria-label': spec.title},
                     h('figcaption', {}, spec.title, spec.note ? h('small', {}, spec.note) : null),
                     this.canvas, this.legend, this.note);
    this.resizer = new ResizeObserver(([{contentRect}]) => this.resize(contentRect.width));
    this.resizer.observe(this.canvas);
    // What comes into sight was not asked for while it was out of it.
    this.sight = new IntersectionObserver(([{isIntersecting}]) => isIntersecting && this.skipped && this.update(), {rootMargin: '50%'});
    this.sight.observe(this.element);
  }

  destroy() {
    this.resizer.disconnect();
    this.sight.disconnect();
    cancelAnimationFrame(this.hover);
    this.cancel();
    this.plot?.destroy();
  }

  // What is under way is wanted no more.
  cancel() {
    this.abort?.abort();
  }

  // Draws anew in the colours of the present theme.
  restyle() {
    this.shape = '';
    this.draw();
  }

  // Asks for what is missing of the frame and draws it, unless nobody sees it.
  async update() {
    this.skipped = !isNear(this.element);
    if (this.skipped) return;
    const wanted = frame();
    const same = this.frame && this.frame.step === wanted.step && this.frame.live === wanted.live &&
        wanted.start <= this.frame.end && wanted.start >= this.frame.start;
    if (!same) {
      this.series.clear();
      this.frame = null;
    }
    // The newest points may have been read before their samples came.
    const start = same ? Math.max(wanted.start, this.frame.end - 2 * wanted.step) : wanted.start;
    this.cancel();
    const abort = this.abort = new AbortController();
    const asked = {...wanted, start};
    const asking = this.spec.queries.map(
        query => range(query.expr.replaceAll('$rate', rateWindow()), asked, {signal: abort.signal}));
    setTimeout(plotLibrary);  // made while vigia looks for the answers
    const answers = await Promise.allSettled(asking);
    if (abort.signal.aborted) return;
    const failed = answers.find(answer => answer.status === 'rejected');
    answers.forEach((answer, i) => {
      if (answer.status === 'fulfilled') this.merge(i, answer.value.result, start);
    });
    if (!failed) this.frame = wanted;
    this.trim(wanted);
    this.wanted = wanted;
    this.note.textContent = failed ? failed.reason.message : this.series.size ? '' : 'no data';
    this.draw();
  }

  merge(query, result, start) {
    for (const one of this.series.values()) {
      if (one.query !== query) continue;
      for (const time of one.points.keys()) if (time >= start) one.points.delete(time);
    }
    for (const {metric, values} of result) {
      const key = query + JSON.stringify(metric);
      let one = this.series.get(key);
      if (!one) {
        if (this.series.size >= kMostSeries) {
          this.cut = true;
          continue;
        }
        one = {key, query, name: legendName(this.spec.queries[query].name, metric), points: new Map()};
        this.series.set(key, one);
      }
      for (const [time, value] of values) one.points.set(time, Number(value));
    }
  }

  trim({start, end}) {
    for (const [key, one] of this.series) {
      for (const time of one.points.keys()) {
        if (time < start || time > end) one.points.delete(time);
      }
      if (!one.points.size) this.series.delete(key);
    }
  }

  columns() {
    const {start, end, step} = this.wanted;
    const times = [];
    for (let time = start; time <= end; time += step) times.push(time);
    return [times, ...this.ordered.map(one => times.map(time => {
      const value = one.points.get(time);
      return Number.isFinite(value) ? value : null;
    }))];
  }

  draw() {
    if (!this.wanted || !this.canvas.isConnected) return;
    this.ordered = [...this.series.values()].sort(
        (a, b) => a.query - b.query || compareNames(a.name, b.name));
    // Axes of nothing take the room of what there is to see.
    this.element.classList.toggle('empty', !this.ordered.length);
    if (!this.ordered.length) return this.clear();
    const data = this.columns();
    const shape = this.ordered.map(one => one.key).join('\n');
    if (!this.plot || shape !== this.shape) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new (plotLibrary())(this.options(), data, this.canvas);
      this.drawLegend();
    } else {
      this.plot.setData(data);
    }
    this.values(null);
  }

  // Marks are [{time, text, color}].
  mark(marks) {
    marks = [...marks].sort((a, b) => a.time - b.time);
    if (JSON.stringify(marks) === JSON.stringify(this.marks)) return;
    this.marks = marks;
    this.plot?.redraw(false);
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
    this.shape = '';
    this.legend.replaceChildren();
  }

  options() {
    const text = style('--quiet');
    const grid = {stroke: style('--grid'), width: 1};
    const unit = this.spec.unit;
    const axis = {stroke: text, grid, ticks: grid, font: '11px system-ui, sans-serif'};
    return {
      width: Math.max(200, this.width ?? this.canvas.clientWidth),
      height: kHeight,
      padding: [16, 18, 0, 0],  // half of a label on the right
      legend: {show: false},
      cursor: {sync: {key: 'vigia'}, drag: {x: true, y: false},
               points: this.ordered.length > kMostPoints ? {show: false} : {size: 6}},
      scales: {x: {time: true}, y: {range: (_, low, high) => this.bounds(low, high)}},
      axes: [
        {...axis, space: 70, size: 28, values: (_, ticks) => ticks.map(time => clock(time).slice(0, 5))},
        {...axis, size: 76, ...(kSteps[unit] ? {incrs: kSteps[unit]} : {}),
         values: (_, ticks) => ticks.map(value => format(value, unit))},
      ],
      bands: this.spec.band && this.ordered.length > 1 ? [{series: [1, 2], fill: `${style('--band')}44`}] : [],
      series: [{}, ...this.ordered.map((one, i) => this.line(one, i))],
      hooks: {
        setCursor: [plot => this.point(plot.cursor.idx)],
        setSelect: [plot => this.zoom(plot)],
        draw: [plot => this.drawMarks(plot), ...(this.spec.threshold === undefined ? [] : [one => this.drawThreshold(one)])],
      },
    };
  }

  line(one, i) {
    const query = this.spec.queries[one.query];
    const stroke = query.color ? style(query.color) : color(i);
    return {
      show: !this.hidden.has(one.key),
      stroke,
      width: query.width ?? 1.5,
      dash: query.dash,
      fill: query.fill ? stroke + '22' : undefined,
      points: {show: false},
      spanGaps: false,
    };
  }

  // Zero belongs to the picture unless the chart says otherwise.
  bounds(low, high) {
    if (low === null || high === null) return [0, 1];
    const min = this.spec.min ?? Math.min(0, low);
    let max = this.spec.max ?? high;
    if (this.spec.threshold !== undefined) max = Math.max(max, this.spec.threshold);
    return [min, max > min ? max + (this.spec.max === undefined ? (max - min) * 0.05 : 0) : min + 1];
  }

  drawMarks(plot) {
    if (!this.marks.length) return;
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.setLineDash([3, 3]);
    let free = 0;  // where the text of the mark before ends
    for (const {time, text, color: name} of this.marks) {
      const x = plot.valToPos(time, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = style(name);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      free = this.writeMark(plot, Math.max(x, free), text);
    }
    ctx.restore();
  }

  // Above the chart, where nothing is drawn; at the side of the line that has room. Returns where it ends.
  writeMark({ctx, bbox}, x, text) {
    const width = ctx.measureText(text).width;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    ctx.fillText(text, x + width > bbox.left + bbox.width ? x - width : x, bbox.top - devicePixelRatio);
    return x + width + 6 * devicePixelRatio;
  }

  drawThreshold(plot) {
    const y = plot.valToPos(this.spec.threshold, 'y', true);
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.strokeStyle = style('--critical');
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  zoom(plot) {
    if (plot.select.width < 8) return;
    const from = plot.posToVal(plot.select.left, 'x');
    const to = plot.posToVal(plot.select.left + plot.select.width, 'x');
    plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
    if (to - from >= 60) this.onZoom?.(from, to);
  }

  drawLegend() {
    const items = this.ordered.map((one, i) => {
      const query = this.spec.queries[one.query];
      const swatch = h('i', {class: 'swatch', 'aria-hidden': 'true'});
      swatch.style.background = query.color ? style(query.color) : color(i);
      const value = h('output', {});
      const button = h('button', {type: 'button', title: 'Show or hide',
                                  'aria-pressed': String(!this.hidden.has(one.key)),
                                  onclick: () => this.toggle(one, i, button)},
                       swatch, h('span', {}, one.name));
      one.output = value;
      return h('li', {}, button, value);
    });
    if (this.cut) items.push(h('li', {class: 'quiet'}, `the first ${kMostSeries} series`));
    replace(this.legend, items);
  }

  toggle(one, i, button) {
    const hide = !this.hidden.has(one.key);
    if (hide) this.hidden.add(one.key);
    else this.hidden.delete(one.key);
    button.setAttribute('aria-pressed', String(!hide));
    this.plot.setSeries(i + 1, {show: !hide});
  }

  // The cursor moves more often than a frame is drawn.
  point(index) {
    cancelAnimationFrame(this.hover);
    this.hover = requestAnimationFrame(() => this.plot && this.values(index));
  }

  // The values under the cursor, or the newest ones.
  values(index) {
    const times = this.plot?.data[0] ?? [];
    this.legend.title = index === null || index === undefined ? '' : stamp(times[index]);
    this.ordered.forEach((one, i) => {
      const column = this.plot.data[i + 1];
      let at = index;
      if (at === null || at === undefined) {
        at = column.length - 1;
        while (at > 0 && column[at] === null) --at;
      }
      if (one.output) setText(one.output, format(column?.[at], this.spec.unit));
    });
  }

  resize(width) {
    if (width < 1 || this.width === Math.floor(width)) return;
    this.width = Math.floor(width);
    this.plot?.setSize({width: this.width, height: kHeight});
  }
}

// The course of one expression as a line of a few words' size.
export function sparkline(values, {threshold, title} = {}) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', '0 0 100 24');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title ?? 'course');
  const numbers = values.map(([, value]) => Number(value)).filter(Number.isFinite);
  if (numbers.length < 2) return svg;
  const all = threshold === undefined ? numbers : [...numbers, threshold];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const y = value => (high > low ? 22 - (value - low) / (high - low) * 20 : 12);
  const [first, last] = [values[0][0], values.at(-1)[0]];
  const x = time => (last > first ? (time - first) / (last - first) * 100 : 0);
  const line = document.createElementNS(ns, 'polyline');
  line.setAttribute('points', values.filter(([, value]) => Number.isFinite(Number(value)))
                                  .map(([time, value]) => `${x(time).toFixed(1)},${y(Number(value)).toFixed(1)}`)
                                  .join(' '));
  svg.append(line);
  if (threshold !== undefined) {
    const limit = document.createElementNS(ns, 'line');
    for (const [name, value] of [['x1', 0], ['x2', 100], ['y1', y(threshold)], ['y2', y(threshold)]]) {
      limit.setAttribute(name, value);
    }
    limit.setAttribute('class', 'limit');
    svg.append(limit);
  }
  return svg;
}
