// How much of other people's dashboards a Prometheus API fills: node public.mjs FOLDER URL...
//
// FOLDER holds Grafana dashboards as JSON, such as those published for node_exporter, postgres_exporter and
// redis_exporter. Prints for every URL what each dashboard's expressions get, and every expression that gets nothing
// or an error; the last line of a URL is its sum. Skips if FOLDER is not there. Exits 1 on an error of a query.

import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {Source, definitionOf, fill, queriesOf} from './grafana.mjs';

const [folder, ...urls] = process.argv.slice(2);
if (!existsSync(folder)) {
  console.log(`SKIPPED: ${folder} is not there`);
  process.exit(0);
}
const files = readdirSync(folder).filter(name => name.endsWith('.json')).sort();

// What Grafana chooses when a dashboard is opened: all where that is offered, else the first value, or none.
async function variablesOf(dashboard, source) {
  const chosen = {};
  for (const variable of dashboard.templating?.list ?? []) {
    if (variable.type === 'query') {
      const values = await source.labelValues(fill(definitionOf(variable), chosen)).catch(() => []);
      chosen[variable.name] = variable.includeAll ? variable.allValue ?? (values.join('|') || '.*') : values[0] ?? '';
    } else if (variable.type !== 'datasource' && variable.type !== 'adhoc') {
      chosen[variable.name] = variable.current?.value ?? variable.query ?? '';
    }
  }
  return chosen;
}

async function tryOne(dashboard, source) {
  const variables = await variablesOf(dashboard, source);
  const counts = {filled: 0, empty: [], failed: []};
  for (const {expr, panel, instant} of queriesOf(dashboard)) {
    try {
      if (await source.count(fill(expr, variables), instant)) ++counts.filled;
      else counts.empty.push(`${panel}: ${expr}`);
    } catch (error) {
      counts.failed.push(`${panel}: ${error.message}: ${expr}`);
    }
  }
  return counts;
}

function percent(part, all) {
  return all ? `${(100 * part / all).toFixed(1)} %` : '-';
}

let faults = 0;
for (const url of urls) {
  const source = new Source(url);
  const sum = {filled: 0, all: 0};
  for (const file of files) {
    const {filled, empty, failed} = await tryOne(JSON.parse(readFileSync(join(folder, file), 'utf8')), source);
    const all = filled + empty.length + failed.length;
    console.log(`${url} ${file}: ${filled} of ${all} filled (${percent(filled, all)}), ${empty.length} empty, ${failed.length} failed`);
    for (const one of empty) console.log(`  empty  ${one}`);
    for (const one of failed) console.log(`  FAILED ${one}`);
    sum.filled += filled;
    sum.all += all;
    faults += failed.length;
  }
  console.log(`${url}: ${sum.filled} of ${sum.all} filled (${percent(sum.filled, sum.all)})`);
}
process.exit(faults ? 1 : 0);
