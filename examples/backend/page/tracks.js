// Where things are between keyframes: the same arithmetic as reelproc.keyframes, pixels.placement and drawing.spotlight,
// so that the preview shows what will be rendered. tests/browser/test_backend_page.py compares the numbers.

/** The values at a time, given rows of values at increasing times; held outside. method: "linear" or "catmull-rom". */
export function at(times, rows, time, method = 'linear') {
  const last = times.length - 1;
  if (time <= times[0]) return [...rows[0]];
  if (time >= times[last]) return [...rows[last]];
  let i = 0;
  while (times[i + 1] <= time) i += 1;
  const u = (time - times[i]) / (times[i + 1] - times[i]);
  if (method === 'linear') return rows[i].map((value, c) => value + (rows[i + 1][c] - value) * u);
  const [p0, p1, p2, p3] = [rows[Math.max(i - 1, 0)], rows[i], rows[i + 1], rows[Math.min(i + 2, last)]];
  return p1.map((_, c) => {
    const a = 0.5 * (3 * p1[c] - 3 * p2[c] + p3[c] - p0[c]);
    const b = 0.5 * (2 * p0[c] - 5 * p1[c] + 4 * p2[c] - p3[c]);
    return ((a * u + b) * u + 0.5 * (p2[c] - p0[c])) * u + p1[c];
  });
}

/** A window brought inside a picture: shrunk about its centre until it is no larger, then moved. */
export function inside({x, y, width, height}, pictureWidth, pictureHeight) {
  const shrink = Math.min(1, pictureWidth / width, pictureHeight / height);
  const w = Math.min(width * shrink, pictureWidth), h = Math.min(height * shrink, pictureHeight);
  return {
    x: Math.min(Math.max(x + (width - w) / 2, 0), pictureWidth - w),
    y: Math.min(Math.max(y + (height - h) / 2, 0), pictureHeight - h),
    width: w, height: h,
  };
}

/** The largest window of an aspect ratio in the middle of a picture. */
export function centred(pictureWidth, pictureHeight, aspect) {
  const width = Math.min(pictureWidth, pictureHeight * aspect), height = width / aspect;
  return {x: (pictureWidth - width) / 2, y: (pictureHeight - height) / 2, width, height};
}

/** The crop window of a draft at a time of the source. */
export function cropAt(draft, source, time) {
  const {keyframes, interpolation} = draft.crop;
  if (!keyframes.length) return centred(source.width, source.height, draft.width / draft.height);
  const rows = keyframes.map(k => [k.x, k.y, k.width, k.height]);
  const [x, y, width, height] = at(keyframes.map(k => k.time), rows, time, interpolation);
  return inside({x, y, width, height}, source.width, source.height);
}

const FADE_SECONDS = 0.25;

/** The spotlight of a draft at a time: the ellipse, and its opacity with the fade at the end; null outside its span. */
export function spotlightAt(draft, time) {
  const region = draft.spotlight.regions[0];
  if (!region || time < region.start_time || time > region.end_time) return null;
  const rows = region.keyframes.map(k => [k.x, k.y, k.radius_x, k.radius_y, k.opacity]);
  const [x, y, radius_x, radius_y, opacity] = at(region.keyframes.map(k => k.time), rows, time);
  const fade = Math.min(FADE_SECONDS, (region.end_time - region.start_time) / 2);
  const left = fade > 0 ? Math.min(Math.max((region.end_time - time) / fade, 0), 1) : 1;
  return {x, y, radius_x, radius_y, opacity: opacity * left * left};
}

/** How fast a moment of the source runs. */
export function speedAt(draft, time) {
  return draft.speed.segments.find(s => s.start <= time && time < s.end)?.speed ?? 1;
}

/** Seconds of the reel. */
export function length(draft) {
  const slowed = draft.speed.segments.map(s => {
    const seconds = Math.max(0, Math.min(s.end, draft.end) - Math.max(s.start, draft.start));
    return seconds / s.speed - seconds;
  });
  return draft.end - draft.start + slowed.reduce((sum, more) => sum + more, 0);
}
