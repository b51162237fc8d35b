// How much of other people's dashboards a Prometheus API fills: node public.mjs FOLDER URL... [--least PERCENT]
//
// FOLDER holds Grafana dashboards as JSON, such as those published for node_exporter, postgres_exporter and
// redis_exporter. Prints for every URL what each dashboard's expressions get, and every expression that gets nothing
// or an error; the last line of a URL is its sum. Skips if FOLDER is not there. Exits 1 on an error of a query, or where
// a sum is less than PERCENT after half a minute's patience.

import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {Source, definitionOf, fill, queriesOf} from './grafana.mjs';

const {values: {least}, positionals: [folder, ...urls]} = parseArgs(
    {allowPositionals: true, options: {least: {type: 'string', default: '0'}}});
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

async function tryAll(url) {
  const source = new Source(url);
  const sum = {filled: 0, all: 0, failed: 0, lines: []};
  for (const file of files) {
    const {filled, empty, failed} = await tryOne(JSON.parse(readFileSync(join(folder, file), 'utf8')), source);
    const all = filled + empty.length + failed.length;
    sum.lines.push(`${url} ${file}: ${filled} of ${all} filled (${percent(filled, all)}), ${empty.length} empty, ${failed.length} failed`,
                   ...empty.map(one => `  empty  ${one}`), ...failed.map(one => `  FAILED ${one}`));
    sum.filled += filled;
    sum.all += all;
    sum.failed += failed.length;
  }
  sum.lines.push(`${url}: ${sum.filled} of ${sum.all} filled (${percent(sum.filled, sum.all)})`);
  return sum;
}

const patience = Date.now() + 30000;
let code = 0;
for (const url of urls) {
  const isLow = sum => 100 * sum.filled < Number(least) * sum.all;
  let sum = await tryAll(url);
  while (isLow(sum) && Date.now() < patience) {
    await new Promise(done => setTimeout(done, 2000));
    sum = await tryAll(url);
  }
  console.log(sum.lines.join('\n'));
  if (sum.failed || isLow(sum)) code = 1;
}
process.exit(code);
