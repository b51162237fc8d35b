// Why an alert is as it is: what its rules find, and who was told (docs/api.md, "Why an alert is as it is").

import {h} from './dom.js';
import {clock, format, labelText, parseTime, seriesText, stamp} from './format.js';

const kMostAlerts = 20;

export function whyView({rules = [], alerts = []}) {
  return [rules.length ? rules.map(ruleView) : h('p', {}, 'No rule of vigia makes such an alert', alerts.length ? ': another program sends it.' : '.'),
          alerts.length ? [h('h3', {}, 'Who was told'), h('ul', {class: 'told'}, alerts.slice(0, kMostAlerts).map(alertView))] : null];
}

function ruleView(rule) {
  const evaluated = parseTime(rule.evaluated_at);
  const facts = [rule.group ? `group ${rule.group}` : '', rule.interval ? `every ${rule.interval}` : '', rule.for ? `for ${rule.for}` : '',
                 evaluated ? `evaluated at ${clock(evaluated)}` : ''].filter(Boolean).join(', ');
  return h('section', {class: 'rule'},
      h('p', {class: 'line'}, h('span', {class: `badge ${rule.state}`}, rule.state), h('strong', {}, rule.alert), h('span', {}, rule.verdict)),
      h('p', {class: 'line'}, h('a', {class: 'code', href: `#/explore?expr=${encodeURIComponent(rule.expression)}`}, rule.expression),
        h('span', {class: 'quiet'}, facts)),
      rule.parts?.length ? h('ul', {class: 'parts'}, rule.parts.map(partView)) : null,
      rule.complete === false ? h('p', {class: 'quiet'}, 'The expression is too large to be looked at whole.') : null);
}

function partView({part, text, series, samples = [], operator, compared = [], emptied_by: emptied = []}) {
  const lines = [
    ...compared.map(one => comparedView(one, operator)),
    ...samples.map(({labels, value, time}) => h('li', {}, seriesText(labels), ' ', h('output', {}, number(value)),
                                                parseTime(time) ? h('span', {class: 'quiet'}, ` at ${clock(parseTime(time))}`) : null)),
    ...emptied.map(({matcher, series_without_it: without, values}) => h('li', {},
        `without ${matcher} there are ${without} series`, values?.length ? `; it is ${values.slice(0, 10).join(', ')} there` : '')),
  ];
  return h('li', {class: series === 0 ? 'none' : ''}, h('code', {}, part), h('span', {}, text), lines.length ? h('ul', {}, lines) : null);
}

function comparedView({labels, left, right, holds, by}, operator) {
  return h('li', {class: holds ? 'holds' : ''}, seriesText(labels), ' ', h('output', {}, `${number(left)} ${operator} ${number(right)}`),
           holds ? ' holds' : by !== undefined ? ` is false by ${number(by)}` : ' is false');
}

function number(text) {
  return format(Number(text));
}

function alertView({labels, state, held, starts_at: begun, ends_at: ended, routes = [], silenced_by: silenced = [], inhibited_by: inhibited = []}) {
  const facts = [held ? 'held: its data is missing' : '', silenced.length ? 'silenced' : '', inhibited.length ? 'inhibited by another alert' : ''];
  const time = state === 'resolved' ? parseTime(ended) : parseTime(begun);
  return h('li', {},
      h('p', {class: 'line'}, h('span', {class: `badge ${state}`}, state), time ? h('span', {}, `since ${stamp(time)}`) : null,
        h('span', {class: 'quiet'}, labelText(labels)), facts.filter(Boolean).map(fact => h('span', {}, fact))),
      h('ul', {}, routes.map(route => h('li', {}, routeText(route)))));
}

function routeText({receiver, muted_by: muted, held_back: reason, notifications = []}) {
  const told = notifications.map(({integration, told_firing: firing, end_owed: owed, last_notification: last}) => {
    const time = parseTime(last);
    const what = firing ? 'told that it fires' : owed ? 'its end is still to be told' : time ? 'nothing left to tell' : 'not told yet';
    return `${integration}: ${what}${time ? `, last told at ${stamp(time)}` : ''}`;
  });
  return [`receiver ${receiver}`, muted ? `muted by ${muted}` : '', reason, ...told].filter(Boolean).join('; ');
}
