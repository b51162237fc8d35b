// What all dashboards have in common, in Grafana's JSON (schema version 42, @grafana/schema).

export const kSchemaVersion = 42;

const source = {type: 'prometheus', uid: '${datasource}'};

// A query: expression, legend, and for tables the name of the column.
export const q = (expr, legend = '', more = {}) => ({expr, legend, ...more});

const steps = list => list.map(([value, color]) => ({value, color}));
const plain = [[null, 'blue']];

function targets(queries, format) {
  return queries.map(({expr, legend, instant = format === 'table'}, i) => ({
    datasource: source, refId: String.fromCharCode(65 + i), expr, legendFormat: legend || '__auto',
    editorMode: 'code', format, instant, range: !instant}));
}

// {title, description, queries, unit, width, height, ...}; the builders below fill in the rest.
function panel(type, spec, defaults, options, format = 'time_series') {
  return {
    type, title: spec.title, description: spec.description, datasource: source,
    targets: targets(spec.queries, format),
    fieldConfig: {
      defaults: {
        unit: spec.unit ?? 'short', ...(spec.min === undefined ? {} : {min: spec.min}),
        ...(spec.max === undefined ? {} : {max: spec.max}),
        ...(spec.decimals === undefined ? {} : {decimals: spec.decimals}),
        thresholds: {mode: 'absolute', steps: steps(spec.thresholds ?? plain)},
        ...(spec.noValue ? {noValue: spec.noValue} : {}),
        mappings: spec.mappings ?? [], ...defaults},
      overrides: spec.overrides ?? []},
    options,
    ...(spec.links ? {links: spec.links} : {}),
    ...(spec.transformations ? {transformations: spec.transformations} : {}),
    size: {w: spec.width ?? 12, h: spec.height ?? 8},
  };
}

export function graph(spec) {
  return panel('timeseries', spec, {
    color: {mode: 'palette-classic'},
    custom: {drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: spec.stack ? 40 : 8, showPoints: 'never',
             spanNulls: false, stacking: {mode: spec.stack ? 'normal' : 'none', group: 'A'},
             thresholdsStyle: {mode: spec.thresholds ? 'dashed' : 'off'}},
  }, {legend: {displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max']},
      tooltip: {mode: 'multi', sort: 'desc'}});
}

export function stat(spec) {
  return panel('stat', {width: 4, height: 4, ...spec}, {color: {mode: 'thresholds'}},
               {colorMode: spec.colorMode ?? 'value', graphMode: spec.graphMode ?? 'area', justifyMode: 'auto', textMode: 'auto',
                orientation: 'auto', reduceOptions: {calcs: ['lastNotNull'], fields: '', values: false}});
}

export function gauge(spec) {
  return panel('gauge', {width: 4, height: 4, min: 0, max: 1, unit: 'percentunit', ...spec}, {color: {mode: 'thresholds'}},
               {showThresholdLabels: false, showThresholdMarkers: true, orientation: 'auto',
                reduceOptions: {calcs: ['lastNotNull'], fields: '', values: false}});
}

// Joins the queries by the labels that `by` names; each query is a column.
export function table(spec) {
  const columns = Object.fromEntries(spec.queries.map(({legend}, i) => [`Value #${String.fromCharCode(65 + i)}`, legend]));
  if (spec.queries.length === 1) columns.Value = spec.queries[0].legend;
  const overrides = spec.queries.filter(one => one.unit).map(({legend, unit}) => (
      {matcher: {id: 'byName', options: legend}, properties: [{id: 'unit', value: unit}]}));
  return panel('table', {...spec, overrides, transformations: [
    {id: 'merge', options: {}},
    {id: 'filterFieldsByName', options: {include: {names: [...spec.by, ...Object.keys(columns)]}}},
    {id: 'organize', options: {renameByName: {...columns, ...spec.rename},
                               indexByName: Object.fromEntries(spec.by.map((name, i) => [name, i])), excludeByName: {Time: true}}},
  ]}, {color: {mode: 'thresholds'}, custom: {align: 'auto', cellOptions: {type: 'auto'}, filterable: true}},
  {showHeader: true, cellHeight: 'sm', ...(spec.sortBy ? {sortBy: [{displayName: spec.sortBy, desc: true}]} : {})}, 'table');
}

export function text(spec) {
  return {type: 'text', title: spec.title, description: spec.description, options: {mode: 'markdown', content: spec.content},
          size: {w: spec.width ?? 24, h: spec.height ?? 3}};
}

export const row = title => ({type: 'row', title, collapsed: false, panels: [], size: {w: 24, h: 1}});

export const upDown = [{type: 'value', options: {0: {text: 'down', color: 'red', index: 0}, 1: {text: 'up', color: 'green', index: 1}}}];
export const redBelow = at => [[null, 'red'], [at, 'green']];
export const redAbove = (warn, bad) => [[null, 'green'], [warn, 'orange'], [bad, 'red']];

// A drop-down that is filled by label_values(metric, label); all values by default, series without the label included.
export function variable(name, query, {label = name, description = '', multi = true, includeAll = true} = {}) {
  return {type: 'query', name, label, description, datasource: source, query: {query: `label_values(${query})`, refId: name, qryType: 1},
          definition: `label_values(${query})`, refresh: 2, sort: 1, multi, includeAll,
          ...(includeAll ? {allValue: '.*', current: {text: 'All', value: '$__all'}} : {})};
}

const datasource = {type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus', regex: '', refresh: 1,
                    description: 'A Prometheus that scrapes vigia, or vigia itself.'};

// Panels flow from left to right; one that does not fit begins a line.
function place(panels) {
  let [x, y, tallest] = [0, 0, 0];
  return panels.map(({size, ...one}, i) => {
    if (x + size.w > 24) [x, y, tallest] = [0, y + tallest, 0];
    const gridPos = {x, y, w: size.w, h: size.h};
    x += size.w;
    tallest = Math.max(tallest, size.h);
    return {...one, id: i + 1, gridPos};
  });
}

function annotation(name, expr, color, title, textFormat, enable = true) {
  return {datasource: source, enable, hide: false, iconColor: color, name, expr, titleFormat: title, textFormat, step: '60s'};
}

// {uid, title, description, tags, variables, panels, annotations, refresh, from}
export function dashboard(spec) {
  return {
    uid: `vigia-${spec.name}`, title: `vigia / ${spec.title}`, description: spec.description, tags: ['vigia', ...(spec.tags ?? [])],
    id: null, editable: true, schemaVersion: kSchemaVersion, version: 1, graphTooltip: 1, timezone: 'browser', fiscalYearStartMonth: 0,
    refresh: spec.refresh ?? '30s', time: {from: spec.from ?? 'now-1h', to: 'now'}, timepicker: {},
    links: [{type: 'dashboards', title: 'vigia', tags: ['vigia'], asDropdown: true, includeVars: true, keepTime: true,
             targetBlank: false, icon: 'external link', tooltip: 'The other dashboards of vigia', url: ''}],
    templating: {list: [datasource, ...(spec.variables ?? [])]},
    annotations: {list: [
      {builtIn: 1, datasource: {type: 'grafana', uid: '-- Grafana --'}, enable: true, hide: true, iconColor: 'rgba(0, 211, 255, 1)',
       name: 'Annotations & Alerts', type: 'dashboard'},
      annotation('Alerts', 'ALERTS{alertstate="firing", severity!="none"}', 'red', '{{alertname}}', '{{severity}}', spec.alerts !== false),
      annotation('Deploys', 'vigia_deploy_timestamp_seconds > time() - 60', 'blue', 'deploy {{version}}', ''),
      ...(spec.annotations ?? []).map(one => annotation(...one))]},
    panels: place(spec.panels),
  };
}
