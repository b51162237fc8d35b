// What the page costs: node measure.mjs URL PID, with NODE_TOOLS in the environment. URL is of a vigia that watches
// a host and takes alerts, PID its process. Prints first paint of data, sizes, frames with 1,000 alerts and with 200
// series in a chart, and vigia's CPU without and with five open pages.
//
// It posts 1,000 alerts, which end after ten minutes.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';

const [url, pid] = process.argv.slice(2);
const require = createRequire(join(process.env.NODE_TOOLS, 'package.json'));
const {chromium} = require('playwright-core');
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
                                       args: ['--headless', '--no-sandbox', '--disable-gpu']});
const wait = seconds => new Promise(done => setTimeout(done, seconds * 1000));
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

async function open(view, {size = {width: 1360, height: 900}} = {}) {
  const context = await browser.newContext({viewport: size});
  const page = await context.newPage();
  // Notes when data first stands on the page, and long tasks.
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(one => one.duration))).observe({type: 'longtask', buffered: true});
    const shown = () => [...document.querySelectorAll('.legend output, .alert .line')].some(one => /\d/.test(one.textContent));
    new MutationObserver(() => {
      if (window.firstData !== undefined || !shown()) return;
      window.firstData = null;
      requestAnimationFrame(() => setTimeout(() => { window.firstData = performance.now(); }));
    }).observe(document, {subtree: true, childList: true, characterData: true});
  });
  await page.goto(`${url}/#/${view}`);
  await page.waitForFunction(() => window.firstData > 0, null, {timeout: 30000});
  return page;
}

async function firstPaint(view) {
  const times = [];
  for (let i = 0; i < 7; ++i) {
    const page = await open(view);
    times.push(await page.evaluate(() => window.firstData));
    await page.context().close();
  }
  times.sort((a, b) => a - b);
  console.log(`first data of ${view}: median ${quantile(times, 0.5).toFixed(0)} ms, worst ${times.at(-1).toFixed(0)} ms of ${times.length}, nothing cached`);
}

async function sizes() {
  const page = await browser.newPage();
  const seen = new Map();
  page.on('response', response => {
    const path = new URL(response.url()).pathname;
    if (!path.startsWith('/api/')) seen.set(path, response.body().catch(() => Buffer.alloc(0)));
  });
  await page.goto(`${url}/#/now`);
  await page.waitForSelector('main h1');
  await wait(1);
  let sent = 0;
  for (const path of seen.keys()) {
    const answer = await fetch(url + path, {headers: {'accept-encoding': 'gzip'}});
    const length = Number(answer.headers.get('content-length'));
    sent += length || gzipSync(Buffer.from(await answer.arrayBuffer())).length;
  }
  console.log(`page: ${seen.size} files, ${(sent / 1000).toFixed(1)} kB compressed`);
  await page.close();
}

// Times between frames while `during` goes on.
async function frames(page, what, during) {
  await page.evaluate(() => {
    window.frames_ = [];
    window.longTasks.length = 0;
    window.counting = true;
    let last = performance.now();
    const step = time => {
      window.frames_.push(time - last);
      last = time;
      if (window.counting) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  await during();
  const {times, tasks} = await page.evaluate(() => {
    window.counting = false;
    return {times: window.frames_.slice(1), tasks: window.longTasks};
  });
  times.sort((a, b) => a - b);
  const task = Math.max(0, ...tasks);
  console.log(`${what}: ${times.length} frames, p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms, ` +
              `worst ${times.at(-1).toFixed(0)} ms; ${tasks.length} tasks over 50 ms, the longest ${task.toFixed(0)} ms`);
}

async function postAlerts(count) {
  const now = Date.now();
  const alerts = Array.from({length: count}, (_, i) => ({
    labels: {alertname: `Measured${i % 20}`, severity: ['critical', 'warning', 'info'][i % 3], instance: `host-${i}`, team: 'page'},
    annotations: {summary: `Something is off on host-${i}`}, startsAt: new Date(now - i * 1000).toISOString(),
    endsAt: new Date(now + 600000).toISOString()}));
  const answer = await fetch(`${url}/api/v2/alerts`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(alerts)});
  if (!answer.ok) throw new Error(`alerts: HTTP ${answer.status}`);
}

async function scroll(page, seconds) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await page.mouse.wheel(0, 300);
    await wait(0.05);
  }
}

async function hover(page, seconds) {
  const box = await page.locator('.chart canvas').first().boundingBox();
  for (let i = 0, end = Date.now() + seconds * 1000; Date.now() < end; ++i) {
    await page.mouse.move(box.x + 90 + i * 7 % (box.width - 100), box.y + 60);
    await wait(0.03);
  }
}

function cpuSeconds() {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function cpu(seconds) {
  const before = cpuSeconds();
  await wait(seconds);
  return (cpuSeconds() - before) / seconds * 100;
}

await sizes();
await firstPaint('host');
await firstPaint('postgres');

const many = await open(`explore?expr=${encodeURIComponent('topk(200, {__name__=~"node_.+"})')}`);
await frames(many, '200 series, still', () => wait(12));
await frames(many, '200 series, hovered', () => hover(many, 8));
await many.context().close();

const kSpan = 60;
const without = await cpu(kSpan);
const pages = [];
for (const view of ['now', 'host', 'postgres', 'redis', 'baselines']) pages.push(await open(view).catch(error => console.log(`${view}: ${error.message}`)));
await wait(5);
const withPages = await cpu(kSpan);
console.log(`vigia's CPU: ${without.toFixed(2)} % of a core without a page, ${withPages.toFixed(2)} % with ${pages.filter(Boolean).length}: ` +
            `${(withPages - without).toFixed(2)} % more, over ${kSpan} s each`);
for (const page of pages) await page?.context().close();

await postAlerts(1000);
await wait(1);
await firstPaint('now');
const alerts = await open('now');
await frames(alerts, '1,000 alerts, still', () => wait(12));
await frames(alerts, '1,000 alerts, scrolled', () => scroll(alerts, 8));
await browser.close();
