// Strip chart of one track: the probability of each expression over the last half minute.

import { colour, colourOf } from "./colours.js";

export const WINDOW_SECONDS = 30;
const SAMPLE_SECONDS = 0.1;

/** What a strip chart draws: a bounded number of samples, the oldest forgotten. */
export class History {
  samples = [];

  add(seconds, probabilities) {
    const last = this.samples.at(-1);
    if (last && seconds < last.seconds) this.samples = []; // a film began again
    if (last && seconds - last.seconds < SAMPLE_SECONDS && seconds >= last.seconds) return;
    this.samples.push({ seconds, probabilities });
    while (this.samples[0].seconds < seconds - WINDOW_SECONDS) this.samples.shift();
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {History} history
 * @param {number} now  seconds, on the clock of the samples
 * @param {string|null} leading  expression that is drawn before the others
 */
export function drawStrip(canvas, history, now, leading) {
  const density = Math.min(devicePixelRatio || 1, 2);
  const width = Math.round(canvas.clientWidth * density);
  const height = Math.round(canvas.clientHeight * density);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  const edge = 1.5 * density;
  const floor = height - 13 * density;
  const at = (sample, label) => [
    width * (1 - (now - sample.seconds) / WINDOW_SECONDS),
    floor - (floor - 2 * edge) * (sample.probabilities[label] ?? 0) - edge,
  ];
  drawGrid(context, width, floor, density);
  const labels = Object.keys(history.samples.at(-1)?.probabilities ?? {});
  for (const label of labels.filter((one) => one !== leading)) drawLine(context, history.samples, at, label, 1.25 * density, 0.6);
  if (labels.includes(leading)) {
    fillBelow(context, history.samples, at, leading, floor);
    drawLine(context, history.samples, at, leading, 2 * density, 1);
  }
}

function drawGrid(context, width, floor, density) {
  context.lineWidth = density;
  context.strokeStyle = colour("line");
  context.beginPath();
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(floor * share) + 0.5 * density * (share === 1 ? -1 : 1);
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.stroke();
  context.fillStyle = colour("muted");
  context.font = `${10 * density}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(`${WINDOW_SECONDS} s ago`, 0, floor + 13 * density);
  context.textAlign = "right";
  context.fillText("now", width, floor + 13 * density);
}

function drawLine(context, samples, at, label, width, alpha) {
  context.globalAlpha = alpha;
  context.strokeStyle = colourOf(label);
  context.lineWidth = width;
  context.lineJoin = "round";
  context.beginPath();
  samples.forEach((sample) => context.lineTo(...at(sample, label)));
  context.stroke();
  context.globalAlpha = 1;
}

function fillBelow(context, samples, at, label, floor) {
  context.globalAlpha = 0.18;
  context.fillStyle = colourOf(label);
  context.beginPath();
  context.moveTo(at(samples[0], label)[0], floor);
  samples.forEach((sample) => context.lineTo(...at(sample, label)));
  context.lineTo(at(samples.at(-1), label)[0], floor);
  context.fill();
  context.globalAlpha = 1;
}
