// The live page in a real browser: node page.mjs VIGIA SCREENSHOTS, with PG_DSN and REDIS_URL in
// the environment. Prints a line per check; exits 1 at the first that fails.

import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {Daemon, until} from './daemon.mjs';

const [program, pictures] = process.argv.slice(2);
const require = createRequire(join(process.env.NODE_TOOLS, 'package.json'));
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const kEvil = '<img src=x onerror=window.pwned=1>';
const kViews = ['now', 'host', 'postgres', 'redis', 'endpoints', 'kpis', 'baselines', 'explore', 'rules', 'journal', 'collectors'];
const kSizes = {phone: {width: 390, height: 844}, desktop: {width: 1360, height: 900}};

function files(folder) {
  return {
    'vigia.yml': `
collectors:
  host: { interval: 1s, textfile: { directory: "${folder}" } }
  postgres: { dsn: "${process.env.PG_DSN}", interval: 2s }
  redis: { url: "${process.env.REDIS_URL}", interval: 2s }
rules: [ rules.yml ]
baselines: [ { name: load, expr: node_load1, interval: 1s, season: none } ]
`,
    'rules.yml': `
groups:
  - name: page
    interval: 1s
    rules:
      - alert: Overheated
        expr: test_heat{place!=""} > 50
        labels: { severity: critical }
        annotations: { summary: 'It is {{ $value }} degrees at ${kEvil}', runbook_url: 'javascript:window.pwned=2' }
      - alert: NeverHeard
        expr: test_of_nothing > 1
      - record: test:heat:double
        expr: test_heat * 2
`,
    'heat.prom': heat(20),
  };
}

function heat(value) {
  return `# HELP test_heat How hot it is ${kEvil}.\n# TYPE test_heat gauge\ntest_heat{place="${kEvil}"} ${value}\n`;
}

function assert(condition, what) {
  if (!condition) throw new Error(what);
  console.log(`ok: ${what}`);
}

class Browser {
  static async open(url) {
    const browser = new Browser();
    browser.url = url;
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
             '--disable-component-update', '--disable-sync']});
    browser.faults = [];
    return browser;
  }

  async page(size, scheme) {
    const context = await this.chromium.newContext({viewport: kSizes[size], colorScheme: scheme});
    const page = await context.newPage();
    page.on('console', message => {
      // The browser itself reports answers that a test provokes: a daemon that is away, a query that is none.
      if (message.type() === 'error' && !/ERR_CONNECTION|ERR_EMPTY_RESPONSE|status of (400|404)/.test(message.text())) this.faults.push(message.text());
    });
    page.on('pageerror', error => this.faults.push(String(error)));
    page.on('request', request => {
      if (!request.url().startsWith(this.url) && !request.url().startsWith('data:')) this.faults.push(`outside: ${request.url()}`);
    });
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation', event => (
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))));
    return page;
  }

  // Serious faults of accessibility on the page as it stands.
  async axe(page) {
    await page.evaluate(axe + '; undefined');
    return page.evaluate(async () => {
      const {violations} = await window.axe.run(document, {resultTypes: ['violations']});
      return violations.filter(one => ['serious', 'critical'].includes(one.impact))
          .map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).slice(0, 3).join(' | ')}`);
    });
  }
}

async function show(page, url, view) {
  await page.goto(`${url}/#/${view}`);
  await page.waitForSelector('main h1');
}

// What a view has once its data is there.
const kShown = {
  now: '.health:not(:empty)', host: '.chart canvas', postgres: '.chart canvas', redis: '.chart canvas',
  endpoints: 'h1', kpis: 'h1', baselines: 'h1', explore: '#expr', rules: 'tbody tr', journal: 'h1', collectors: 'tbody tr'};

async function checkViews(browser, url) {
  for (const size of Object.keys(kSizes)) {
    for (const scheme of ['light', 'dark']) {
      const page = await browser.page(size, scheme);
      for (const view of kViews) {
        await show(page, url, view);
        await page.waitForSelector(kShown[view]);
        await page.waitForTimeout(view === 'now' ? 500 : 250);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(wide <= 1, `${view} fits a ${size}`);
        if (scheme === 'light' || size === 'desktop') {
          const faults = await browser.axe(page);
          assert(faults.length === 0, `${view} is accessible (${size}, ${scheme}) ${faults.join('; ')}`);
        }
        await page.screenshot({path: join(pictures, `${view}-${size}-${scheme}.png`)});
      }
      await page.context().close();
    }
  }
}

async function checkData(browser, url) {
  const page = await browser.page('desktop', 'light');
  await show(page, url, 'host');
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')].filter(one => one.querySelector('.legend li output')?.textContent.match(/\d/)).length >= 5);
  console.log('ok: the host charts have values');
  await show(page, url, 'postgres');
  await page.waitForFunction(() => document.querySelector('.legend')?.textContent.includes('limit'));
  await show(page, url, 'redis');
  await page.waitForFunction(() => document.querySelector('.legend output')?.textContent.match(/\d/));
  console.log('ok: PostgreSQL and Redis have values');
  await show(page, url, 'kpis');
  await page.locator('.absent').waitFor();
  await page.waitForRequest(request => request.url().endsWith('/queries'));  // the next round: all of the first has come
  assert(await page.locator('.chart:visible, .table:visible').count() === 0, 'what is not watched has a sentence, no empty charts or tables');
  const paint = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd);
  console.log(`content loaded after ${paint.toFixed(0)} ms`);
  await show(page, url, 'explore');
  await page.fill('#expr', 'node_lo');
  await page.waitForSelector('#choices li');
  await page.keyboard.press('Enter');
  assert((await page.inputValue('#expr')).startsWith('node_lo'), 'completion takes a metric by keyboard');
  await page.fill('#expr', 'node_load1 + on(');
  await page.keyboard.press('Escape');
  await page.click('button.primary');
  await page.waitForSelector('.fault:not([hidden])');
  assert((await page.textContent('.fault')).includes('^'), 'an error shows its place');
  await page.fill('#expr', 'node_load1');
  await page.click('button.primary');
  await page.waitForSelector('tbody td');
  assert(page.url().includes('expr=node_load1'), 'a query is shared by its URL');
  await page.goto(`${url}/#/explore?expr=${encodeURIComponent(kEvil)}`);
  await page.waitForSelector('.fault:not([hidden])');
  await checkStrangeText(page, url);
  await page.context().close();
}

// Help texts, names of tables and all that an address may hold come from anybody.
async function checkStrangeText(page, url) {
  await show(page, url, 'explore');
  await page.fill('#expr', 'test_hea');
  await page.waitForSelector('#choices li');
  await page.keyboard.press('Enter');
  await page.click('button.primary');
  await page.waitForSelector('tbody td');
  assert((await page.textContent('tbody')).includes(kEvil), 'a label is shown as it is');
  await show(page, url, 'postgres');
  await page.locator('td', {hasText: kEvil}).first().waitFor({timeout: 60000});
  console.log('ok: the name of a table is shown as it is');
  const evil = encodeURIComponent(kEvil);
  for (const address of [`journal?alert=${evil}&type=${evil}&range=${evil}`, `explore?expr=${evil}&range=${evil}`, evil, `now?from=${evil}&to=${evil}`,
                         '__proto__', 'constructor?range=__proto__', `host?range=${evil}`]) {
    await page.goto(`${url}/#/${address}`);
    await page.waitForSelector('main h1');
    await page.waitForTimeout(300);
  }
  assert(await page.locator('img[src="x"]').count() === 0, 'no address becomes an element');
}

// The page is a few files, and every field of the status is documented.
async function checkFiles(browser, daemon) {
  const root = new URL('../../', import.meta.url);
  const page = await browser.page('desktop', 'light');
  await show(page, daemon.url, 'now');
  const loaded = await page.evaluate(() => [...new Set(performance.getEntriesByType('resource').map(one => new URL(one.name).pathname))]);
  const files = loaded.filter(path => !path.startsWith('/api/')).sort();
  assert(files.join(' ') === '/assets/css/app.css /assets/icon.svg /assets/js/app.js', `the page is its text, one script, one style sheet and an icon ${files}`);
  await page.context().close();
  const words = readFileSync(new URL('docs/api.md', root), 'utf8');
  const status = await daemon.get('/api/vigia/v1/status');
  const language = await daemon.get('/api/vigia/v1/language');
  const unknown = Object.keys({...status, ...status.collectors[0], ...language}).filter(name => !words.includes(`\`${name}\``));
  assert(unknown.length === 0, `docs/api.md has all fields of the page's own calls ${unknown}`);
}

async function checkMarks(browser, daemon) {
  const answer = await fetch(`${daemon.url}/api/vigia/v1/events`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({type: 'deploy', version: `v1 ${kEvil}`})});
  assert(answer.ok, 'a deploy is declared');
  const page = await browser.page('desktop', 'light');
  await show(page, daemon.url, 'journal');
  await page.locator('.journal li', {hasText: 'v1 <img'}).waitFor();
  await until('the deploy is a series', async () => (await daemon.get('/api/v1/query?query=vigia_deploy_timestamp_seconds')).data.result.length);
  await show(page, daemon.url, 'baselines');
  await page.locator('.card .chart canvas').first().waitFor({timeout: 30000});
  assert(await page.locator('.card .badge').count() > 0, 'the baselines have a state');
  await show(page, daemon.url, 'rules');
  await page.locator('tr', {hasText: 'NeverHeard'}).locator('.badge.dead').waitFor();
  console.log('ok: a rule that no series can reach is marked');
  await show(page, daemon.url, 'journal?alert=NeverHeard');
  const why = page.locator('.rule', {hasText: 'NeverHeard'});
  await why.locator('.parts > li.none', {hasText: 'test_of_nothing'}).waitFor();
  console.log('ok: it is said why a rule does not fire');
  await page.context().close();
}

// A long list is built as it is scrolled; it can be searched and ordered.
async function checkMany(browser, url) {
  const ends = new Date(Date.now() + 3600000).toISOString();
  const alerts = Array.from({length: 150}, (_, i) => ({
    labels: {alertname: `Many${i % 3}`, host: `h${i}`}, annotations: {summary: kEvil}, startsAt: new Date(Date.now() - i * 1000).toISOString(), endsAt: ends}));
  const post = () => fetch(`${url}/api/v2/alerts`, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(alerts)});
  assert((await post()).ok, 'alerts are taken from elsewhere');
  const page = await browser.page('desktop', 'light');
  await show(page, url, 'now');
  const list = page.locator('.alert');
  await list.nth(20).waitFor();
  assert(await list.count() < 150, 'a long list is not built at once');
  await until('all alerts by scrolling', async () => {
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 4000);
    return await list.count() >= 150;
  });
  await page.fill('#alert-filter', 'h149');
  await until('one alert fits', async () => await list.count() === 1);
  await page.fill('#alert-filter', 'nothing has this');
  await page.locator('p', {hasText: 'No alert fits.'}).waitFor();
  await page.fill('#alert-filter', 'many');
  await page.selectOption('#alert-order', 'oldest first');
  assert((await list.first().textContent()).includes('h149'), 'alerts can be ordered');
  for (const one of alerts) one.endsAt = new Date().toISOString();
  await post();
  await page.locator('p', {hasText: 'No alert is pending or firing.'}).waitFor({timeout: 30000});
  await page.context().close();
}

// A proxy's page for logging in comes with 200, too.
async function checkStranger(browser, url) {
  const page = await browser.page('desktop', 'light');
  for (const call of ['queries', 'status']) {
    await page.route(`**/api/vigia/v1/${call}`, route => route.fulfill({contentType: 'text/html', body: '<html>Log in</html>'}), {times: 1});
    await show(page, url, 'host');
    await page.waitForFunction(() => document.querySelector('#notice').textContent.includes('does not answer'));
    await page.waitForFunction(() => !document.querySelector('#notice').textContent.includes('does not answer') &&
        document.querySelector('.legend output')?.textContent.match(/\d/));
    console.log(`ok: the page tells a strange answer to ${call}, and goes on`);
  }
  await page.context().close();
}

// Another range is shown without what was asked for the one before.
async function checkRanges(browser, url) {
  const page = await browser.page('desktop', 'light');
  await show(page, url, 'host');
  await page.waitForFunction(() => document.querySelector('.legend output')?.textContent.match(/\d/));
  let held;
  await page.route('**/api/vigia/v1/queries', route => { held = route; }, {times: 1});  // has no answer
  await page.click('.ranges button:text-is("6h")');
  await until('the first range is asked for', async () => held);
  const answered = page.waitForResponse(response => response.url().endsWith('/queries'), {timeout: 10000});
  await page.click('.ranges button:text-is("1h")');
  assert((await answered).ok(), 'a change of range does not wait for what was asked before');
  await page.waitForFunction(() => document.querySelector('.legend output')?.textContent.match(/\d/));
  await page.context().close();
}

// Charts that nobody sees ask for nothing.
async function checkSight(browser, url) {
  const page = await browser.page('phone', 'dark');
  await show(page, url, 'host');
  await page.locator('.chart canvas').first().waitFor();
  const charts = page.locator('.chart');
  assert(await page.locator('.chart canvas').count() < await charts.count(), 'charts out of sight are not drawn');
  await charts.last().scrollIntoViewIfNeeded();
  await charts.last().locator('.legend output').first().waitFor();
  console.log('ok: they are once they are seen');
  await page.context().close();
}

async function checkAlerts(browser, daemon) {
  const page = await browser.page('desktop', 'dark');
  await show(page, daemon.url, 'now');
  const alert = page.locator('.alert', {hasText: 'Overheated'});
  daemon.write('heat.prom', heat(80));
  await alert.locator('.badge.firing').waitFor({timeout: 30000});
  assert((await alert.textContent()).includes('80 > 50'), 'an alert appears without reload, with value and threshold');
  assert(!(await alert.getByText("Runbook").count()), 'a link that is a script is no link');
  await page.locator('.sent li', {hasText: 'to log 1 firing'}).waitFor({timeout: 60000});
  console.log('ok: what was sent is told');
  await page.screenshot({path: join(pictures, 'now-firing.png')});

  await alert.locator('button', {hasText: 'Acknowledge'}).click();
  await page.fill('#who', 'ana');
  await page.fill('#comment', kEvil);
  await page.click('dialog button.primary');
  await alert.locator('.badge.acknowledged').waitFor();
  console.log('ok: acknowledged');
  await alert.locator('button', {hasText: 'Silence'}).click();
  assert(await page.inputValue('#who') === 'ana', 'the name is remembered');
  await page.click('dialog button.primary');
  await alert.locator('.badge.silenced').waitFor();
  console.log('ok: silenced');

  await daemon.stop('SIGKILL');
  await page.waitForFunction(() => document.querySelector('#notice').textContent.includes('does not answer'), null, {timeout: 30000});
  console.log('ok: the page says that vigia is away');
  await daemon.run();
  await page.waitForFunction(() => !document.querySelector('#notice').textContent.includes('does not answer'), null, {timeout: 30000});
  await alert.locator('.badge.silenced').waitFor({timeout: 30000});
  console.log('ok: after a kill the alert is back and still silenced');
  const [routed] = await daemon.get(`/api/v2/alerts?filter=${encodeURIComponent('alertname="Overheated"')}`);
  assert(routed.acknowledged?.by === 'ana' && routed.acknowledged.comment === kEvil, 'and still acknowledged, by whom and why');

  daemon.write('heat.prom', heat(20));
  await alert.waitFor({state: 'detached', timeout: 30000});
  console.log('ok: a resolved alert goes without reload');
  await page.context().close();
}

mkdirSync(pictures, {recursive: true});
const daemon = await Daemon.start(program, files);
const browser = await Browser.open(daemon.url);
let code = 0;
try {
  await until('the first readings', async () => (await daemon.get('/api/v1/query?query=redis_up')).data.result.length);
  await checkData(browser, daemon.url);
  await checkFiles(browser, daemon);
  await checkMarks(browser, daemon);
  await checkAlerts(browser, daemon);
  await checkMany(browser, daemon.url);
  await checkSight(browser, daemon.url);
  await checkStranger(browser, daemon.url);
  await checkRanges(browser, daemon.url);
  await checkViews(browser, daemon.url);
  const page = await browser.page('desktop', 'light');
  await show(page, daemon.url, 'now');
  assert(await page.evaluate(() => window.pwned === undefined), 'nothing that a label or annotation holds has run');
  assert(browser.faults.length === 0, `no console error, no policy violation, no outside request ${browser.faults.join('; ')}`);
} catch (error) {
  console.log(`FAILED: ${error.message}\nbrowser: ${browser.faults.join('\n')}\nvigia: ${daemon.output.slice(-3000)}`);
  code = 1;
}
await browser.chromium.close();
await daemon.end();
process.exit(code);
