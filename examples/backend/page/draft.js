// What is edited: exactly the "draft" that POST /api/exports takes. Every change goes through here, and is kept in the
// browser, so that a reload loses nothing.

import {centred, cropAt, spotlightAt} from './tracks.js';

const NEAR = 0.02; // seconds: a keyframe this near is the one that is meant
const KEPT = 'reelproc-draft-';

export const SPEEDS = [0.25, 0.5, 0.75, 1.5, 2, 4];

export class Draft extends EventTarget {
  constructor(source) {
    super();
    this.source = source;
    this.selected = null; // {lane: 'crop' | 'spot' | 'speed', index}
    this.data = this.#kept() ?? {
      source: source.id, title: '', start: 0, end: source.seconds,
      crop: {keyframes: [], interpolation: 'linear'},
      spotlight: {regions: [], effect: 'dark_overlay'},
      speed: {segments: []},
      width: 540, height: 960, fps: Math.min(60, Math.max(1, Math.round(source.fps))),
    };
  }

  get frame() { return 1 / this.source.fps; }
  get region() { return this.data.spotlight.regions[0]; }

  changed() {
    try {
      localStorage.setItem(KEPT + this.source.id, JSON.stringify(this.data));
    } catch { /* private windows may refuse; the draft then lives as long as the page */ }
    this.dispatchEvent(new Event('change'));
  }

  select(lane, index) {
    this.selected = lane === null ? null : {lane, index};
    this.changed();
  }

  set(values) {
    Object.assign(this.data, values);
    this.changed();
  }

  trim(edge, time) {
    const {start, end} = this.data, least = 2 * this.frame;
    if (edge === 'start') this.data.start = clamp(time, 0, end - least);
    else this.data.end = clamp(time, start + least, this.source.seconds);
    this.changed();
  }

  /** Another shape of the reel: the windows keep their centres and heights as far as the picture allows. */
  resize(width, height) {
    Object.assign(this.data, {width, height});
    for (const k of this.data.crop.keyframes) {
      const [x, y] = [k.x + k.width / 2, k.y + k.height / 2];
      k.height = Math.min(k.height, this.source.height, this.source.width * height / width);
      k.width = k.height * width / height;
      k.x = clamp(x - k.width / 2, 0, this.source.width - k.width);
      k.y = clamp(y - k.height / 2, 0, this.source.height - k.height);
    }
    this.changed();
  }

  // ---- keyframes

  keyframes(lane) { return lane === 'crop' ? this.data.crop.keyframes : this.region?.keyframes ?? []; }

  indexNear(lane, time) { return this.keyframes(lane).findIndex(k => Math.abs(k.time - time) < Math.max(NEAR, this.frame / 2)); }

  /** Put values at a time: into the keyframe that is there, or a new one. */
  put(lane, time, values) {
    if (lane === 'spot' && !this.region) this.#newRegion(time, values);
    if (lane === 'spot') { // where it is put, it is meant to be seen
      this.region.start_time = Math.min(this.region.start_time, round(time));
      this.region.end_time = Math.max(this.region.end_time, round(time));
    }
    const keyframes = this.keyframes(lane);
    let index = this.indexNear(lane, time);
    if (index < 0) {
      index = keyframes.findIndex(k => k.time > time);
      if (index < 0) index = keyframes.length;
      keyframes.splice(index, 0, {time: round(time), ...values});
    } else {
      Object.assign(keyframes[index], values);
    }
    this.select(lane, index);
  }

  /** A keyframe at a time, with what is shown there. */
  add(lane, time) {
    if (lane === 'crop') return this.put(lane, time, rounded(cropAt(this.data, this.source, time)));
    return this.put(lane, time, this.spotAt(time));
  }

  /** The ellipse at a time, also outside its region; a proposal where there is none yet. */
  spotAt(time) {
    const inner = this.region ? clamp(time, this.region.start_time, this.region.end_time) : time;
    const shown = spotlightAt(this.data, inner);
    if (shown) return rounded({x: shown.x, y: shown.y, radius_x: shown.radius_x, radius_y: shown.radius_y, opacity: this.strength});
    const window = cropAt(this.data, this.source, time);
    return rounded({x: window.x + window.width / 2, y: window.y + window.height / 2,
      radius_x: window.height * 0.09, radius_y: window.height * 0.14, opacity: this.strength});
  }

  get strength() { return this.region?.keyframes[0].opacity ?? this.data.strengthChosen ?? 0.4; }

  set strength(opacity) {
    for (const k of this.region?.keyframes ?? []) k.opacity = opacity;
    this.data.strengthChosen = opacity;
    this.changed();
  }

  moveKey(lane, index, time) {
    const keyframes = this.keyframes(lane), gap = this.frame;
    const least = index ? keyframes[index - 1].time + gap : 0;
    const most = index < keyframes.length - 1 ? keyframes[index + 1].time - gap : this.source.seconds;
    keyframes[index].time = round(clamp(time, least, most));
    this.select(lane, index);
  }

  // ---- spans

  #newRegion(time, values) {
    const {start, end} = this.data;
    const from = clamp(time - 1, start, end), to = clamp(time + 1, start, end);
    this.data.spotlight.regions = [{start_time: round(from), end_time: round(to), keyframes: [{time: round(time), ...values}]}];
  }

  moveRegion(edge, time) {
    const region = this.region, least = 2 * this.frame;
    if (edge === 'start') region.start_time = round(clamp(time, 0, region.end_time - least));
    else region.end_time = round(clamp(time, region.start_time + least, this.source.seconds));
    this.changed();
  }

  addSlow(time) {
    const segments = this.data.speed.segments;
    const inside = segments.findIndex(s => s.start <= time && time < s.end);
    if (inside >= 0) return this.select('speed', inside);
    const next = segments.find(s => s.start > time)?.start ?? this.data.end;
    const start = round(clamp(time, this.data.start, this.data.end - 2 * this.frame));
    const end = round(Math.min(start + 1, next));
    if (end - start < 2 * this.frame) return undefined;
    segments.push({start, end, speed: 0.5});
    segments.sort((a, b) => a.start - b.start);
    return this.select('speed', segments.findIndex(s => s.start === start));
  }

  moveSpeed(index, edge, time) {
    const segments = this.data.speed.segments, s = segments[index], least = 2 * this.frame;
    if (edge === 'start') s.start = round(clamp(time, segments[index - 1]?.end ?? 0, s.end - least));
    else s.end = round(clamp(time, s.start + least, segments[index + 1]?.start ?? this.source.seconds));
    this.select('speed', index);
  }

  setSpeed(index, speed) {
    this.data.speed.segments[index].speed = speed;
    this.changed();
  }

  removeSelected() {
    if (!this.selected) return;
    const {lane, index} = this.selected;
    if (lane === 'speed') this.data.speed.segments.splice(index, 1);
    else this.keyframes(lane).splice(index, 1);
    if (lane === 'spot' && !this.region.keyframes.length) this.data.spotlight.regions = [];
    this.select(null);
  }

  /** What is sent. */
  request() {
    const {strengthChosen: _, ...draft} = this.data;
    return {draft, title: draft.title};
  }

  /** A window of the reel's shape at its largest. */
  largest() { return centred(this.source.width, this.source.height, this.data.width / this.data.height); }

  #kept() {
    try {
      const data = JSON.parse(localStorage.getItem(KEPT + this.source.id));
      return data?.source === this.source.id ? data : null;
    } catch {
      return null;
    }
  }
}

export const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));
const round = value => Math.round(value * 1000) / 1000;
const rounded = values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value * 100) / 100]));
