// Runs every expression of every panel, variable and annotation of the dashboards against a
// Prometheus API, as Grafana would: node expressions.mjs URL NAME EXCEPTIONS DASHBOARD.json...
//
// Fails on an error anywhere, and on an answer that stays empty for a minute unless the expression
// is in EXCEPTIONS, a JSON file {"expression part": "why there is nothing to see on the stand"}.

import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {Source, definitionOf, fill, queriesOf} from './grafana.mjs';

const [url, name, exceptionsFile, ...files] = process.argv.slice(2);
const exceptions = Object.entries(JSON.parse(readFileSync(exceptionsFile, 'utf8')));
const source = new Source(url);
const patience = Date.now() + 60000;

function filled(text, variables) {
  const query = fill(text, variables);
  if (/\$\{?\w/.test(query.replace(/"(?:\\.|[^"\\])*"/g, ''))) throw new Error(`a variable is left in ${query}`);
  return query;
}

const failures = [];
let asked = 0;
let answered = 0;

async function check(dashboard, place, expr, run) {
  ++asked;
  const excused = exceptions.some(([part]) => expr.includes(part)) || (name === 'vigia' && expr === 'up');
  try {
    let found = await run();
    while (!found && !excused && Date.now() < patience) {
      await new Promise(done => setTimeout(done, 1000));
      found = await run();
    }
    if (found) ++answered;
    else if (!excused) failures.push(`${dashboard}: ${place}: no data: ${expr}`);
  } catch (error) {
    failures.push(`${dashboard}: ${place}: ${error.message}: ${expr}`);
  }
}

for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const title = basename(file);
  const variables = {};
  for (const variable of dashboard.templating.list) {
    if (variable.type !== 'query') continue;
    variables[variable.name] = variable.allValue ?? '.*';
    const definition = filled(definitionOf(variable), variables);
    // Series from vigia itself carry no instance: Grafana then has nothing to choose but all.
    if (definition.endsWith('instance)') && name === 'vigia') continue;
    await check(title, `$${variable.name}`, variable.definition, async () => (await source.labelValues(definition)).length);
  }
  for (const {expr, instant, panel} of queriesOf(dashboard)) {
    await check(title, panel, expr, async () => source.count(filled(expr, variables), instant));
  }
  for (const {name: place, expr} of dashboard.annotations.list) {
    if (expr) await check(title, place, expr, async () => (await source.count(filled(expr, variables))) || 1);
  }
}

console.log(`${name}: ${asked} expressions, ${answered} with data, ${failures.length} failures`);
for (const failure of failures) console.log(`  ${failure}`);
process.exit(failures.length ? 1 : 0);
