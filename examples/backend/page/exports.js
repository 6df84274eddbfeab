// The list of reels: how far each is, and the reel itself when it is there.

import * as api from './api.js';

const PHASES = {startup: 'Starting', download: 'Fetching', probe: 'Looking at the video', load: 'Loading', render: 'Rendering',
  audio: 'Sound', assemble: 'Joining', upload: 'Storing', done: 'Finishing'};

export class Exports {
  /** options: section, list, complain(error) */
  constructor(options) {
    Object.assign(this, options);
    this.cards = new Map();
  }

  /** What the server knows, also of former visits; those that have not ended are followed. */
  async load() {
    for (const seen of (await api.exportsNow()).reverse()) this.show(seen);
  }

  /** Show an export; `play` its reel when it is done. */
  show(seen, {play = false} = {}) {
    const card = this.cards.get(seen.id) ?? this.#card(seen.id);
    card.play ||= play;
    this.#update(card, seen);
    if (['queued', 'running'].includes(seen.status) && !card.following) {
      card.following = true;
      api.follow(seen.id, now => this.#update(card, now)).then(last => last.status === 'gone' && this.#drop(seen.id));
    }
    return card.element;
  }

  #card(id) {
    const element = document.createElement('li');
    element.className = 'export';
    element.dataset.id = id;
    element.innerHTML = `
      <div class="row"><strong class="name"></strong><span class="badge"></span></div>
      <p class="what"></p>
      <div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"><i></i></div>
      <p class="said" aria-live="polite"></p>
      <div class="film"></div>
      <div class="row actions"></div>`;
    const card = {id, element, play: false, status: '', following: false};
    this.cards.set(id, card);
    this.list.prepend(element);
    this.section.hidden = false;
    return card;
  }

  #update(card, seen) {
    const part = name => card.element.querySelector(name), percent = Math.round(100 * seen.share);
    card.element.className = `export ${seen.status}`;
    part('.name').textContent = seen.title || 'Reel';
    part('.badge').textContent = {queued: 'Waiting', running: `${percent} %`, complete: 'Done', error: 'Failed', cancelled: 'Cancelled'}[seen.status];
    part('.what').textContent = `${seen.seconds.toFixed(1)} s, ${seen.frames} frames`;
    const bar = part('.bar');
    bar.hidden = !['queued', 'running'].includes(seen.status);
    bar.setAttribute('aria-valuenow', percent);
    bar.firstElementChild.style.width = `${100 * seen.share}%`;
    part('.said').textContent = said(seen);
    if (card.status !== seen.status) this.#arrive(card, seen);
  }

  #arrive(card, seen) {
    card.status = seen.status;
    const actions = card.element.querySelector('.actions'), film = card.element.querySelector('.film');
    actions.replaceChildren();
    film.replaceChildren();
    if (['queued', 'running'].includes(seen.status)) {
      actions.append(this.#button('Cancel', async () => this.#update(card, await api.cancel(seen.id))));
      return;
    }
    if (seen.status === 'complete') {
      const video = document.createElement('video');
      Object.assign(video, {src: seen.file, controls: true, playsInline: true, preload: 'metadata', loop: false});
      video.style.aspectRatio = `${seen.result.width} / ${seen.result.height}`;
      video.setAttribute('aria-label', `The reel ${seen.title}`);
      film.append(video);
      const link = Object.assign(document.createElement('a'), {href: `${seen.file}?download=true`, textContent: 'Download', className: 'button'});
      actions.append(link);
      if (card.play) play(video);
    }
    actions.append(this.#button('Delete', async () => { await api.remove(seen.id); this.#drop(seen.id); }));
  }

  #button(text, act) {
    const button = Object.assign(document.createElement('button'), {type: 'button', textContent: text, className: 'quiet'});
    button.addEventListener('click', async () => {
      button.disabled = true;
      try { await act(); } catch (error) { this.complain(error); }
      button.disabled = false;
    });
    return button;
  }

  #drop(id) {
    this.cards.get(id)?.element.remove();
    this.cards.delete(id);
    this.section.hidden = !this.cards.size;
  }
}

function said(seen) {
  if (seen.status === 'queued') return seen.ahead ? `${seen.ahead} ahead of it` : 'Next in line';
  if (seen.status === 'running') return seen.message === 'stopping' ? 'Stopping' : PHASES[seen.phase] ?? 'Starting';
  if (seen.status === 'error') return seen.error.message;
  if (seen.status !== 'complete') return '';
  const {result} = seen, took = seen.ended - seen.started;
  const notes = [...result.warnings, ...result.notes].join(' ');
  return `Made in ${took.toFixed(1)} s on ${result.hardware}, ${result.cost_usd ? `$${result.cost_usd.toFixed(4)}` : 'no charge'}. ${notes}`;
}

async function play(video) {
  video.scrollIntoView({block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
  try {
    await video.play();
  } catch { // without a click browsers only play what is silent
    video.muted = true;
    await video.play().catch(() => {});
  }
}
