// Calls to vigia's HTTP interfaces. Every call ends: after 20 seconds at the latest.

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

// read(response) tells what to return; without it that is the JSON or text of the body.
async function call(path, {read, ...options} = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), kTimeout);
  options.signal?.addEventListener('abort', () => stop.abort());
  try {
    const response = await fetch(path, {...options, signal: stop.signal, cache: 'no-store'});
    if (response.ok && read) return await read(response);
    const text = await response.text();
    let body = null;
    try {
      body = text ? JSON.parse(text) : null;
    } catch {
      body = text;
    }
    if (!response.ok) {
      const words = body?.error ?? body?.message ?? (typeof body === 'string' ? body : response.statusText);
      throw new ApiError(response.status, String(words).trim(), body?.errorType);
    }
    return body;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, 'vigia does not answer');
  } finally {
    clearTimeout(timer);
  }
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
      signal: whenAllAbort(queries.map(one => one.signal)),
      read: response => eachLine(response, line => settle(left.shift(), JSON.parse(line)))});
    if (left.length) throw new ApiError(0, 'vigia does not answer');
  } catch (error) {
    for (const one of left) one.reject(error);
  }
}

// Answers are those of Prometheus' API, unwrapped: {result, resultType, warnings, infos}.
function settle({resolve, reject}, {status, data, error, errorType, warnings = [], infos = []}) {
  if (status === 'success') resolve({...data, warnings, infos});
  else reject(new ApiError(422, error, errorType));
}

// Fires once nobody wants an answer any more.
function whenAllAbort(signals) {
  if (!signals.every(Boolean)) return undefined;
  const stop = new AbortController();
  for (const signal of signals) signal.addEventListener('abort', () => signals.every(one => one.aborted) && stop.abort());
  return stop.signal;
}

// Hands over each line when it has come, and lets the browser paint now and then.
async function eachLine(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    let begun = performance.now();
    for (const line of lines) {
      take(line);
      await null;  // those who waited for it go on
      if (performance.now() - begun < kTurn) continue;
      await new Promise(painted => (window.requestIdleCallback ?? setTimeout)(painted, {timeout: kWait}));
      begun = performance.now();
    }
  }
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
