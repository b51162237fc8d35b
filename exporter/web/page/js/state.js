// What all views share: the time range, the server's clock and status, the poll.

import {get, noAnswer} from './api.js';

export const kRanges = {'15m': 900, '1h': 3600, '6h': 21600, '24h': 86400};

// How many points a chart asks for at most; steps are multiples of 5 s.
const kPoints = 240;

export const state = {
  range: '1h',
  zoom: null,      // {from, to} in Unix seconds while a part is looked at, else null
  status: null,    // the last answer of /api/vigia/v1/status
  answered: 0,     // when that was, in this machine's milliseconds
  failing: null,   // the error of the last poll
};

// The server's idea of now, in Unix seconds.
export function now() {
  if (!state.status) return Date.now() / 1000;
  return state.status.time + (Date.now() - state.answered) / 1000;
}

// The range to show, on the grid of its step so that polls add points instead of moving them.
export function frame() {
  const length = state.zoom ? state.zoom.to - state.zoom.from : kRanges[state.range];
  const step = Math.max(5, Math.ceil(length / kPoints / 5) * 5);
  const to = Math.floor((state.zoom ? state.zoom.to : now()) / step) * step;
  return {start: to - Math.round(length / step) * step, end: to, step, live: !state.zoom};
}

// A window for rate() that holds at least four readings and is not shorter than a step.
export function rateWindow() {
  const interval = state.status?.interval_seconds ?? 15;
  return `${Math.ceil(Math.max(60, interval * 4, frame().step))}s`;
}

export async function refreshStatus() {
  try {
    const status = await get('/api/vigia/v1/status');
    if (!status?.collectors) throw noAnswer();  // it is somebody else's
    state.status = status;
    state.answered = Date.now();
    state.failing = null;
  } catch (error) {
    state.failing = error;
  }
}

export function userName() {
  return state.status?.user || readName();
}

function readName() {
  try {
    return localStorage.getItem('vigia.name') ?? '';
  } catch {
    return '';
  }
}

export function rememberName(name) {
  try {
    localStorage.setItem('vigia.name', name);
  } catch {
    // Private windows have no storage; the name is asked for again.
  }
}
