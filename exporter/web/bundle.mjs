// Puts the page's modules into one file, so that a browser asks once and not for each in turn:
// node bundle.mjs ENTRY UPLOT > FILE. ENTRY is the first module, UPLOT what stands for /assets/js/uplot.js, a script that
// makes `uPlot`. Each module becomes a function that is called once, those that it needs before it; only UPLOT, which
// takes longer than all the others, is imported as a function that makes it at its first call. Understands
// `import name|{names} from 'file';` and `export` before a function, class or const, each on a line; other forms fail.

import {readFileSync} from 'node:fs';
import {dirname, resolve} from 'node:path';

const [entry, uplot] = process.argv.slice(2).map(path => resolve(path));
const kImport = /^import (?:(\w+)|\{([^}]*)\}) from '([^']+)';$/gm;
const kExport = /^export (?=(?:async )?(?:function|class|const) (\w+))/gm;

const names = new Map();  // path -> the variable of its exports, once it is written
const under = new Set();
const parts = [];

function fail(path, what) {
  console.error(`${path}: ${what}`);
  process.exit(1);
}

function add(path) {
  if (names.has(path)) return names.get(path);
  if (under.has(path)) fail(path, 'needs itself');
  under.add(path);
  const exported = [];
  let text = readFileSync(path, 'utf8');
  if (path === uplot) {
    names.set(path, 'library');
    parts.push(`const library = {default() {\nreturn library.made ??= make();\n}};\nfunction make() {\n${text.trim()}\nreturn uPlot;\n}\n`);
    return 'library';
  }
  text = text.replace(kImport, (_, all, some, from) => {
    const name = add(from === '/assets/js/uplot.js' ? uplot : resolve(dirname(path), from));
    return all ? `const ${all} = ${name}.default;` : `const {${some.replaceAll(' as ', ': ')}} = ${name};`;
  });
  text = text.replace(kExport, (_, name) => {
    exported.push(name);
    return '';
  });
  const left = /^(?:import|export)\b.*/m.exec(text);
  if (left) fail(path, `not understood: ${left[0]}`);
  const name = `module${names.size}`;
  names.set(path, name);
  parts.push(`const ${name} = (() => {\n${text.trim()}\nreturn {${exported.join(', ')}};\n})();\n`);
  return name;
}

add(entry);
process.stdout.write(parts.join('\n'));
