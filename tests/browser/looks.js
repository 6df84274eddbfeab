// What is wrong with how the page looks, as sentences; nothing, if all is well.

const wrong = [];

const beyond = document.documentElement.scrollWidth - innerWidth;
if (beyond > 0) wrong.push(`it scrolls sideways by ${beyond} px`);

for (const e of document.querySelectorAll('button, a, input, select, canvas, [role=slider], [role=progressbar]')) {
  const name = e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim();
  if (e.checkVisibility() && !name) wrong.push(`no name: ${e.outerHTML.slice(0, 120)}`);
}

const pencil = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = colour => {
  pencil.clearRect(0, 0, 1, 1);
  pencil.fillStyle = colour;
  pencil.fillRect(0, 0, 1, 1);
  return [...pencil.getImageData(0, 0, 1, 1).data];
};
const ground = e => {
  for (; e; e = e.parentElement) {
    const colour = rgba(getComputedStyle(e).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const linear = v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);

// WCAG 2, 1.4.3: text has a contrast of 4.5 to 1 to what it stands on
for (const e of document.querySelectorAll('p, strong, span, button, label, h1, h2, h3, td, th, small, a, output')) {
  if (e.children.length || !e.textContent.trim() || !e.checkVisibility() || e.disabled) continue;
  const [more, less] = [luminance(rgba(getComputedStyle(e).color)), luminance(ground(e))].sort((x, y) => y - x);
  const ratio = (more + 0.05) / (less + 0.05);
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${e.className} ${e.textContent.slice(0, 30)}`);
}
return wrong;
