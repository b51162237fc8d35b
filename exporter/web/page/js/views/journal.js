// What happened: every transition, routing decision and delivery, and why an alert is as it is.

import {get} from '../api.js';
import {h, replace} from '../dom.js';
import {eventText} from '../events.js';
import {labelText, parseTime, stamp} from '../format.js';
import {now} from '../state.js';
import {whyView} from '../why.js';

const kMost = 200;
const kSince = {'1 hour': 3600, '1 day': 86400, '1 week': 604800};

export class JournalView {
  constructor(app, parameters) {
    this.app = app;
    this.alert = h('input', {type: 'search', id: 'journal-alert', value: parameters.get('alert') ?? '',
                             placeholder: 'alert name', onchange: () => this.changed()});
    this.type = h('input', {type: 'search', id: 'journal-type', value: parameters.get('type') ?? '',
                            placeholder: 'notification., silence.set …', onchange: () => this.changed()});
    this.since = h('select', {id: 'journal-since', onchange: () => this.changed()},
                   Object.keys(kSince).map(name => h('option', {selected: name === '1 day'}, name)));
    this.why = h('section', {class: 'card', hidden: true});
    this.list = h('ol', {class: 'journal', reversed: true});
    this.note = h('p', {class: 'quiet', role: 'status'});
    this.element = h('div', {}, h('h1', {}, 'Journal'),
        h('form', {class: 'query', onsubmit: event => { event.preventDefault(); this.changed(); }},
          h('span', {class: 'field'}, h('label', {for: 'journal-alert'}, 'Alert'), this.alert),
          h('span', {class: 'field'}, h('label', {for: 'journal-type'}, 'Type'), this.type),
          h('span', {class: 'field'}, h('label', {for: 'journal-since'}, 'Last'), this.since)),
        this.why, this.note, this.list);
  }

  changed() {
    this.app.setParameters({alert: this.alert.value.trim(), type: this.type.value.trim()});
    this.app.poll();
  }

  // Whether other parameters than those shown have come by the address.
  reads(parameters) {
    return (parameters.get('alert') ?? '') !== this.alert.value.trim();
  }

  async update() {
    const alert = this.alert.value.trim();
    const [{events}] = await Promise.all([
      get('/api/vigia/v1/events', {alert, type: this.type.value.trim(), limit: kMost,
                                   since: Math.floor(now() - kSince[this.since.value])}),
      this.explain(alert)]);
    this.note.textContent = events.length ? '' : 'Nothing happened that fits.';
    const latest = JSON.stringify(events[0] ?? null) + events.length;
    if (latest === this.latest) return;
    this.latest = latest;
    replace(this.list, events.map(describe));
  }

  async explain(alert) {
    this.why.hidden = !alert;
    if (!alert) return;
    try {
      const answer = await get('/api/vigia/v1/explain', {alert});
      // Built anew only if it says something else, so that it can be read and selected.
      const signature = JSON.stringify(answer);
      if (signature === this.explained) return;
      this.explained = signature;
      replace(this.why, h('h2', {}, `Why: ${alert}`), whyView(answer),
              h('details', {open: this.why.querySelector('details')?.open ?? false},
                h('summary', {}, 'in full'), tree(answer)));
    } catch (error) {
      this.explained = null;
      replace(this.why, h('p', {class: 'quiet'}, error.message));
    }
  }
}

function describe(event) {
  return h('li', {},
      h('time', {datetime: new Date(parseTime(event.time) * 1000).toISOString()}, stamp(parseTime(event.time))),
      h('span', {class: `badge ${event.type}`}, event.type),
      h('div', {class: 'line'},
        filled('strong', {}, event.labels?.alertname ?? event.details?.version ?? event.labels?.baseline ?? ''),
        filled('span', {class: event.details?.error ? 'error' : null}, eventText(event)),
        filled('span', {class: 'quiet'}, labelText(event.labels ?? {})),
        event.details ? h('details', {}, h('summary', {}, 'details'), tree(event.details)) : null));
}

function filled(tag, attributes, text) {
  return text ? h(tag, attributes, text) : null;
}

// Any JSON as nested lists of names and values.
function tree(value) {
  if (Array.isArray(value)) return h('ul', {class: 'tree'}, value.slice(0, 50).map(one => h('li', {}, tree(one))));
  if (value && typeof value === 'object') {
    return h('dl', {class: 'tree'}, Object.entries(value).map(
        ([name, one]) => [h('dt', {}, name.replaceAll('_', ' ')), h('dd', {}, tree(one))]));
  }
  return document.createTextNode(String(value));
}
