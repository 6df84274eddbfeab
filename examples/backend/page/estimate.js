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

function rows({options, reason, executor}) {
  const table = text('table', 'options', '');
  const head = table.createTHead().insertRow();
  for (const title of ['Where', 'Time', 'Cost']) head.append(text('th', '', title));
  for (const option of options) {
    const row = table.insertRow();
    row.className = option.recommended ? 'recommended' : '';
    const where = row.insertCell();
    where.append(text('strong', '', option.name), text('span', 'basis', option.basis));
    if (option.executor === executor) where.append(text('span', 'here', 'here'));
    row.insertCell().textContent = duration(option.seconds);
    row.insertCell().textContent = option.usd ? `$${option.usd.toFixed(4)}` : 'free';
  }
  return [table, text('p', 'reason', reason)];
}

const duration = seconds => (seconds < 90 ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`);

function text(tag, name, content) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = content;
  return element;
}
