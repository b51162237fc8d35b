// What is marked in charts: deploys, and when a change that lasts began.

import {instant} from './api.js';

const kMost = 50;

// The deploys that vigia was told of, for Chart.marks.
export async function loadDeploys(options) {
  const {result} = await instant('vigia_deploy_timestamp_seconds', undefined, options);
  return result.slice(0, kMost).map(({metric, value}) => (
      {time: Number(value[1]), text: metric.version ?? '', color: '--accent'}));
}
