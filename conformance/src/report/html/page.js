'use strict';
(() => {
  const { laws, checks } = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const [form, query, backend, panel] = ['filters', 'query', 'backend', 'panel'].map(byId);
  const boxes = (name) => all(`input[name=${name}]`, form);
  const checked = (name) => boxes(name).filter((box) => box.checked).map((box) => box.value);
  const cells = all('.of-law button');
  let open = null;

  // What a check matches: all words of the query, and one choice of each other filter.
  function matcher() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [outcomes, levels] = [checked('outcome'), checked('level')];
    const texts = laws.map((law) => `${law.id} ${law.sentence}`.toLowerCase());
    const fits = texts.map((text) => words.every((word) => text.includes(word)));
    return (check) => fits[check.law] && outcomes.includes(check.outcome)
      && levels.includes(check.level) && (!backend.value || check.backend === backend.value);
  }

  function apply() {
    const matches = matcher();
    let [shown, total] = [0, 0];
    for (const part of all('main section')) {
      let ofPart = 0;
      for (const body of all('tbody', part)) {
        let ofBody = 0;
        for (const row of all('.of-law', body)) {
          row.hidden = !all('button', row).some((cell) => matches(checks[cell.dataset.check]));
          ofBody += row.hidden ? 0 : 1;
          total += 1;
        }
        body.hidden = ofBody === 0;
        ofPart += ofBody;
      }
      const columns = all('.laws [data-backend]', part);
      for (const cell of columns) {
        cell.hidden = backend.value !== '' && cell.dataset.backend !== backend.value;
      }
      part.hidden = ofPart === 0;
      shown += ofPart;
    }
    for (const failure of all('.failure')) {
      failure.hidden = !matches(checks[failure.dataset.check]);
    }
    byId('shown').textContent = `${shown} of ${total} rows`;
    byId('nothing').hidden = shown > 0;
    for (const button of all('[data-clear]', form)) {
      button.hidden = !isFiltered();
    }
    // One stop of the tabulator in each matrix; the arrows go on from there.
    for (const table of all('.laws')) {
      const [first] = all('button', table).filter(isShown);
      enter(table, first);
    }
  }

  const isFiltered = () => query.value !== '' || backend.value !== ''
    || all('input[type=checkbox]', form).some((box) => !box.checked);
  const isShown = (cell) => !cell.closest('[hidden]');

  function clear() {
    query.value = backend.value = '';
    for (const box of all('input[type=checkbox]', form)) box.checked = true;
    changed();
    query.focus();
  }

  function changed() {
    apply();
    save();
  }

  // The filters and the open check are in the fragment, for links.
  function save() {
    const state = new URLSearchParams();
    if (query.value) state.set('q', query.value);
    for (const name of ['outcome', 'level']) {
      if (boxes(name).some((box) => !box.checked)) state.set(name, checked(name).join(','));
    }
    if (backend.value) state.set('backend', backend.value);
    if (open !== null) state.set('check', nameOf(checks[open]));
    const text = state.toString();
    if (location.hash.includes('=') || text) {
      history.replaceState(null, '', text ? `#${text}` : location.href.split('#')[0]);
    }
  }

  const nameOf = (check) => [check.subject, laws[check.law].id, check.backend].join(' ');

  function load() {
    // Other fragments name a place on the page.
    if (location.hash && !location.hash.includes('=')) return;
    const state = new URLSearchParams(location.hash.slice(1));
    query.value = state.get('q') ?? '';
    for (const name of ['outcome', 'level']) {
      const some = state.get(name)?.split(',');
      for (const box of boxes(name)) box.checked = !some || some.includes(box.value);
    }
    const wanted = state.get('backend') ?? '';
    backend.value = [...backend.options].some((option) => option.value === wanted) ? wanted : '';
    apply();
    const name = state.get('check');
    const cell = name && cells.find((cell) => nameOf(checks[cell.dataset.check]) === name);
    if (cell) {
      cell.focus();
      show(Number(cell.dataset.check));
    } else if (panel.open) {
      panel.close();
    }
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function show(place) {
    const check = checks[place];
    const law = laws[check.law];
    open = place;
    byId('panel-title').textContent = law.id;
    byId('panel-where').replaceChildren(
      element('span', check.outcome, `badge ${check.outcome}`),
      element('span', `${check.subject} on ${check.backend}`),
      element('span', check.level, 'level'),
    );
    const parts = byId('panel-parts');
    parts.replaceChildren();
    const add = (name, text, inside, className) => {
      if (!text) return null;
      const value = element('dd', inside ? undefined : text, className);
      if (inside) value.append(element(inside, text));
      parts.append(element('dt', name), value);
      return value;
    };
    add('the law', law.sentence);
    add('why', law.why);
    add(check.outcome === 'skipped' ? 'why it was not run' : 'what happened', check.message, '', 'told');
    add('at', check.location, 'code');
    add('who waited, and what had happened', check.dump, 'pre');
    add(check.outcome === 'failed' ? 'how to mend it' : 'how to mend what breaks it', law.hint);
    if (law.seen_in.length > 0) {
      const links = element('dd', undefined, 'links');
      for (const [issue, address] of law.seen_in) {
        const link = element(address ? 'a' : 'span', issue);
        if (address) Object.assign(link, { href: address, rel: 'noreferrer' });
        links.append(link);
      }
      parts.append(element('dt', 'seen in'), links);
    }
    add('seed', check.seed);
    add('runs', check.outcome === 'skipped' && check.runs === 'not run' ? check.runs : `${check.runs}, ${check.time}`);
    const command = add('to repeat it', check.command, 'pre');
    // A line ends between words, and not after the first dash of an option.
    const words = check.command.split(' ').flatMap((word) => [' ', element('span', word, 'word')]);
    command.querySelector('pre').replaceChildren(...words.slice(1));
    const copy = element('button', 'Copy the command', 'copy');
    copy.type = 'button';
    copy.addEventListener('click', () => copyOf(command.querySelector('pre'), copy));
    command.append(copy);
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    byId('close').focus({ preventScroll: true });
    save();
  }

  // Where the clipboard is out of reach, the command is marked for the reader to copy.
  async function copyOf(text, button) {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = 'Marked: copy it from here';
    }
  }

  function enter(table, cell) {
    for (const other of all('button[tabindex="0"]', table)) other.tabIndex = -1;
    if (cell) cell.tabIndex = 0;
  }

  function move(event) {
    const cell = event.target.closest('.of-law button');
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key];
    if (!cell || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const rows = all('.of-law', cell.closest('table')).filter(isShown);
    const row = cell.closest('tr');
    const column = all('td', row).indexOf(cell.parentElement);
    let [at, across] = [rows.indexOf(row), column];
    for (;;) {
      [at, across] = [at + step[0], across + step[1]];
      const next = rows[at] && all('td', rows[at])[across];
      if (!next) return;
      const button = next.querySelector('button');
      if (button && isShown(button)) {
        button.focus();
        return;
      }
    }
  }

  for (const cell of cells) cell.tabIndex = -1;
  for (const table of all('.laws')) {
    table.setAttribute('role', 'grid');
    for (const cell of all('td', table)) cell.setAttribute('role', 'gridcell');
    table.addEventListener('keydown', move);
    table.addEventListener('focusin', (event) => {
      if (event.target.matches('.of-law button')) enter(table, event.target);
    });
    table.addEventListener('click', (event) => {
      const cell = event.target.closest('.of-law button');
      if (cell) show(Number(cell.dataset.check));
    });
  }
  byId('close').addEventListener('click', () => panel.close());
  panel.addEventListener('click', (event) => {
    if (event.target === panel) panel.close();
  });
  panel.addEventListener('close', () => {
    // To mark the command takes the focus out of the panel, and then nobody returns it.
    cells.find((cell) => Number(cell.dataset.check) === open)?.focus();
    open = null;
    save();
  });
  form.addEventListener('input', changed);
  form.addEventListener('submit', (event) => event.preventDefault());
  for (const button of all('[data-clear]')) button.addEventListener('click', clear);
  addEventListener('hashchange', load);
  form.hidden = false;
  load();
  if (!byId('shown').textContent) apply();
})();
