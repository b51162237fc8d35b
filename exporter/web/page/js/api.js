// Calls to vigia's HTTP interfaces. Every call ends: after 20 seconds at the latest.

const kTimeout = 20_000;

export class ApiError extends Error {
  constructor(status, message, type = '') {
    super(message);
    this.status = status;  // 0: no answer
    this.type = type;
  }
}

async function call(path, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), kTimeout);
  options.signal?.addEventListener('abort', () => stop.abort());
  try {
    const response = await fetch(path, {...options, signal: stop.signal, cache: 'no-store'});
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

// PromQL. Answers of Prometheus' API are unwrapped: {result, resultType, warnings, infos}.
async function query(path, parameters, options) {
  const answer = await call(withParameters(path, parameters), options);
  return {...answer.data, warnings: answer.warnings ?? [], infos: answer.infos ?? []};
}

export function instant(expr, time, options) {
  return query('/api/v1/query', {query: expr, time}, options);
}

export function range(expr, {start, end, step}, options) {
  return query('/api/v1/query_range', {query: expr, start, end, step}, options);
}

export async function labelValues(name, parameters) {
  return (await get(`/api/v1/label/${encodeURIComponent(name)}/values`, parameters)).data;
}
