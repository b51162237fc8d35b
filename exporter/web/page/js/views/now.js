// How it is right now: one line of health, the alerts with why and since, what was sent.

import {get, post, range} from '../api.js';
import {loadAlerts, splitThreshold} from '../alerts.js';
import {sparkline} from '../chart.js';
import {h, isNear, link, reconcile, replace, setText} from '../dom.js';
import {deliveryText, newestOfEach} from '../events.js';
import {clock, duration, format, labelText, parseTime, selector, stamp} from '../format.js';
import {now, rememberName, state, userName} from '../state.js';

const kFew = 8;      // alerts that nobody needs to search or sort
const kSlice = 40;   // alerts that are built at once, when the end of the list comes near
const kMostSparks = 20;
const kMostSent = 40;  // events, of which a notification has two or more
const kSparkAge = 60;  // seconds after which a course is asked for again
const kOrders = {
  'most urgent first': null,
  'newest first': (a, b) => b.since - a.since,
  'oldest first': (a, b) => a.since - b.since,
  'by name': (a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0),
};
const kSilences = {'1 hour': 3600, '4 hours': 14400, '1 day': 86400, '1 week': 604800};

export class NowView {
  constructor() {
    this.sparks = new Map();
    this.stop = new AbortController();
    this.health = h('p', {class: 'health', role: 'status'});
    this.list = h('ul', {class: 'alerts'});
    this.alerts = [];
    this.built = kSlice;
    this.filter = h('input', {type: 'search', id: 'alert-filter', placeholder: 'name, label or text', oninput: () => this.draw()});
    this.order = h('select', {id: 'alert-order', onchange: () => this.draw()}, Object.keys(kOrders).map(name => h('option', {}, name)));
    this.search = h('div', {class: 'line', hidden: true}, h('label', {for: 'alert-filter'}, 'Filter'), this.filter,
                    h('label', {for: 'alert-order'}, 'Order'), this.order);
    this.more = h('p', {class: 'quiet'});
    this.sight = new IntersectionObserver(([{isIntersecting}]) => isIntersecting && this.grow(), {rootMargin: '100%'});
    this.sight.observe(this.more);
    this.sent = h('ul', {class: 'sent'});
    this.sentPart = h('section', {}, h('h2', {}, 'Sent'), this.sent);
    this.dialog = h('dialog', {'aria-labelledby': 'dialog-title'});
    this.element = h('div', {}, h('h1', {}, 'Now'), this.health, h('h2', {class: 'hidden'}, 'Alerts'),
                     this.search, this.list, this.more, this.sentPart, this.dialog);
  }

  async update() {
    const alerts = await loadAlerts();
    if (this.stop.signal.aborted) return;
    this.alerts = alerts;
    this.showHealth(this.alerts);
    this.draw();
    await Promise.all([this.showSent(), this.drawSparks(this.alerts)]);
  }

  destroy() {
    this.stop.abort();
    this.sight.disconnect();
  }

  grow() {
    if (this.built >= this.alerts.length) return;
    this.built += kSlice;
    this.draw();
  }

  draw() {
    this.search.hidden = this.alerts.length <= kFew && !this.filter.value;
    const found = this.found();
    // Asked before anything changes, so that the page is not laid out for each.
    const near = new Set([...this.list.children].filter(isNear));
    reconcile(this.list, found.slice(0, this.built), alert => alert.key, () => this.make(),
              (element, alert) => this.describe(element, alert, near.has(element)));
    setText(this.more, !this.alerts.length ? 'No alert is pending or firing.' : !found.length ? 'No alert fits.'
        : found.length > this.built ? `and ${found.length - this.built} more` : '');
  }

  found() {
    const wanted = this.filter.value.trim().toLowerCase();
    const order = kOrders[this.order.value];
    const found = !wanted ? this.alerts
        : this.alerts.filter(({shown, labels, annotations}) => `${shown} ${labelText(labels, [])} ${annotations?.summary ?? ''}`.toLowerCase().includes(wanted));
    return order ? [...found].sort(order) : found;
  }

  showHealth(alerts) {
    const count = name => alerts.filter(alert => alert.shown === name).length;
    const down = state.status.collectors.filter(one => one.has_run && !one.up);
    const firing = alerts.filter(alert => alert.shown === 'firing' && alert.labels.severity !== 'none');
    const worst = firing.some(alert => /critical|page/.test(alert.labels.severity)) ? 'critical'
        : firing.length || down.length ? 'warning' : 'good';
    const parts = [];
    for (const name of ['firing', 'held', 'pending', 'acknowledged', 'silenced', 'muted', 'inhibited']) {
      const number = name === 'firing' ? firing.length : count(name);
      if (number) parts.push(`${number} ${name}`);
    }
    if (down.length) parts.push(`${down.length} ${down.length === 1 ? 'collector' : 'collectors'} down: ` +
                                down.map(one => `${one.collector} ${one.instance}`).slice(0, 5).join(', '));
    this.health.className = `health ${worst}`;
    const words = {good: 'All is well', warning: 'Needs a look', critical: 'Needs somebody now'}[worst];
    this.health.textContent = parts.length ? `${words}: ${parts.join(', ')}` : `${words}.`;
  }

  make() {
    const parts = {
      badge: h('span', {class: 'badge'}), name: h('strong', {}), since: h('span', {class: 'quiet'}),
      value: h('span', {class: 'value'}), spark: h('span', {class: 'spark-place'}),
      summary: h('p', {class: 'summary'}), labels: h('p', {class: 'quiet labels'}),
      links: h('span', {class: 'links'}), actions: h('span', {class: 'actions'})};
    const element = h('li', {class: 'alert'},
        h('div', {class: 'line'}, parts.badge, parts.name, parts.value, parts.since, parts.spark),
        parts.summary, parts.labels, h('div', {class: 'line buttons'}, parts.actions, parts.links));
    element.parts = parts;
    return element;
  }

  // How long an alert lasts is told of those on the screen.
  describe(element, alert, near) {
    const {parts} = element;
    const signature = JSON.stringify([alert.shown, alert.value, alert.annotations, alert.ack]);
    const spark = this.sparks.get(alert.key);
    if (spark && parts.spark.firstChild !== spark.svg) replace(parts.spark, spark.svg);
    if (!near && element.signature === signature) return;
    element.signature = signature;
    const split = alert.rule ? splitThreshold(alert.rule.query) : null;
    element.dataset.severity = alert.labels.severity ?? '';
    element.dataset.state = alert.shown;
    parts.badge.className = `badge ${alert.shown}`;
    setText(parts.badge, alert.shown);
    setText(parts.name, nameOf(alert));
    setText(parts.value, Number.isFinite(alert.value)
        ? format(alert.value) + (split ? ` ${split.op} ${format(split.threshold)}` : '') : '');
    setText(parts.since, alert.since ? `for ${duration(now() - alert.since)}` : '');
    parts.since.title = alert.since ? stamp(alert.since) : '';
    setText(parts.summary, alert.annotations?.summary ?? alert.annotations?.description ?? '');
    setText(parts.labels, labelText(alert.labels) + why(alert));
    this.describeLinks(parts.links, alert);
    this.describeActions(parts.actions, alert);
  }

  describeLinks(place, alert) {
    const signature = JSON.stringify([alert.annotations?.runbook_url, alert.annotations?.dashboard_url]);
    if (place.dataset.signature === signature) return;
    place.dataset.signature = signature;
    const name = alert.labels.alertname ?? '';
    replace(place,
        h('a', {href: `#/journal?alert=${encodeURIComponent(name)}`}, 'Why'),
        alert.rule ? h('a', {href: `#/explore?expr=${encodeURIComponent(alert.rule.query)}`}, 'Graph') : null,
        link(alert.annotations?.runbook_url, 'Runbook'), link(alert.annotations?.dashboard_url, 'Dashboard'));
  }

  describeActions(place, alert) {
    const may = state.status.may_change && alert.state === 'firing';
    const wanted = may ? `${alert.shown}` : '';
    if (place.dataset.wanted === wanted) return;
    place.dataset.wanted = wanted;
    replace(place, !may ? null : [
      alert.shown !== 'acknowledged' && alert.shown !== 'silenced'
          ? h('button', {type: 'button', onclick: () => this.ask(alert, 'ack')}, 'Acknowledge') : null,
      alert.shown !== 'silenced' ? h('button', {type: 'button', onclick: () => this.ask(alert, 'silence')}, 'Silence') : null]);
  }

  // The second click: for how long and by whom are filled in already.
  ask(alert, what) {
    const silence = what === 'silence';
    const user = h('input', {id: 'who', value: userName(), required: true, maxlength: '100', autocomplete: 'name'});
    const comment = h('input', {id: 'comment', maxlength: '500', placeholder: 'optional'});
    const length = h('select', {id: 'length'}, Object.keys(kSilences).map(name => h('option', {}, name)));
    const fault = h('p', {class: 'error', role: 'alert'});
    const form = h('form', {onsubmit: async event => {
      event.preventDefault();
      rememberName(user.value.trim());
      try {
        await act(alert, what, {who: user.value.trim(), comment: comment.value.trim(), seconds: kSilences[length.value]});
        this.dialog.close();
        await this.update();
      } catch (error) {
        fault.textContent = error.message;
      }
    }},
      h('h2', {id: 'dialog-title'}, `${silence ? 'Silence' : 'Acknowledge'} ${alert.labels.alertname ?? ''}`),
      h('p', {class: 'quiet'}, labelText(alert.labels)),
      h('label', {for: 'length'}, 'For '), length,
      h('label', {for: 'who'}, 'Your name '), user,
      h('label', {for: 'comment'}, 'Comment '), comment, fault,
      h('div', {class: 'line'},
        h('button', {type: 'submit', class: 'primary'}, silence ? 'Silence' : 'Acknowledge'),
        h('button', {type: 'button', onclick: () => this.dialog.close()}, 'Cancel')));
    replace(this.dialog, form);
    this.dialog.showModal();
    (user.value ? form.querySelector('.primary') : user).focus();
  }

  async showSent() {
    const {events} = await get('/api/vigia/v1/events', {type: 'notification.', limit: kMostSent});
    this.sentPart.hidden = !events.length;
    const signature = JSON.stringify(events);
    if (signature === this.shownSent) return;
    this.shownSent = signature;
    replace(this.sent, newestOfEach(events).map(describeDelivery));
  }

  // The course of the last hour, for the alerts at the top.
  async drawSparks(alerts) {
    const end = Math.floor(now() / 30) * 30;
    const due = alerts.filter(alert => alert.rule && splitThreshold(alert.rule.query)).slice(0, kMostSparks)
                    .filter(alert => !((this.sparks.get(alert.key)?.time ?? 0) > end - kSparkAge));
    const byQuery = Map.groupBy ? Map.groupBy(due, alert => alert.rule.query) : groupBy(due, alert => alert.rule.query);
    await Promise.all([...byQuery].map(async ([query, list]) => {
      const {expr, threshold} = splitThreshold(query);
      const {result} = await range(expr, {start: end - 3600, end, step: 30}, {signal: this.stop.signal});
      for (const alert of list) {
        const found = result.find(({metric}) => Object.entries(metric).every(
            ([name, value]) => name === '__name__' || alert.labels[name] === value));
        const svg = sparkline(found?.values ?? [], {threshold, title: 'last hour'});
        this.sparks.set(alert.key, {time: end, svg});
        const element = [...this.list.children].find(child => child.dataset.key === alert.key);
        if (element) replace(element.parts.spark, svg);
      }
    }));
  }
}

function nameOf({labels}) {
  return labels.alertname ?? '(no name)';
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...groups.get(key(item)) ?? [], item]);
  return groups;
}

function why(alert) {
  const parts = [];
  if (alert.held) parts.push('its data is missing, so it is kept as it was');
  if (alert.ack) parts.push(`acknowledged by ${alert.ack.by}${alert.ack.comment ? `: ${alert.ack.comment}` : ''}`);
  if (alert.inhibitedBy?.length) parts.push('inhibited by another alert');
  if (alert.mutedBy?.length) parts.push(`muted by ${alert.mutedBy.join(', ')}`);
  return parts.length ? ` — ${parts.join('; ')}` : '';
}

function describeDelivery(event) {
  const what = event.type.replace('notification.', '');
  return h('li', {class: ['failed', 'dead'].includes(what) ? 'error' : ''}, `${clock(parseTime(event.time))} ${what} ${deliveryText(event)}`);
}

function act(alert, what, {who, comment, seconds}) {
  const ends = new Date(Date.now() + seconds * 1000).toISOString();
  if (what === 'ack') {
    return post('/api/vigia/v1/alerts/ack', {alert: selector(alert.labels), who, until: ends, comment});
  }
  const matchers = Object.entries(alert.labels).map(([name, value]) => ({name, value, isRegex: false, isEqual: true}));
  return post('/api/v2/silences', {matchers, startsAt: new Date().toISOString(), endsAt: ends, createdBy: who,
                                   comment: comment || 'silenced on the live page'});
}
