import {dashboard, graph, q, redAbove, row, stat, table, variable} from './grafana.mjs';

const i = 'instance=~"$instance"';

export default dashboard({
  name: 'kpis', title: 'KPIs', tags: ['kpi'], from: 'now-24h', refresh: '5m',
  description: 'Business numbers by SQL: those of the bundled Django pack, and the age of every query\'s values.',
  variables: [variable('instance', 'vigia_kpi_age_seconds, instance', {label: 'Source', description: 'Empty where vigia itself is the data source.'})],
  panels: [
    stat({title: 'Users', description: 'Accounts that are active, staff apart.', graphMode: 'none', queries: [q(`max(kpi_users{${i}, state="active"})`)]}),
    stat({title: 'Active, day', description: 'Distinct active users of the last day.', queries: [q(`max(kpi_active_users{${i}, window="1d"})`)]}),
    stat({title: 'Active, month', description: 'Distinct active users of the last 30 days.', queries: [q(`max(kpi_active_users{${i}, window="30d"})`)]}),
    stat({title: 'Stickiness', description: 'Daily over monthly active users.', unit: 'percentunit', queries: [q(`max(kpi_stickiness_ratio{${i}})`)]}),
    stat({title: 'Engagement', description: 'Share of posts that had a comment within a week.', unit: 'percentunit', queries: [q(`max(kpi_content_engagement_ratio{${i}})`)]}),
    stat({title: 'Oldest value', description: 'Age of the oldest values that are still shown.', unit: 's', thresholds: redAbove(3600, 86400), queries: [q(`max(vigia_kpi_age_seconds{${i}})`)]}),
    row('Users'),
    graph({title: 'Active users', description: 'By window.', min: 0, queries: [q(`max by (window) (kpi_active_users{${i}})`, '{{window}}')]}),
    graph({title: 'New users', description: 'By window.', min: 0, queries: [q(`max by (window) (kpi_new_users{${i}})`, '{{window}}')]}),
    graph({title: 'Retention', description: 'Share of a cohort that came back after so many days.', unit: 'percentunit', min: 0, max: 1,
           queries: [q(`avg by (day) (kpi_retention_ratio{${i}, kind="classic"})`, 'day {{day}}')]}),
    graph({title: 'API adoption', description: 'Share of the users signed in within 30 days who hold an API token.', unit: 'percentunit', min: 0, queries: [q(`max(kpi_api_adoption_ratio{${i}})`, 'adoption')]}),
    row('Content'),
    graph({title: 'New posts and comments', description: 'By window.', min: 0, queries: [
      q(`max by (window) (kpi_new_posts{${i}})`, 'posts {{window}}'), q(`max by (window) (kpi_new_comments{${i}})`, 'comments {{window}}')]}),
    graph({title: 'Comments per post', description: 'Within seven days of publication.', min: 0, queries: [q(`max(kpi_comments_per_post{${i}})`, 'comments')]}),
    row('Queries'),
    table({title: 'Queries', description: 'Age, cost and success of each.', width: 24, by: ['query'], sortBy: 'age', queries: [
      q(`max by (query) (vigia_kpi_age_seconds{${i}})`, 'age', {unit: 's'}), q(`max by (query) (vigia_kpi_query_duration_seconds{${i}})`, 'took', {unit: 's'}),
      q(`max by (query) (vigia_kpi_query_rows{${i}})`, 'rows'), q(`min by (query) (vigia_kpi_query_up{${i}})`, 'good')]}),
  ],
});
