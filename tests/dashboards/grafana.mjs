// What Grafana does with a dashboard's queries: which there are, how variables are filled, what is asked.

const kBuiltin = {
  __rate_interval: '1m', __interval: '15s', __range: '1h', __range_s: '3600', __range_ms: '3600000', __interval_ms: '15000'};
const kSpan = 300;
const now = () => Math.floor(Date.now() / 1000);

// A Prometheus API; throws what it calls an error.
export class Source {
  constructor(url) {
    this.url = url;
  }

  async ask(path, parameters) {
    const response = await fetch(`${this.url}${path}?${new URLSearchParams(parameters)}`);
    const body = await response.json();
    if (body.status !== 'success') throw new Error(body.error ?? `HTTP ${response.status}`);
    return body.data;
  }

  // How many series answer a query of a panel.
  async count(query, instant) {
    const data = instant ? await this.ask('/api/v1/query', {query, time: now()})
                         : await this.ask('/api/v1/query_range', {query, start: now() - kSpan, end: now(), step: 15});
    return Array.isArray(data.result) && data.resultType !== 'scalar' ? data.result.length : 1;
  }

  // The answer of label_values(label) or label_values(selector, label).
  async labelValues(definition) {
    const [, , selector, label] = /^label_values\((([\s\S]+),\s*)?(\w+)\)$/.exec(definition.trim()) ?? [];
    if (!label) throw new Error(`not a query of label values: ${definition}`);
    return this.ask(`/api/v1/label/${label}/values`, selector ? {'match[]': selector, start: now() - 3600, end: now()} : {});
  }
}

// Variables that the dashboard does not have stay as they are, as in Grafana.
export function fill(text, variables) {
  return text.replace(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (all, braced, bare) => variables[braced ?? bare] ?? kBuiltin[braced ?? bare] ?? all);
}

// Every target of every panel, those in collapsed rows too, with the panel's title.
export function queriesOf(dashboard) {
  const of = panel => [...(panel.targets ?? []).filter(({expr}) => expr).map(target => ({...target, panel: panel.title ?? ''})),
                       ...(panel.panels ?? []).flatMap(of)];
  return [...(dashboard.panels ?? []), ...(dashboard.rows ?? [])].flatMap(of);
}

export function definitionOf(variable) {
  return variable.definition || variable.query?.query || variable.query;
}
