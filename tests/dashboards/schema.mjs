// Checks dashboards against the types that Grafana publishes: node schema.mjs FOLDER WORK, where
// WORK holds node_modules with @grafana/schema and typescript.

import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [folder, work] = process.argv.slice(2);

// Enumerations stand in the JSON as their values.
const kPlain = `import type {Dashboard} from '@grafana/schema';
type Plain<T> = T extends string ? T | \`\${T}\` : T extends object ? {[K in keyof T]: Plain<T[K]>} : T;
`;

// What the Prometheus data source adds to variables and annotations is its own.
function withoutDatasourceFields(dashboard) {
  for (const variable of dashboard.templating.list) delete variable.definition;
  for (const annotation of dashboard.annotations.list) {
    for (const field of ['expr', 'step', 'titleFormat', 'textFormat']) delete annotation[field];
  }
  return dashboard;
}

for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
  const dashboard = withoutDatasourceFields(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  writeFileSync(join(work, file.replace('.json', '.ts')),
                `${kPlain}export const dashboard: Plain<Dashboard> = ${JSON.stringify(dashboard, null, 1)};\n`);
}
writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({
  compilerOptions: {strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', moduleResolution: 'nodenext',
                    target: 'es2022', types: []},
  include: ['*.ts']}));
try {
  execFileSync(process.execPath, [join(work, 'node_modules/typescript/bin/tsc'), '-p', work], {stdio: 'inherit'});
} catch {
  process.exit(1);
}
console.log('the dashboards fit @grafana/schema');
