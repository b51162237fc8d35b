// What every dashboard has to have: node check.mjs FOLDER.

import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

const [folder] = process.argv.slice(2);
const faults = [];
const uids = new Set();

function fault(file, text) {
  faults.push(`${file}: ${text}`);
}

function checkPanel(file, panel) {
  if (panel.type === 'row') return;
  if (!panel.title || !panel.description) fault(file, `panel ${panel.id} has no title or description`);
  if (panel.type === 'text') return;
  if (panel.datasource?.uid !== '${datasource}') fault(file, `${panel.title}: not the data source variable`);
  if (!panel.fieldConfig.defaults.unit) fault(file, `${panel.title}: no unit`);
  if (!panel.fieldConfig.defaults.thresholds?.steps?.length) fault(file, `${panel.title}: no thresholds`);
  if (!panel.targets?.length) fault(file, `${panel.title}: no query`);
}

function overlap({gridPos: a}, {gridPos: b}) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
  const dashboard = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  if (dashboard.id !== null) fault(file, 'has an id of one Grafana');
  if (uids.has(dashboard.uid)) fault(file, `uid ${dashboard.uid} is taken`);
  uids.add(dashboard.uid);
  if (dashboard.schemaVersion !== 42) fault(file, 'schema version is not 42');
  if (dashboard.templating.list[0]?.type !== 'datasource') fault(file, 'no data source variable');
  if (!dashboard.links.length) fault(file, 'no links to the others');
  const ids = dashboard.panels.map(panel => panel.id);
  if (new Set(ids).size !== ids.length) fault(file, 'two panels have one id');
  dashboard.panels.forEach((panel, i) => {
    checkPanel(file, panel);
    if (panel.gridPos.x + panel.gridPos.w > 24) fault(file, `${panel.title}: too wide`);
    for (const other of dashboard.panels.slice(i + 1)) {
      if (overlap(panel, other)) fault(file, `${panel.title} and ${other.title} overlap`);
    }
  });
}

for (const text of faults) console.log(text);
console.log(`${uids.size} dashboards, ${faults.length} faults`);
process.exit(faults.length || !uids.size ? 1 : 0);
