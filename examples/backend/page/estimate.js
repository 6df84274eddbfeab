// Time and cost before the click, for each executor: what the server estimates, a moment after the last change.

import * as api from './api.js';

const PAUSE_MS = 400;
let timer = 0, asked = 0;

export function showEstimate(root, request) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const number = asked += 1;
    try {
      const answer = await api.estimate(request);
      if (number === asked) root.replaceChildren(...rows(answer));
    } catch (error) {
      if (number === asked) root.replaceChildren(text('p', 'none', error.message));
    }
  }, PAUSE_MS);
}

function rows({options, executor, prices, warnings}) {
  const table = text('table', 'options', '');
  const head = table.createTHead().insertRow();
  for (const title of ['Where', 'Time', 'Cost']) head.append(text('th', '', title));
  const body = table.createTBody();
  for (const option of options) {
    const row = body.insertRow();
    row.className = option.executor === executor ? 'here' : '';
    row.title = option.why;
    const where = row.insertCell();
    where.append(text('strong', '', option.name), text('span', 'basis', note(option, executor)));
    const time = row.insertCell();
    time.append(text('span', '', duration(option.seconds)), text('small', '', `${short(option.low)} to ${short(option.high)} s`));
    const cost = row.insertCell();
    cost.append(text('span', '', option.usd ? `$${option.usd.toFixed(4)}` : 'free'));
  }
  const said = [...warnings, `Prices: ${prices}.`].join('. ');
  return [table, text('p', 'reason', said)];
}

const note = ({executor, basis, start, recommended}, here) =>
  [basis, executor === here ? 'renders here' : start === 'cold' ? 'with its start' : '', recommended ? 'recommended' : ''].filter(Boolean).join(', ');

const duration = seconds => (seconds < 99.5 ? `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`);

const short = seconds => seconds.toFixed(seconds < 9.95 ? 1 : 0);

function text(tag, name, content) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = content;
  return element;
}
