// The frame of the page: navigation, time range, theme, and the one poll that drives the view.

import {h, replace} from './dom.js';
import {duration} from './format.js';
import {kRanges, now, refreshStatus, state} from './state.js';
import {BaselinesView} from './views/baselines.js';
import {CollectorsView} from './views/collectors.js';
import {ExploreView} from './views/explore.js';
import {JournalView} from './views/journal.js';
import {NowView} from './views/now.js';
import {RulesView} from './views/rules.js';
import {SubjectView} from './views/subject.js';

const subject = name => app => new SubjectView(name, app);

const kViews = {
  now: {title: 'Now', make: app => new NowView(app)},
  host: {title: 'Host', make: subject('host')},
  postgres: {title: 'PostgreSQL', make: subject('postgres')},
  redis: {title: 'Redis', make: subject('redis')},
  endpoints: {title: 'Endpoints', make: subject('endpoints')},
  kpis: {title: 'KPIs', make: subject('kpis')},
  baselines: {title: 'Baselines', make: app => new BaselinesView(app)},
  explore: {title: 'Explore', make: (app, parameters) => new ExploreView(app, parameters)},
  rules: {title: 'Rules', make: app => new RulesView(app)},
  journal: {title: 'Journal', make: (app, parameters) => new JournalView(app, parameters)},
  collectors: {title: 'Collectors', make: app => new CollectorsView(app)},
};

const kThemes = ['auto', 'dark', 'light'];

class App {
  constructor() {
    this.main = document.getElementById('main');
    this.notice = document.getElementById('notice');
    this.links = new Map();
    replace(document.getElementById('nav'), Object.entries(kViews).map(([name, view]) => {
      const link = h('a', {href: `#/${name}`}, view.title);
      this.links.set(name, link);
      return link;
    }));
    this.ranges = h('div', {class: 'ranges', role: 'group', 'aria-label': 'Time range'},
                    Object.keys(kRanges).map(name => h('button', {type: 'button', onclick: () => this.setRange(name)}, name)));
    this.live = h('button', {type: 'button', hidden: true, onclick: () => this.zoom(null)}, 'Back to live');
    this.theme = h('button', {type: 'button', onclick: () => this.nextTheme()});
    replace(document.getElementById('tools'), this.live, this.ranges, this.theme);
    this.setTheme(this.savedTheme());
    addEventListener('hashchange', () => this.route());
    document.addEventListener('visibilitychange', () => document.hidden || this.poll());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.view?.restyle?.());
  }

  savedTheme() {
    try {
      const saved = localStorage.getItem('vigia.theme');
      return kThemes.includes(saved) ? saved : 'auto';
    } catch {
      return 'auto';
    }
  }

  setTheme(theme) {
    if (theme === 'auto') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.dataset.theme = theme;
    this.theme.textContent = {auto: '◐', dark: '☾', light: '☀'}[theme];
    this.theme.setAttribute('aria-label', `Theme: ${theme}`);
    this.theme.dataset.theme = theme;
  }

  nextTheme() {
    const theme = kThemes[(kThemes.indexOf(this.theme.dataset.theme) + 1) % kThemes.length];
    try {
      localStorage.setItem('vigia.theme', theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    this.setTheme(theme);
    this.view?.restyle?.();
  }

  // "#/explore?expr=up&range=6h" names view, range and the view's own parameters.
  route() {
    const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
    const name = Object.hasOwn(kViews, path) ? path : 'now';
    this.parameters = new URLSearchParams(query);
    const range = this.parameters.get('range');
    if (Object.hasOwn(kRanges, range ?? '')) state.range = range;
    const [from, to] = ['from', 'to'].map(key => Number(this.parameters.get(key)));
    state.zoom = from > 0 && to - from >= 60 && to - from <= 31 * 86400 ? {from, to} : null;
    if (name !== this.name || this.view?.reads?.(this.parameters)) this.show(name);
    this.showTools();
    this.poll();
  }

  show(name) {
    if (this.view) scrollTo(0, 0);
    this.view?.destroy?.();
    this.name = name;
    for (const [other, link] of this.links) {
      if (other === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    // On a phone the bar is wider than the screen. Later: to ask for places now would lay the page out twice.
    requestAnimationFrame(() => this.links.get(this.name).scrollIntoView({block: 'nearest', inline: 'center'}));
    document.title = `${kViews[name].title} – vigia`;
    this.view = kViews[name].make(this, this.parameters);
    replace(this.main, this.view.element);
  }

  showTools() {
    this.ranges.hidden = !this.view.ranged;
    this.live.hidden = !state.zoom || !this.view.ranged;
    for (const button of this.ranges.children) {
      button.setAttribute('aria-pressed', String(button.textContent === state.range && !state.zoom));
    }
  }

  // Puts parameters into the address, so that it can be shared; null removes one.
  setParameters(changes) {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === '') this.parameters.delete(key);
      else this.parameters.set(key, value);
    }
    const query = this.parameters.toString();
    history.replaceState(null, '', `#/${this.name}${query ? `?${query}` : ''}`);
    this.showTools();
  }

  setRange(range) {
    state.range = range;
    state.zoom = null;
    this.setParameters({range, from: null, to: null});
    this.restart();
  }

  zoom(from, to) {
    state.zoom = from === null ? null : {from: Math.round(from), to: Math.round(to)};
    this.setParameters({from: state.zoom?.from ?? null, to: state.zoom?.to ?? null});
    this.restart();
  }

  // What the view is still waiting for answers what nobody asks any more.
  restart() {
    this.view.cancel?.();
    this.poll();
  }

  // One round; while one is under way another asks for a second.
  async poll() {
    if (this.polling) {
      this.again = true;
      return;
    }
    this.polling = true;
    clearTimeout(this.timer);
    await refreshStatus();
    try {
      if (!state.failing) await this.view.update();
    } catch (error) {
      if (error.name !== 'AbortError') state.failing = error;
    }
    this.showHealth();
    this.polling = false;
    const wait = this.again ? 0 : this.interval();
    this.again = false;
    this.timer = setTimeout(() => document.hidden || this.poll(), wait);
  }

  interval() {
    if (state.failing) return 3000;
    return Math.min(60, Math.max(5, state.status?.interval_seconds ?? 5)) * 1000;
  }

  // Says what makes the page's figures less than current; silent while all is well.
  showHealth() {
    let text = '';
    if (state.failing) {
      const age = state.answered ? ` What is shown is ${duration((Date.now() - state.answered) / 1000)} old.` : '';
      text = `${state.failing.message}.${age} Trying again.`;
    } else {
      const late = state.status.collectors.filter(one => one.last_success > 0 &&
          now() - one.last_success > 3 * one.interval_seconds + 5);
      if (late.length) text = `Stale: ${late.map(one => one.collector).join(', ')}`;
    }
    if (this.notice.textContent !== text) this.notice.textContent = text;
    document.body.classList.toggle('lost', Boolean(state.failing));
  }
}

const app = new App();
app.route();
