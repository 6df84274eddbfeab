// The picture with what lies on it: the crop window and the spotlight, to be dragged by mouse, finger or keys.

import {clamp} from './draft.js';
import {cropAt, inside} from './tracks.js';

const HANDLE = 7, REACH = {mouse: 12, pen: 16, touch: 26}; // CSS pixels
const LEAST = 0.12; // of the picture's height: the smallest window

export class Stage {
  /** options: video, canvas, tool() -> 'crop' | 'spot', time(), seek(time), toggle() */
  constructor(options) {
    Object.assign(this, options);
    this.draft = null;
    this.grip = null;
    const canvas = this.canvas;
    canvas.addEventListener('pointerdown', event => this.#down(event));
    canvas.addEventListener('pointermove', event => this.#move(event));
    for (const name of ['pointerup', 'pointercancel']) canvas.addEventListener(name, () => { this.grip = null; });
    canvas.addEventListener('keydown', event => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.colours = matchMedia('(prefers-color-scheme: dark)');
  }

  /** What the tool holds at this moment, as a box: the window, or the square around the ellipse. */
  #box() {
    if (this.tool() === 'crop') return cropAt(this.draft.data, this.draft.source, this.time());
    const {x, y, radius_x, radius_y} = this.draft.spotAt(this.time());
    return {x: x - radius_x, y: y - radius_y, width: 2 * radius_x, height: 2 * radius_y};
  }

  #put(box) {
    const {width, height} = this.draft.source;
    if (this.tool() === 'crop') {
      const w = inside(box, width, height);
      this.draft.put('crop', this.time(), rounded(w));
    } else {
      const x = clamp(box.x + box.width / 2, 0, width), y = clamp(box.y + box.height / 2, 0, height);
      const ellipse = {x, y, radius_x: box.width / 2, radius_y: box.height / 2};
      this.draft.put('spot', this.time(), {...rounded(ellipse), opacity: this.draft.strength});
    }
  }

  // ---- pointer

  #at(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const scale = this.draft.source.width / bounds.width;
    return {x: (event.clientX - bounds.left) * scale, y: (event.clientY - bounds.top) * scale, scale};
  }

  #handles(box) {
    const [l, t, r, b] = [box.x, box.y, box.x + box.width, box.y + box.height];
    const [cx, cy] = [(l + r) / 2, (t + b) / 2];
    return this.tool() === 'crop'
      ? [['nw', l, t], ['ne', r, t], ['sw', l, b], ['se', r, b]]
      : [['n', cx, t], ['s', cx, b], ['w', l, cy], ['e', r, cy]];
  }

  #hit(event) {
    const {x, y, scale} = this.#at(event), box = this.#box();
    const reach = (REACH[event.pointerType] ?? REACH.mouse) * scale;
    const handle = this.#handles(box).find(([, hx, hy]) => Math.hypot(x - hx, y - hy) <= reach);
    if (handle) return handle[0];
    return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height ? 'move' : null;
  }

  #down(event) {
    if (!this.draft || event.button) return;
    this.video.pause();
    const part = this.#hit(event), {x, y} = this.#at(event);
    let box = this.#box();
    if (!part) {
      if (this.tool() === 'crop') return;
      box = {...box, x: x - box.width / 2, y: y - box.height / 2}; // the spotlight comes to where it is wanted
      this.#put(box);
    }
    event.preventDefault();
    this.canvas.focus({preventScroll: true});
    this.canvas.setPointerCapture(event.pointerId);
    this.grip = {part: part ?? 'move', x, y, box};
  }

  #move(event) {
    if (!this.draft) return;
    if (!this.grip) {
      const part = this.#hit(event);
      const shapes = {move: 'move', nw: 'nwse-resize', se: 'nwse-resize', ne: 'nesw-resize', sw: 'nesw-resize', n: 'ns-resize', s: 'ns-resize', e: 'ew-resize', w: 'ew-resize'};
      this.canvas.style.cursor = shapes[part] ?? (this.tool() === 'spot' ? 'crosshair' : 'default');
      return;
    }
    const {x, y} = this.#at(event), {part, box} = this.grip;
    const [dx, dy] = [x - this.grip.x, y - this.grip.y];
    if (part === 'move') this.#put({...box, x: box.x + dx, y: box.y + dy});
    else if (this.tool() === 'crop') this.#put(this.#scaled(box, part, dx, dy));
    else this.#put(stretched(box, part, dx, dy));
  }

  /** A window pulled at a corner: it keeps its shape, and the corner across stays where it is. */
  #scaled(box, corner, dx, dy) {
    const {source} = this.draft, aspect = box.width / box.height;
    const [east, south] = [corner.includes('e'), corner.includes('s')];
    const wanted = Math.max(box.width + (east ? dx : -dx), (box.height + (south ? dy : -dy)) * aspect);
    const [ax, ay] = [east ? box.x : box.x + box.width, south ? box.y : box.y + box.height];
    const room = Math.min(east ? source.width - ax : ax, (south ? source.height - ay : ay) * aspect);
    const width = clamp(wanted, LEAST * source.height * aspect, room), height = width / aspect;
    return {x: east ? ax : ax - width, y: south ? ay : ay - height, width, height};
  }

  // ---- keys

  #key(event) {
    if (!this.draft || event.ctrlKey || event.metaKey || event.altKey) return;
    const {draft} = this, lane = this.tool(), step = draft.source.width * (event.shiftKey ? 0.04 : 0.005);
    const moves = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]};
    const box = this.#box();
    const done = () => { event.preventDefault(); event.stopPropagation(); };
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      this.#put({...box, x: box.x + dx, y: box.y + dy});
      return done();
    }
    if ('+=-_'.includes(event.key)) {
      const most = lane === 'crop' ? draft.largest().height : draft.source.height;
      const height = clamp(box.height * ('+='.includes(event.key) ? 1.03 : 1 / 1.03), LEAST * (lane === 'crop' ? 1 : 0.2) * draft.source.height, most);
      const width = height * box.width / box.height;
      this.#put({x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height});
      return done();
    }
    const times = draft.keyframes(lane).map(k => k.time), now = this.time();
    const before = times.filter(t => t < now - 0.01).at(-1), after = times.find(t => t > now + 0.01);
    const actions = {
      k: () => draft.add(lane, now), K: () => draft.add(lane, now),
      Delete: () => this.#remove(lane, now), Backspace: () => this.#remove(lane, now),
      ',': () => this.seek(now - draft.frame), '.': () => this.seek(now + draft.frame),
      '[': () => before !== undefined && this.seek(before), ']': () => after !== undefined && this.seek(after),
      ' ': () => this.toggle(),
    };
    if (!actions[event.key]) return undefined;
    actions[event.key]();
    return done();
  }

  #remove(lane, now) {
    const index = this.draft.indexNear(lane, now);
    if (index < 0) return;
    this.draft.select(lane, index);
    this.draft.removeSelected();
  }

  // ---- drawing

  draw() {
    const {canvas, draft} = this;
    const ratio = devicePixelRatio || 1, [w, h] = [canvas.clientWidth, canvas.clientHeight];
    if (!draft || !w) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const context = canvas.getContext('2d'), scale = w / draft.source.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, w, h);
    const style = getComputedStyle(canvas);
    const colour = {crop: style.getPropertyValue('--crop-on-picture'), spot: style.getPropertyValue('--spot-on-picture')};
    const time = this.time(), window = cropAt(draft.data, draft.source, time);
    const [x, y, cw, ch] = [window.x, window.y, window.width, window.height].map(v => v * scale);
    context.fillStyle = 'rgb(6 12 9 / 0.58)';
    context.beginPath();
    context.rect(0, 0, w, h);
    context.rect(x, y, cw, ch);
    context.fill('evenodd');
    const cropping = this.tool() === 'crop';
    context.strokeStyle = colour.crop;
    context.lineWidth = cropping ? 2 : 1.25;
    context.globalAlpha = cropping ? 1 : 0.75;
    context.strokeRect(x, y, cw, ch);
    if (cropping) {
      context.globalAlpha = 0.35;
      context.lineWidth = 1;
      for (const third of [1 / 3, 2 / 3]) {
        line(context, x + cw * third, y, x + cw * third, y + ch);
        line(context, x, y + ch * third, x + cw, y + ch * third);
      }
    }
    context.globalAlpha = 1;
    this.#drawSpot(context, scale, time, colour.spot);
    for (const [, hx, hy] of this.#handles(this.#box())) knob(context, hx * scale, hy * scale, cropping ? colour.crop : colour.spot);
  }

  #drawSpot(context, scale, time, colour) {
    const {draft} = this, active = this.tool() === 'spot', region = draft.region;
    const shown = region && time >= region.start_time && time <= region.end_time;
    if (!shown && !active) return;
    const {x, y, radius_x, radius_y} = draft.spotAt(time);
    context.strokeStyle = colour;
    context.lineWidth = active ? 2 : 1.25;
    context.setLineDash(shown ? [] : [5, 5]); // dashed: it is not drawn at this moment
    context.beginPath();
    context.ellipse(x * scale, y * scale, radius_x * scale, radius_y * scale, 0, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
  }
}

function stretched(box, side, dx, dy) {
  const across = side === 'e' ? dx : side === 'w' ? -dx : 0, down = side === 's' ? dy : side === 'n' ? -dy : 0;
  const width = Math.max(12, box.width + 2 * across), height = Math.max(12, box.height + 2 * down); // about the centre
  return {x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height};
}

function knob(context, x, y, colour) {
  context.beginPath();
  context.arc(x, y, HANDLE, 0, 2 * Math.PI);
  context.fillStyle = '#fff';
  context.fill();
  context.lineWidth = 2.5;
  context.strokeStyle = colour;
  context.stroke();
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

const rounded = values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value * 100) / 100]));
