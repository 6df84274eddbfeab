// The timeline: what is kept, keyframes, the spotlight's span and changes of speed, all to be dragged, or moved by keys.

import {clamp} from './draft.js';

const LANES = [['trim', 'Kept'], ['crop', 'Crop'], ['spot', 'Spotlight'], ['speed', 'Speed']];

export class Timeline {
  /** options: root, time(), seek(time) */
  constructor(options) {
    Object.assign(this, options);
    this.draft = null;
    this.items = new Map();
    this.lanes = {};
    this.root.replaceChildren();
    for (const [name, title] of LANES) {
      const label = make('span', `label ${name}`, title), lane = make('div', `lane ${name}`);
      lane.addEventListener('pointerdown', event => event.target === lane && this.#scrub(event, lane));
      this.lanes[name] = lane;
      this.root.append(label, lane);
    }
    this.head = make('div', 'playhead');
    const over = make('div', 'over');
    over.append(this.head);
    this.root.append(over);
  }

  /** Bring everything to where the draft has it. Elements stay the same, so that one keeps its focus while it moves. */
  draw() {
    const {draft} = this;
    if (!draft) return;
    const {start, end, speed} = draft.data, seen = new Set();
    const item = (key, lane, from, to, spec) => { seen.add(key); this.#item(key, lane, from, to, spec); };
    const handle = (key, lane, time, name, move, more = {}) => item(key, lane, time, null, {name, move, ...more});

    item('before', 'trim', 0, start, {kind: 'cut'});
    item('after', 'trim', end, draft.source.seconds, {kind: 'cut'});
    item('kept', 'trim', start, end, {kind: 'span'});
    handle('start', 'trim', start, 'Start of the reel', t => { draft.trim('start', t); this.seek(draft.data.start); }, {kind: 'edge left'});
    handle('end', 'trim', end, 'End of the reel', t => { draft.trim('end', t); this.seek(draft.data.end); }, {kind: 'edge right'});
    for (const lane of ['crop', 'spot']) {
      if (lane === 'spot' && draft.region) {
        const {start_time, end_time} = draft.region;
        item('region', 'spot', start_time, end_time, {kind: 'span'});
        handle('from', 'spot', start_time, 'Spotlight on', t => draft.moveRegion('start', t), {kind: 'edge left'});
        handle('to', 'spot', end_time, 'Spotlight off', t => draft.moveRegion('end', t), {kind: 'edge right'});
      }
      draft.keyframes(lane).forEach((k, index) => handle(`${lane}-${index}`, lane, k.time,
        `${lane === 'crop' ? 'Crop' : 'Spotlight'} keyframe ${index + 1}`,
        t => { draft.moveKey(lane, index, t); this.seek(draft.keyframes(lane)[index].time); },
        {kind: 'key', chosen: [lane, index], remove: true}));
    }
    speed.segments.forEach((s, index) => {
      item(`speed-${index}`, 'speed', s.start, s.end, {kind: 'block', name: `Speed ${s.speed}, press to change`, text: `${s.speed}×`, chosen: ['speed', index], remove: true});
      handle(`speed-${index}-start`, 'speed', s.start, `Start of speed ${s.speed}`, t => draft.moveSpeed(index, 'start', t), {kind: 'edge left'});
      handle(`speed-${index}-end`, 'speed', s.end, `End of speed ${s.speed}`, t => draft.moveSpeed(index, 'end', t), {kind: 'edge right'});
    });
    for (const [key, element] of this.items) {
      if (!seen.has(key)) { element.remove(); this.items.delete(key); }
    }
    this.tick();
  }

  /** Bring the playhead to the present. */
  tick() {
    if (this.draft) this.head.style.left = `${100 * clamp(this.time() / this.draft.source.seconds, 0, 1)}%`;
  }

  #item(key, lane, from, to, spec) {
    const seconds = this.draft.source.seconds;
    let element = this.items.get(key);
    if (!element) {
      element = make(spec.name ? 'button' : 'div', spec.kind);
      if (spec.name) this.#enliven(element);
      this.items.set(key, element);
      this.lanes[lane].append(element);
    }
    element.spec = {...spec, from};
    element.style.left = `${100 * from / seconds}%`;
    if (to !== null) element.style.width = `${100 * Math.max(0, to - from) / seconds}%`;
    if (spec.text) element.textContent = spec.text;
    if (!spec.name) return;
    element.setAttribute('aria-label', spec.name);
    const {selected} = this.draft;
    const chosen = spec.chosen && selected && selected.lane === spec.chosen[0] && selected.index === spec.chosen[1];
    element.classList.toggle('chosen', Boolean(chosen));
    if (spec.move) {
      element.setAttribute('role', 'slider');
      element.setAttribute('aria-valuemin', '0');
      element.setAttribute('aria-valuemax', seconds.toFixed(2));
      element.setAttribute('aria-valuenow', from.toFixed(2));
      element.setAttribute('aria-valuetext', `${from.toFixed(2)} seconds`);
    }
  }

  #enliven(element) {
    element.type = 'button';
    let grip = null;
    element.addEventListener('pointerdown', event => {
      if (event.button) return;
      const {spec} = element;
      element.setPointerCapture(event.pointerId);
      grip = {x: event.clientX, from: spec.from, moved: false};
      if (spec.chosen) this.draft.select(...spec.chosen);
      if (spec.kind === 'key') this.seek(spec.from);
    });
    element.addEventListener('pointermove', event => {
      if (!grip || !element.spec.move) return;
      if (!grip.moved && Math.abs(event.clientX - grip.x) < 3) return; // a click with an unsteady hand
      grip.moved = true;
      const {width} = element.parentElement.getBoundingClientRect();
      element.spec.move(grip.from + (event.clientX - grip.x) / width * this.draft.source.seconds);
    });
    for (const name of ['pointerup', 'pointercancel']) element.addEventListener(name, () => { grip = null; });
    element.addEventListener('click', () => { // also by Enter and Space
      if (element.spec.chosen) this.draft.select(...element.spec.chosen);
    });
    element.addEventListener('keydown', event => {
      const {spec} = element, step = event.shiftKey ? 0.5 : this.draft.frame;
      const by = {ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step}[event.key];
      if (by && spec.move) {
        spec.move(spec.from + by);
        event.preventDefault();
      } else if (['Delete', 'Backspace'].includes(event.key) && spec.remove) {
        this.draft.select(...spec.chosen);
        this.draft.removeSelected();
        event.preventDefault();
      }
    });
  }

  #scrub(event, lane) {
    const to = e => {
      const {left, width} = lane.getBoundingClientRect();
      this.seek((e.clientX - left) / width * this.draft.source.seconds);
    };
    lane.setPointerCapture(event.pointerId);
    to(event);
    const stop = () => { lane.onpointermove = lane.onpointerup = lane.onpointercancel = null; };
    lane.onpointermove = to;
    lane.onpointerup = lane.onpointercancel = stop;
  }
}

function make(tag, name, text = '') {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}
