// Runs every expression of every panel, variable and annotation of the dashboards against a
// Prometheus API, as Grafana would: node expressions.mjs URL NAME EXCEPTIONS DASHBOARD.json...
//
// Fails on an error anywhere, and on an answer that stays empty for a minute unless the expression
// is in EXCEPTIONS, a JSON file {"expression part": "why there is nothing to see on the stand"}.

import {readFileSync} from 'node:fs';
import {basename} from 'node:path';

const [url, name, exceptionsFile, ...files] = process.argv.slice(2);
const exceptions = Object.entries(JSON.parse(readFileSync(exceptionsFile, 'utf8')));
const now = () => Math.floor(Date.now() / 1000);
const patience = now() + 60;
const kBuiltin = {__rate_interval: '1m', __interval: '15s', __range: '1h', __range_s: '3600', __interval_ms: '15000'};

async function ask(path, parameters) {
  const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  if (body.status !== 'success') throw new Error(body.error ?? `HTTP ${response.status}`);
  return body.data;
}

function fill(text, variables) {
  const filled = text.replace(/\$\{?(\w+)\}?/g, (all, key) => variables[key] ?? kBuiltin[key] ?? all);
  if (/\$\{?\w/.test(filled.replace(/"(?:\\.|[^"\\])*"/g, ''))) throw new Error(`a variable is left in ${filled}`);
  return filled;
}

const failures = [];
let asked = 0;
let answered = 0;

async function check(dashboard, place, expr, run) {
  ++asked;
  const excused = exceptions.some(([part]) => expr.includes(part)) || (name === 'vigia' && expr === 'up');
  try {
    let found = await run();
    while (!found && !excused && now() < patience) {
      await new Promise(done => setTimeout(done, 1000));
      found = await run();
    }
    if (found) ++answered;
    else if (!excused) failures.push(`${dashboard}: ${place}: no data: ${expr}`);
  } catch (error) {
    failures.push(`${dashboard}: ${place}: ${error.message}: ${expr}`);
  }
}

function queriesOf(panel) {
  return [...(panel.targets ?? []).map(target => ({...target, panel: panel.title})), ...(panel.panels ?? []).flatMap(queriesOf)];
}

for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const title = basename(file);
  const variables = {};
  for (const variable of dashboard.templating.list) {
    if (variable.type !== 'query') continue;
    variables[variable.name] = variable.allValue ?? '.*';
    const [, , selector, label] = /^label_values\((([\s\S]+), )?(\w+)\)$/.exec(fill(variable.definition, variables));
    // Series from vigia itself carry no instance: Grafana then has nothing to choose but all.
    if (label === 'instance' && name === 'vigia') continue;
    await check(title, `$${variable.name}`, variable.definition, async () => (
        await ask(`/api/v1/label/${label}/values`, selector ? {'match[]': selector, start: now() - 3600, end: now()} : {})).length);
  }
  for (const {expr, instant, panel} of dashboard.panels.flatMap(queriesOf)) {
    const query = fill(expr, variables);
    await check(title, panel, expr, async () => (instant
        ? (await ask('/api/v1/query', {query, time: now()})).result.length
        : (await ask('/api/v1/query_range', {query, start: now() - 300, end: now(), step: 15})).result.length));
  }
  for (const {name: place, expr} of dashboard.annotations.list) {
    if (expr) await check(title, place, expr, async () => (
        await ask('/api/v1/query_range', {query: fill(expr, variables), start: now() - 300, end: now(), step: 60})).result.length || 1);
  }
}

console.log(`${name}: ${asked} expressions, ${answered} with data, ${failures.length} failures`);
for (const failure of failures) console.log(`  ${failure}`);
process.exit(failures.length ? 1 : 0);
