// The live page's calls against a server that answers them badly: node calls.mjs. Prints a line per check; exits 1 at
// the first that fails.

import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';

const kFaster = 10;  // the page's 20 seconds are 2 here
const kLine = value => `${JSON.stringify({status: 'success', data: {resultType: 'scalar', result: [0, value]}})}\n`;

const wait = milliseconds => new Promise(done => later(done, milliseconds));
const later = globalThis.setTimeout;
globalThis.setTimeout = (call, milliseconds, ...rest) => later(call, milliseconds / kFaster, ...rest);
globalThis.window = globalThis;

let answer;
const server = createServer((request, response) => {
  request.resume();
  answer(response);
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const ask = globalThis.fetch;
globalThis.fetch = (path, options) => ask(`http://127.0.0.1:${server.address().port}${path}`, options);

const text = readFileSync(new URL('../../exporter/web/page/js/api.js', import.meta.url), 'utf8');
const {get, instant} = await import(`data:text/javascript,${encodeURIComponent(text)}`);

function assert(condition, what) {
  if (!condition) throw new Error(what);
  console.log(`ok: ${what}`);
}

// What `count` queries of one batch get: values, or the words of errors.
async function values(count, options = () => ({})) {
  const all = await Promise.race([
    Promise.allSettled(Array.from({length: count}, (_, i) => instant(`q${i}`, undefined, options(i)))),
    wait(8000).then(() => { throw new Error('a query without an end'); })]);
  return all.map(({value, reason}) => (value ? value.result[1] : reason.message)).join(', ');
}

const kNone = 'vigia does not answer';
const checks = {
  async 'a page that is no JSON ends every query'() {
    answer = response => response.end('<html>\n<p>Log in</p>\n</html>\n');
    return await values(2) === `${kNone}, ${kNone}`;
  },
  async 'it is no answer to other calls either'() {
    return await get('/api/vigia/v1/status').catch(error => error.message) === kNone;
  },
  async 'nor is JSON of another kind'() {
    answer = response => response.end(`${kLine(1)}null\n`);
    const none = await values(3);
    answer = response => response.end('{"message": "Log in"}');
    return none === `1, ${kNone}, ${kNone}` && await values(1) === kNone;
  },
  async 'half a line ends the queries from there on'() {
    answer = response => response.end(kLine(1) + kLine(2).slice(0, 20));
    return await values(3) === `1, ${kNone}, ${kNone}`;
  },
  async 'a last line needs no end, further ones are passed over'() {
    answer = response => response.end(kLine(1) + kLine(2).trim());
    const two = await values(2);
    answer = response => response.end(kLine(1) + kLine(2));
    return two === '1, 2' && await values(1) === '1';
  },
  async 'the connection of an answer that is not read to its end is let go'() {
    const closed = new Promise(done => {
      answer = response => {
        response.on('close', done);
        response.write('<html>\n');
      };
    });
    return await values(1) === kNone && await Promise.race([closed.then(() => true), wait(1000)]);
  },
  async 'each line gives those behind it their time'() {
    answer = async response => {
      for (let i = 0; i < 4; ++i) {
        await wait(700);
        response.write(kLine(i));
      }
      response.end();
    };
    return await values(4) === '0, 1, 2, 3';
  },
  async 'silence ends the queries that are left'() {
    answer = response => response.write(kLine(1));
    return await values(2) === `1, ${kNone}`;
  },
  async 'a long line in small pieces'() {
    const long = 'x'.repeat(1_000_000);
    answer = response => response.end(kLine(1) + kLine(long) + kLine(3));
    return await values(3) === `1, ${long}, 3`;
  },
  async 'a batch is given up once nobody wants it, and not before'() {
    const stops = [new AbortController(), new AbortController()];
    let closed = 0;
    answer = response => {
      response.on('close', () => ++closed);
      response.write(kLine(1));
    };
    const left = values(3, i => ({signal: stops[i % 2].signal}));
    await wait(300);
    stops[0].abort();
    await wait(300);
    const early = closed;
    stops[1].abort();
    return await left === '1, This operation was aborted, This operation was aborted' && early === 0;
  },
  async 'what nobody wants is not asked for'() {
    let asked = false;
    answer = response => {
      asked = true;
      response.end();
    };
    await values(1, () => ({signal: AbortSignal.abort()}));
    return !asked;
  },
  async 'calls that have ended listen no more'() {
    const {signal} = new AbortController();
    let listening = 0;
    const listen = signal.addEventListener;
    signal.addEventListener = (type, call, options) => {
      ++listening;
      options.signal.addEventListener('abort', () => --listening);
      listen.call(signal, type, call, options);
    };
    answer = response => {
      seen = listening;
      response.end(kLine(1) + kLine(2));
    };
    let seen = 0;
    await values(2, () => ({signal}));
    await get('/', {}, {signal}).catch(() => {});
    return seen === 1 && listening === 0;
  },
};

for (const [what, check] of Object.entries(checks)) {
  try {
    assert(await check(), what);
  } catch (error) {
    console.log(`FAILED: ${what}: ${error.stack}`);
    process.exit(1);
  }
}
process.exit(0);
