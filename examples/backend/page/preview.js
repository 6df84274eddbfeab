// The reel at this moment, as it will be: the window cut out and scaled, everything outside the ellipse dimmed.

import {cropAt, spotlightAt} from './tracks.js';

const HEIGHT = 480;

export function drawPreview(canvas, video, draft, time) {
  const {data, source} = draft;
  const height = HEIGHT, width = Math.round(HEIGHT * data.width / data.height);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  if (video.readyState < 2) return;
  const context = canvas.getContext('2d');
  const {x, y, width: w, height: h} = cropAt(data, source, time);
  // a browser may show pixels that are not square as others: coordinates are of the source's own
  const sx = video.videoWidth / source.width, sy = video.videoHeight / source.height;
  const picture = () => context.drawImage(video, x * sx, y * sy, w * sx, h * sy, 0, 0, width, height);
  context.globalAlpha = 1;
  context.globalCompositeOperation = 'source-over';
  picture();
  const spot = spotlightAt(data, time);
  if (!spot) return;
  const ellipse = new Path2D();
  ellipse.ellipse((spot.x - x) * width / w, (spot.y - y) * height / h, spot.radius_x * width / w, spot.radius_y * height / h, 0, 0, 2 * Math.PI);
  if (data.spotlight.effect === 'dark_overlay') { // times (1 - opacity): black over it, at that opacity
    const outside = new Path2D();
    outside.rect(0, 0, width, height);
    outside.addPath(ellipse);
    context.fillStyle = `rgb(0 0 0 / ${spot.opacity})`;
    context.fill(outside, 'evenodd');
  } else { // times (1 + opacity): the picture once more, at that opacity
    context.save();
    context.clip(ellipse);
    context.globalCompositeOperation = 'lighter';
    context.globalAlpha = spot.opacity;
    picture();
    context.restore();
  }
}
