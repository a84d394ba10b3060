'use strict';
// Asks a report what it promises, as a reader would: by clicks and keys. Runs in a copy
// of the page, in a frame whose name is `report WIDTHxHEIGHT scheme`, and tells its
// verdict to the page around it. `#expected` is what `--format json` says of the same
// run.
addEventListener('load', async () => {
  const problems = [];
  let held = 0;
  const ask = (what, holds) => {
    if (holds) held += 1;
    else problems.push(what);
  };
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const isSeen = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const [report, size, scheme] = name.split(' ');
  const [width, height] = size.split('x').map(Number);
  // Events of a dialog and of the fragment come later.
  const until = async (holds) => {
    for (let tries = 0; tries < 200 && !holds(); tries += 1) {
      await new Promise((done) => setTimeout(done, 20));
    }
    return holds();
  };
  const press = (target, key) => target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  const set = (id, value) => {
    byId(id).value = value;
    byId(id).dispatchEvent(new Event('input', { bubbles: true }));
  };
  const rows = () => all('.of-law').filter(isSeen);
  const fitsAcross = (when) => {
    const wide = document.documentElement.scrollWidth;
    ask(`${when}: ${wide} px wide in ${innerWidth}`, wide <= innerWidth);
  };

  // What the colours are drawn on, and how far they stand out, by WCAG 2.
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  function ground(element) {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  }
  function light(color) {
    const [red, green, blue] = color.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function contrast(element) {
    const lights = [light(channels(getComputedStyle(element).color)), light(ground(element))];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  }
  function isReadable(when, selectors) {
    for (const selector of selectors) {
      const found = all(selector).filter(isSeen);
      for (const element of found.slice(0, 3)) {
        const value = contrast(element);
        ask(`${when}: ${selector} has a contrast of ${value.toFixed(2)}`, value >= 4.5);
      }
    }
  }
  function canBeHit(when, selector) {
    const small = all(selector).filter(isSeen).filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width < 24 || box.height < 24;
    });
    ask(`${when}: ${small.length} of ${selector} are below 24 px`, small.length === 0);
  }

  try {
    ask(`the frame is ${innerWidth}x${innerHeight}`, innerWidth === width && innerHeight === height);
    ask('the scheme', matchMedia(`(prefers-color-scheme: ${scheme})`).matches);
    const page = light(channels(getComputedStyle(document.body).backgroundColor));
    ask('the ground follows the scheme', scheme === 'dark' ? page < 0.1 : page > 0.9);
    ask('lang and viewport', document.documentElement.lang === 'en' && all('meta[name=viewport]').length === 1);
    fitsAcross('at first');

    const heads = all('.of-law .law').map((head) => head.getBoundingClientRect());
    const narrow = Math.min(...heads.map((head) => head.width));
    ask(`a law has ${narrow} px`, narrow > 250);
    ask('no law is cut', heads.every((head) => head.right <= innerWidth));

    // The same as the JSON report says.
    const results = JSON.parse(byId('expected').textContent)
      .flatMap(({ subject, results }) => results.map((result) => ({ subject, ...result })));
    const keys = new Set(results.map((result) => `${result.subject} ${result.law}`));
    ask(`${rows().length} rows of ${keys.size}`, rows().length === keys.size && keys.size > 10);
    ask('the count of rows', byId('shown').textContent === `${keys.size} of ${keys.size} rows`);
    const buttons = all('.of-law button');
    ask(`${buttons.length} cells of ${results.length}`, buttons.length === results.length);
    for (const outcome of ['failed', 'passed', 'skipped']) {
      const count = (list) => list.filter((one) => one === outcome).length;
      const [shown, told] = [count(buttons.map((button) => button.className)), count(results.map((result) => result.outcome))];
      ask(`${shown} of ${told} ${outcome}`, shown === told);
    }
    const failed = results.filter((result) => result.outcome === 'failed');
    ask(`${failed.length} failures`, report === 'green' ? failed.length === 0 : failed.length > 0);
    ask('each failure is told below', all('.failure').length === failed.length);
    ask('each cell has a name', buttons.every((button) => button.getAttribute('aria-label').length > button.className.length + 10));
    ask('each matrix is one stop', all('.of-law button[tabindex="0"]').length === all('.laws').length);
    canBeHit('at first', 'button, select, input[type=search], label.choice, summary, a');
    isReadable('at first', ['h1', '.verdict', '.facts dt', '.counts td', '.counts a', 'td.failed', '.choice .number',
      '#shown', '.summary', '.sentence', '.level', '.backend', 'button.passed', 'button.failed', 'button.skipped', 'summary']);

    // A cell opens what is known of its check; Escape closes it.
    for (const outcome of ['failed', 'passed', 'skipped']) {
      const cell = all(`.of-law button.${outcome}`)[0];
      if (!cell) continue;
      const label = cell.getAttribute('aria-label');
      const result = results.find((result) => label === `${outcome}: ${result.law} on ${result.backend}`);
      cell.focus();
      cell.click();
      const panel = byId('panel');
      const text = panel.innerText;
      ask(`${outcome}: the panel opens`, panel.open && isSeen(panel));
      ask(`${outcome}: the focus is within`, panel.contains(document.activeElement));
      const command = `anysync-conformance ${result.law} --backend ${result.backend} --subject ${result.subject} --seed ${result.seed}`;
      const sentence = cell.closest('tr').querySelector('.sentence').textContent;
      const parts = [result.law, outcome, sentence, String(result.seed), 'how to mend', 'to repeat it'];
      for (const part of parts) ask(`${outcome}: no ${part} in the panel`, text.includes(part));
      ask(`${outcome}: the command`, all('pre', panel).some((pre) => pre.textContent === command));
      if (result.reason) {
        const evidence = panel.querySelector('.told').textContent;
        ask(`${outcome}: the evidence is ${evidence}`, evidence.length > 3 && result.reason.startsWith(evidence));
      }
      const hint = all('dt', panel).find((term) => term.textContent.startsWith('how to mend'));
      ask(`${outcome}: the hint`, hint?.nextSibling.textContent.length > 10);
      ask('the open check is in the fragment', new URLSearchParams(location.hash.slice(1)).get('check')?.includes(result.law));
      ask(`${outcome}: the panel is ${panel.scrollWidth} px wide`, panel.scrollWidth <= panel.clientWidth && panel.offsetWidth <= innerWidth);
      ask(`${outcome}: the panel is as high as the screen at most`, panel.offsetHeight <= innerHeight);
      fitsAcross(`${outcome}: with the panel`);
      canBeHit(`${outcome}: in the panel`, '#panel button, #panel a');
      isReadable(`${outcome}: in the panel`, ['#panel h2', '#panel dt', '#panel dd', '#panel pre', '#panel .badge', '#panel a', '.copy']);
      // Without a clipboard the command is marked.
      const copy = panel.querySelector('.copy');
      copy.click();
      await until(() => copy.textContent !== 'Copy the command');
      const isMarked = copy.textContent.startsWith('Marked') && getSelection().toString().trim() === command;
      ask(`${outcome}: the copy button says ${copy.textContent}`, copy.textContent === 'Copied' || isMarked);
      // What Escape does: the browser asks the dialog to close.
      const isModal = panel.matches(':modal');
      panel.requestClose ? panel.requestClose() : panel.close();
      ask(`${outcome}: the panel closes`, isModal && await until(() => !panel.open));
      ask(`${outcome}: the focus returns`, await until(() => document.activeElement === cell));
      ask(`${outcome}: the fragment forgets it`, await until(() => !location.hash.includes('check=')));
    }

    // The arrows go from cell to cell.
    const first = rows()[0].querySelector('button');
    first.focus();
    press(first, 'ArrowDown');
    ask('down', document.activeElement === rows()[1].querySelector('button'));
    press(document.activeElement, 'ArrowUp');
    ask('up', document.activeElement === first);
    press(first, 'ArrowUp');
    ask('the edge holds', document.activeElement === first);

    // The filters, each by itself.
    const total = keys.size;
    const matching = (wanted) => new Set(results.filter(wanted).map((result) => `${result.subject} ${result.law}`)).size;
    const isNarrowed = (what, wanted) => {
      const count = matching(wanted);
      ask(`${what}: ${rows().length} rows of ${count}`, rows().length === count);
      ask(`${what}: says ${byId('shown').textContent}`, byId('shown').textContent === `${count} of ${total} rows`);
      fitsAcross(what);
    };
    set('query', 'notify::permit');
    isNarrowed('by id', (result) => result.law.includes('notify::permit'));
    ask('by id: fewer, but some', rows().length > 0 && rows().length < total);
    ask('the query is in the fragment', new URLSearchParams(location.hash.slice(1)).get('q') === 'notify::permit');
    const words = rows()[0].querySelector('.sentence').textContent;
    set('query', words.toUpperCase());
    ask('by sentence', rows().length > 0 && rows().every((row) => row.querySelector('.sentence').textContent === words));
    set('query', 'no such law');
    isNarrowed('nothing', () => false);
    ask('nothing is said to match', isSeen(byId('nothing')) && byId('nothing').innerText.includes('No law matches'));
    ask('nothing else is left', all('section').filter(isSeen).length === 0);
    all('#nothing [data-clear]')[0].click();
    isNarrowed('cleared', () => true);
    ask('cleared: the fragment', !location.hash.includes('='));
    const box = (value) => all('.filters input[type=checkbox]').find((input) => input.value === value);
    box('passed').click();
    isNarrowed('without what passed', (result) => result.outcome !== 'passed');
    box('skipped').click();
    isNarrowed('what failed', (result) => result.outcome === 'failed');
    box('passed').click();
    box('skipped').click();
    box('must').click();
    isNarrowed('without MUST', (result) => result.level !== 'must');
    box('must').click();
    const backend = results[results.length - 1].backend;
    set('backend', backend);
    isNarrowed('by backend', (result) => result.backend === backend);
    ask('by backend: one column', all('.laws thead .backend').filter(isSeen).every((head) => head.textContent === backend));

    // A link brings the filters with it.
    location.hash = '#q=permit&outcome=passed%2Cfailed';
    ask('from the fragment: the query', await until(() => byId('query').value === 'permit' && byId('backend').value === ''));
    ask('from the fragment: the outcomes', !box('skipped').checked && box('passed').checked);
    ask('from the fragment: fewer rows', rows().length > 0 && rows().length < total);

    ask('nothing was fetched', performance.getEntriesByType('resource').filter((entry) => !entry.name.startsWith('data:')).length === 0);
  } catch (error) {
    problems.push(`the questions end early: ${error.stack}`);
  }
  for (const problem of problems) parent.postMessage(`broken: ${name}: ${problem}`, '*');
  parent.postMessage(`verdict: ${name}: ${held} hold, ${problems.length} do not`, '*');
});
