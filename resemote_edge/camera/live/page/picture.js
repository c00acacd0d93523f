// The picture in its canvas: the frame, boxes, labels and bars of its faces, and the same in words.

import { capital, colourOnPicture, percent, verdictOf } from "./colours.js";

const PLATE = "#0a0d10d9";
const UNSURE = "#c9d1d8";
const GROUND = "#11161b";

export class Picture {
  #canvas;
  #context;
  #last = null;
  #aspect = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  /**
   * @param {ImageBitmap|null} bitmap  null if no pictures are sent
   * @param {object} result
   * @param {{mirror: boolean, least: number}} settings
   */
  draw(bitmap, result, settings) {
    if (this.#last?.bitmap !== bitmap) this.#last?.bitmap?.close();
    this.#last = { bitmap, result, settings };
    this.#paint();
  }

  /** Draw the last frame again, after a setting changed. */
  redraw(settings) {
    if (this.#last) this.draw(this.#last.bitmap, this.#last.result, settings);
  }

  #fit() {
    const density = Math.min(devicePixelRatio || 1, 2);
    this.#canvas.width = Math.max(Math.round(this.#canvas.clientWidth * density), 1);
    this.#canvas.height = Math.max(Math.round(this.#canvas.clientHeight * density), 1);
    this.#paint();
  }

  #paint() {
    const context = this.#context;
    const { width, height } = this.#canvas;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, width, height);
    if (!this.#last) return;
    const { bitmap, result, settings } = this.#last;
    this.#shape(result.width / result.height);
    // In full screen the canvas has another shape than the frame.
    const scale = Math.min(width / result.width, height / result.height);
    const left = (width - result.width * scale) / 2;
    const top = (height - result.height * scale) / 2;
    if (bitmap) {
      context.save();
      context.translate(settings.mirror ? width - left : left, top);
      context.scale(settings.mirror ? -scale : scale, scale);
      context.drawImage(bitmap, 0, 0, result.width, result.height);
      context.restore();
    }
    const unit = Math.max(Math.min(width, height) / 480, 1);
    if (!bitmap) this.#sayNoPictures(unit);
    for (const face of result.faces) {
      const x = settings.mirror ? result.width - face.x - face.width : face.x;
      const box = { x: left + x * scale, y: top + face.y * scale, width: face.width * scale, height: face.height * scale };
      this.#face(face, box, unit, settings.least);
    }
  }

  #face(face, box, unit, least) {
    const context = this.#context;
    const verdict = verdictOf(face, least);
    const tint = verdict.sure ? colourOnPicture(verdict.label) : UNSURE;
    context.lineWidth = 2.5 * unit;
    context.strokeStyle = tint;
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, 10 * unit);
    context.stroke();
    this.#plate(face, verdict, tint, box, unit);
  }

  /** The plate above a box: number, label, score and its bar. */
  #plate(face, verdict, tint, box, unit) {
    const context = this.#context;
    context.font = `600 ${14 * unit}px system-ui, "Segoe UI", Roboto, sans-serif`;
    context.textBaseline = "middle";
    const score = face.score === null ? "" : percent(face.score);
    const words = `${face.track}  ${capital(verdict.text)}`;
    const pad = 8 * unit;
    const height = (face.score === null ? 24 : 31) * unit;
    const width = Math.max(context.measureText(`${words}   ${score}`).width + 2 * pad, Math.min(box.width, 150 * unit));
    const x = Math.min(Math.max(box.x, 0), Math.max(this.#canvas.width - width, 0));
    const above = box.y - height - 6 * unit;
    const y = above >= 0 ? above : Math.min(box.y + box.height + 6 * unit, this.#canvas.height - height);
    context.fillStyle = PLATE;
    context.beginPath();
    context.roundRect(x, y, width, height, 7 * unit);
    context.fill();
    context.fillStyle = "#fff";
    context.textAlign = "left";
    context.fillText(words, x + pad, y + 13 * unit);
    if (!score) return;
    context.fillStyle = tint;
    context.textAlign = "right";
    context.fillText(score, x + width - pad, y + 13 * unit);
    const groove = { x: x + pad, y: y + 23 * unit, width: width - 2 * pad, height: 3.5 * unit };
    context.fillStyle = "#ffffff40";
    context.fillRect(groove.x, groove.y, groove.width, groove.height);
    context.fillStyle = tint;
    context.fillRect(groove.x, groove.y, groove.width * face.score, groove.height);
  }

  #sayNoPictures(unit) {
    const context = this.#context;
    context.font = `${13 * unit}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillStyle = UNSURE;
    context.fillText("No pictures leave the camera", 14 * unit, 14 * unit);
  }

  #shape(aspect) {
    if (aspect === this.#aspect) return;
    this.#aspect = aspect;
    this.#canvas.parentElement.style.setProperty("--ratio", aspect.toFixed(4));
  }
}

/** What a picture shows, in words. */
export function inWords(result, least) {
  if (!result.faces.length) return "Camera picture without a face.";
  const faces = result.faces.map((face) => {
    const verdict = verdictOf(face, least);
    const score = verdict.sure ? `, ${percent(face.score)}` : "";
    return `face ${face.track}: ${verdict.text}${score}`;
  });
  return `Camera picture with ${faces.length} face${faces.length === 1 ? "" : "s"}: ${faces.join("; ")}.`;
}
