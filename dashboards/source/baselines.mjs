import {dashboard, graph, q, redAbove, row, stat, table, variable} from './grafana.mjs';

const b = 'baseline=~"$baseline"';

export default dashboard({
  name: 'baselines', title: 'Baselines', tags: ['baseline'], from: 'now-24h',
  description: 'What is normal for each watched series, and what is not.',
  variables: [variable('baseline', 'vigia_baseline_expected, baseline', {label: 'Baseline'})],
  annotations: [['Regressions', `vigia_baseline_regression{${b}} > 0`, 'orange', 'regression: {{baseline}}', '']],
  panels: [
    stat({title: 'Regressions', description: 'Series that are worse than their baseline and stay so.', width: 6, thresholds: redAbove(1, 3), queries: [q(`count(vigia_baseline_regression{${b}} > 0) or vector(0)`)]}),
    stat({title: 'Anomalies', description: 'Series that are in an anomaly now.', width: 6, thresholds: redAbove(1, 10), queries: [q(`count(vigia_baseline_anomaly{${b}} > 0) or vector(0)`)]}),
    stat({title: 'Watched', description: 'Series with a baseline.', width: 6, queries: [q(`count(vigia_baseline_expected{${b}}) or vector(0)`)]}),
    stat({title: 'Furthest from normal', description: 'The highest score.', width: 6, decimals: 2, max: 1, thresholds: redAbove(0.8, 0.95), queries: [q(`max(vigia_baseline_score{${b}}) or vector(0)`)]}),
    graph({title: 'Actual', description: 'The watched series.', height: 10, queries: [q(`vigia_baseline_expected{${b}} * vigia_baseline_ratio{${b}}`, '{{baseline}}')]}),
    graph({title: 'Expected, with its band', description: 'What is normal at this moment.', height: 10, queries: [
      q(`vigia_baseline_expected{${b}}`, '{{baseline}} expected'), q(`vigia_baseline_lower{${b}}`, '{{baseline}} lower'), q(`vigia_baseline_upper{${b}}`, '{{baseline}} upper')]}),
    graph({title: 'Deviation', description: 'Actual over expected, less one.', unit: 'percentunit', queries: [q(`vigia_baseline_ratio{${b}} - 1`, '{{baseline}}')]}),
    graph({title: 'Score', description: 'How abnormal, from 0 to 1.', min: 0, max: 1, queries: [q(`vigia_baseline_score{${b}}`, '{{baseline}}')]}),
    row('All'),
    table({title: 'Series', description: 'The 100 furthest from normal.', width: 24, height: 10, by: ['baseline', 'method', 'view', 'path', 'datname', 'relname', 'device', 'query'], sortBy: 'score', queries: [
      q(`topk(100, vigia_baseline_score{${b}})`, 'score'), q(`vigia_baseline_ratio{${b}} - 1`, 'deviation', {unit: 'percentunit'}),
      q(`vigia_baseline_regression{${b}}`, 'regression')]}),
  ],
});
