// Calls to vigia's HTTP interfaces. Every call ends: at the latest 20 seconds after it began, or after the last whole
// line where the answer comes in lines.

const kTimeout = 20_000;
const kMostQueries = 100;  // that travel together
const kTurn = 10;          // milliseconds after which what has come so far is painted,
const kWait = 50;          // for which the rest waits this long at most

export class ApiError extends Error {
  constructor(status, message, type = '') {
    super(message);
    this.status = status;  // 0: no answer
    this.type = type;
  }
}

export function noAnswer() {
  return new ApiError(0, 'vigia does not answer');
}

// read(response, heard) tells what to return, and calls heard() to be given 20 seconds more; without it that is the
// JSON of the body. Nobody wants the answer any more once all of `signals` have fired.
async function call(path, {read = readJson, signal, signals = [signal], ...options} = {}) {
  const stop = new AbortController();
  const done = new AbortController();
  const unwanted = () => signals.every(one => one?.aborted);
  for (const one of signals) one?.addEventListener('abort', () => unwanted() && stop.abort(), {signal: done.signal});
  if (unwanted()) stop.abort();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), kTimeout);
  };
  heard();
  try {
    const response = await fetch(path, {...options, signal: stop.signal, cache: 'no-store'});
    if (!response.ok) throw failure(response, await response.text());
    return await read(response, heard);
  } catch (error) {
    stop.abort();  // lets go of a body that is not read to its end
    if (unwanted()) throw stop.signal.reason;
    throw error instanceof ApiError ? error : noAnswer();
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}

async function readJson(response) {
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

function failure({status, statusText}, text) {
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = text;
  }
  const words = body?.error ?? body?.message ?? (typeof body === 'string' ? body : statusText);
  return new ApiError(status, String(words).trim(), body?.errorType);
}

function withParameters(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') query.append(name, one);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function get(path, parameters, options) {
  return call(withParameters(path, parameters), options);
}

export function post(path, body, options) {
  return call(path, {...options, method: 'POST', body: JSON.stringify(body),
                     headers: {'Content-Type': 'application/json'}});
}

export function remove(path) {
  return call(path, {method: 'DELETE'});
}

// PromQL. What is asked in one go travels in one request, whose answer has a line for each.
let waiting = null;

function query(parameters, {signal} = {}) {
  return new Promise((resolve, reject) => {
    if (!waiting) {
      waiting = [];
      queueMicrotask(sendWaiting);
    }
    waiting.push({parameters, signal, resolve, reject});
  });
}

function sendWaiting() {
  const queries = waiting;
  waiting = null;
  for (let i = 0; i < queries.length; i += kMostQueries) ask(queries.slice(i, i + kMostQueries));
}

async function ask(queries) {
  const left = [...queries];
  try {
    await post('/api/vigia/v1/queries', {queries: queries.map(one => one.parameters)}, {
      signals: [...new Set(queries.map(one => one.signal))],
      read: (response, heard) => eachLine(response, line => {
        heard();
        settle(left[0], JSON.parse(line));
        left.shift();  // only now: what settle() throws is for this one, too
      })});
    if (left.length) throw noAnswer();
  } catch (error) {
    for (const one of left) one.reject(error);
  }
}

// Answers are those of Prometheus' API, unwrapped: {result, resultType, warnings, infos}.
function settle({resolve, reject}, {status, data, error, errorType, warnings = [], infos = []}) {
  if (status === 'success') resolve({...data, warnings, infos});
  else if (status === 'error') reject(new ApiError(422, error, errorType));
  else throw noAnswer();
}

// Hands over each line when it has come, and lets the browser paint now and then.
async function eachLine(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pieces = [];  // of the line whose end has not come
  for (;;) {
    const {value, done} = await reader.read();
    if (done) break;
    const [first, ...others] = value.split('\n');
    pieces.push(first);
    let begun = performance.now();
    for (const next of others) {
      take(pieces.join(''));
      pieces = [next];
      await null;  // those who waited for it go on
      if (performance.now() - begun < kTurn) continue;
      await new Promise(painted => (window.requestIdleCallback ?? setTimeout)(painted, {timeout: kWait}));
      begun = performance.now();
    }
  }
  const last = pieces.join('');
  if (last) take(last);
}

export function instant(expr, time, options) {
  return query({query: expr, time}, options);
}

export function range(expr, {start, end, step}, options) {
  return query({query: expr, start, end, step}, options);
}

export async function labelValues(name, parameters) {
  return (await get(`/api/v1/label/${encodeURIComponent(name)}/values`, parameters)).data;
}
