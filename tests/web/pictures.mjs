// The pictures of the README: node pictures.mjs URL FOLDER, with NODE_TOOLS in the environment. URL is of a vigia
// that has watched something for a while. Writes PNG files; docs/images has them as WebP (cwebp -q 80).

import {mkdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const [url, folder] = process.argv.slice(2);
const require = createRequire(join(process.env.NODE_TOOLS, 'package.json'));
const {chromium} = require('playwright-core');

const kViews = [['now', 'light'], ['why', 'light'], ['now', 'dark'], ['host', 'dark'], ['postgres', 'light'], ['baselines', 'light'], ['rules', 'dark'],
                ['redis', 'dark'], ['endpoints', 'light'], ['collectors', 'dark'], ['explore', 'light'], ['kpis', 'light'], ['journal', 'dark']];

mkdirSync(folder, {recursive: true});
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
                                       args: ['--headless', '--no-sandbox', '--disable-gpu']});
for (const [view, scheme] of kViews) {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}, colorScheme: scheme});
  const page = await context.newPage();
  const address = view === 'explore' ? `${url}/#/explore?expr=${encodeURIComponent('rate(node_cpu_seconds_total{mode!="idle"}[2m])')}`
      : `${url}/#/${{why: 'now', baselines: 'baselines?range=15m'}[view] ?? view}`;
  await page.goto(address);
  await page.waitForSelector('main h1');
  if (view === 'why') await page.getByRole('link', {name: 'Why'}).first().click();
  await page.waitForTimeout(2500);
  await page.screenshot({path: join(folder, `${view}-${scheme}.png`)});
  await context.close();
}
await browser.close();
