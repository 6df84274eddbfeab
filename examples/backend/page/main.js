// The page: choose a video, edit, export. Each part has a file of its own; this one connects them.

import * as api from './api.js';
import {clamp, Draft, SPEEDS} from './draft.js';
import {showEstimate} from './estimate.js';
import {Exports} from './exports.js';
import {drawPreview} from './preview.js';
import {Stage} from './stage.js';
import {Timeline} from './timeline.js';
import {length, speedAt} from './tracks.js';

const $ = id => document.getElementById(id);
const video = $('video');
const LAST = 'reelproc-source';
let draft = null;

const time = () => video.currentTime;
const tool = () => document.querySelector('[name=tool]:checked').value;
const seek = to => { video.currentTime = clamp(to, 0, Math.max(0, draft.source.seconds - draft.frame / 2)); };
const toggle = () => { if (video.paused) play(); else video.pause(); };
const stage = new Stage({video, canvas: $('overlay'), tool, time, seek, toggle});
const timeline = new Timeline({root: $('timeline'), time, seek});
const reels = new Exports({section: $('exports'), list: $('export-list'), complain});

// ---- messages

function complain(error) {
  const field = error.path?.length ? ` (${error.path.join('.')})` : '';
  $('alert').textContent = `${error.message}${field}`;
  $('alert').hidden = false;
}

function calm() { $('alert').hidden = true; }

// ---- choosing a video

async function listSources() {
  const items = (await api.sources()).map(source => {
    const item = document.createElement('li');
    const open = Object.assign(document.createElement('button'), {type: 'button', className: 'source'});
    open.innerHTML = '<strong></strong><span></span>';
    open.firstChild.textContent = source.name;
    open.lastChild.textContent = `${clock(source.seconds)} · ${source.width} × ${source.height}${source.sample ? ' · sample' : ''}`;
    open.addEventListener('click', () => edit(source));
    item.append(open);
    if (!source.sample) {
      const remove = Object.assign(document.createElement('button'), {type: 'button', className: 'quiet', textContent: 'Delete'});
      remove.setAttribute('aria-label', `Delete ${source.name}`);
      remove.addEventListener('click', () => api.removeSource(source.id).then(listSources, complain));
      item.append(remove);
    }
    return item;
  });
  $('sources').replaceChildren(...items);
  $('sources-title').hidden = !items.length;
}

async function take(file) {
  if (!file) return;
  calm();
  $('upload').hidden = false;
  $('upload-name').textContent = file.name;
  const bar = $('upload-bar');
  const sending = api.upload(file, share => {
    bar.firstElementChild.style.width = `${100 * share}%`;
    bar.setAttribute('aria-valuenow', Math.round(100 * share));
  });
  $('upload-cancel').onclick = () => sending.abort();
  try {
    const source = await sending.done;
    if (source) edit(source);
  } catch (error) {
    complain(error);
  }
  $('upload').hidden = true;
  $('file').value = '';
}

function choose() {
  video.pause();
  remember('');
  draft = stage.draft = timeline.draft = null;
  $('editor').hidden = $('other-video').hidden = true;
  $('start').hidden = false;
  listSources().catch(complain);
}

// ---- editing

function edit(source) {
  calm();
  remember(source.id);
  draft = stage.draft = timeline.draft = new Draft(source);
  $('start').hidden = true;
  $('editor').hidden = $('other-video').hidden = false;
  $('stage').style.aspectRatio = `${source.width} / ${source.height}`;
  $('stage').style.setProperty('--ratio', source.width / source.height);
  video.src = source.file;
  video.currentTime = draft.data.start;
  const {data} = draft;
  $('title').value = data.title;
  $('size').value = `${data.width}x${data.height}`;
  $('interpolation').value = data.crop.interpolation;
  $('effect').value = data.spotlight.effect;
  $('strength').value = Math.round(100 * draft.strength);
  draft.addEventListener('change', changed);
  changed();
}

function changed() {
  timeline.draw();
  draw();
  const {selected} = draft;
  $('delete').disabled = !selected;
  $('selected').hidden = selected?.lane !== 'speed';
  if (selected?.lane === 'speed') {
    const {start, end, speed} = draft.data.speed.segments[selected.index];
    $('speed').value = speed;
    $('selected-span').textContent = `${clock(start)} to ${clock(end)}`;
  }
  $('length').textContent = `${length(draft.data).toFixed(1)} s · ${draft.data.width} × ${draft.data.height}`;
  showEstimate($('estimate'), draft.request());
}

function draw() {
  if (!draft) return;
  stage.draw();
  drawPreview($('preview'), video, draft, time());
  timeline.tick();
  $('clock').textContent = clock(time());
  $('hint').textContent = tool() === 'spot' && !draft.region ? 'Tap the player' : '';
}

// ---- playing

function play() {
  const {start, end} = draft.data;
  if (time() < start || time() >= end - draft.frame) seek(start);
  video.play().catch(complain);
}

function frame() {
  if (draft && !video.paused) {
    if (time() >= draft.data.end) { video.pause(); seek(draft.data.end); }
    video.playbackRate = speedAt(draft.data, time());
    draw();
  }
  requestAnimationFrame(frame);
}

const clock = seconds => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}`;
const remember = id => { try { localStorage.setItem(LAST, id); } catch { /* then the list comes first */ } };

// ---- connections

$('file').addEventListener('change', event => take(event.target.files[0]));
for (const name of ['dragover', 'dragleave', 'drop']) {
  $('drop').addEventListener(name, event => {
    event.preventDefault();
    $('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop') take(event.dataTransfer.files[0]);
  });
}
$('other-video').addEventListener('click', choose);
for (const name of ['seeked', 'loadeddata', 'pause', 'play']) video.addEventListener(name, draw);
for (const name of ['pause', 'play']) {
  video.addEventListener(name, () => {
    $('play').classList.toggle('playing', !video.paused);
    $('play').setAttribute('aria-label', video.paused ? 'Play' : 'Pause');
  });
}
video.addEventListener('error', () => draft && complain(new Error('This browser cannot show this video. It can still be exported; or try an MP4 with H.264.')));
$('play').addEventListener('click', toggle);
$('back').addEventListener('click', () => seek(time() - draft.frame));
$('forth').addEventListener('click', () => seek(time() + draft.frame));
$('add-key').addEventListener('click', () => draft.add(tool(), time()));
$('add-slow').addEventListener('click', () => draft.addSlow(time()));
$('delete').addEventListener('click', () => draft.removeSelected());
for (const radio of document.querySelectorAll('[name=tool]')) radio.addEventListener('change', draw);
$('speed').replaceChildren(...SPEEDS.map(s => new Option(`${s}×${s < 1 ? ' slow motion' : ''}`, s)));
$('speed').addEventListener('change', event => draft.setSpeed(draft.selected.index, Number(event.target.value)));
$('title').addEventListener('input', event => draft.set({title: event.target.value}));
$('size').addEventListener('change', event => draft.resize(...event.target.value.split('x').map(Number)));
$('interpolation').addEventListener('change', event => { draft.data.crop.interpolation = event.target.value; draft.changed(); });
$('effect').addEventListener('change', event => { draft.data.spotlight.effect = event.target.value; draft.changed(); });
$('strength').addEventListener('input', event => { draft.strength = Number(event.target.value) / 100; });
$('settings').addEventListener('submit', event => event.preventDefault());
$('export').addEventListener('click', async event => {
  calm();
  event.target.disabled = true;
  try {
    const seen = await api.start(draft.request());
    reels.show(seen, {play: true}).scrollIntoView({block: 'nearest'});
  } catch (error) {
    complain(error);
  }
  event.target.disabled = false;
});

async function begin() {
  await api.session();
  const [sources] = await Promise.all([api.sources(), reels.load(), listSources()]);
  let last = null;
  try { last = localStorage.getItem(LAST); } catch { /* the list, then */ }
  const source = sources.find(one => one.id === last);
  if (source) edit(source);
  requestAnimationFrame(frame);
  document.body.dataset.ready = 'true';
}
begin().catch(complain);
