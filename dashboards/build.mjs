// Writes the dashboards: node dashboards/build.mjs [folder]. Without a folder they go beside this file.

import {readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? here;
for (const file of readdirSync(join(here, 'source')).sort()) {
  if (file === 'grafana.mjs') continue;
  const {default: dashboard} = await import(join(here, 'source', file));
  writeFileSync(join(out, file.replace('.mjs', '.json')), `${JSON.stringify(dashboard, null, 2)}\n`);
}
