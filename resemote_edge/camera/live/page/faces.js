// Cards: one for each track, with its label, strip chart and bars. All words are put there as text.

import { capital, colourOf, percent, verdictOf } from "./colours.js";
import { drawStrip, History, WINDOW_SECONDS } from "./strip.js";

const STAY_MS = 4_000;
const REFRESH_MS = 150;
const CALM_REFRESH_MS = 1_000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

class Card {
  #history = new History();
  #bars = new Map();
  #list = make("ul", "bars");
  #time = make("time");
  #label = make("span");
  #score = make("span");
  #verdict = make("p", "verdict");
  #strip = make("canvas");
  #goneAt = null;

  constructor(track) {
    this.element = make("article", "card");
    const head = make("header");
    head.append(make("h3", "", `Face ${track}`), this.#time);
    this.#verdict.append(this.#label, this.#score);
    this.#strip.setAttribute("role", "img");
    this.element.append(head, this.#verdict, this.#strip, this.#list);
  }

  remember(face, seconds) {
    this.#goneAt = null;
    this.face = face;
    this.seconds = seconds;
    this.#history.add(seconds, face.probabilities);
  }

  refresh(least) {
    const { face } = this;
    const verdict = verdictOf(face, least);
    this.#time.textContent = this.#goneAt === null ? clock(face.seconds) : "left";
    this.#label.textContent = capital(verdict.text);
    this.#score.textContent = face.score === null ? "" : percent(face.score);
    this.#verdict.style.setProperty("--tint", verdict.sure ? colourOf(verdict.label) : "");
    const ranked = Object.entries(face.probabilities).sort((one, other) => other[1] - one[1]);
    const leading = ranked[0]?.[0] ?? null;
    this.#refreshBars(face.probabilities, leading);
    const words = leading === null ? "no figures yet" : `now ${ranked.slice(0, 3).map(([name, share]) => `${name} ${percent(share)}`).join(", ")}`;
    this.#strip.setAttribute("aria-label", `Probabilities over the last ${WINDOW_SECONDS} seconds; ${words}.`);
    drawStrip(this.#strip, this.#history, this.seconds, leading);
  }

  leave() {
    this.#goneAt ??= performance.now();
    this.element.classList.add("gone");
  }

  get isOver() {
    return this.#goneAt !== null && performance.now() - this.#goneAt > STAY_MS;
  }

  #refreshBars(probabilities, leading) {
    for (const [name, share] of Object.entries(probabilities)) {
      if (!this.#bars.has(name)) this.#bars.set(name, this.#makeBar(name));
      const { row, fill, value } = this.#bars.get(name);
      row.classList.toggle("first", name === leading);
      fill.style.setProperty("--share", share.toFixed(3));
      fill.style.setProperty("--tint", colourOf(name));
      value.textContent = percent(share);
    }
  }

  #makeBar(name) {
    const row = make("li");
    const groove = make("span", "groove");
    const fill = make("span", "fill");
    const value = make("span", "value");
    groove.append(fill);
    row.append(make("span", "name", capital(name)), groove, value);
    this.#list.append(row);
    return { row, fill, value };
  }
}

export class Faces {
  #cards = new Map();
  #refreshedAt = -Infinity;
  #timer = null;

  constructor(place, empty) {
    this.place = place;
    this.empty = empty;
  }

  /** Take a frame. What is on screen follows at a rate that people can read. */
  show(result, least) {
    const present = new Set();
    let isNew = false;
    for (const face of result.faces) {
      present.add(face.track);
      if (!this.#cards.has(face.track)) {
        this.#add(face.track);
        isNew = true;
      }
      const card = this.#cards.get(face.track);
      card.element.classList.remove("gone");
      card.remember(face, result.seconds);
    }
    for (const [track, card] of this.#cards) if (!present.has(track)) card.leave();
    const due = this.#refreshedAt + (calm.matches ? CALM_REFRESH_MS : REFRESH_MS) - performance.now();
    if (isNew || due <= 0) this.refresh(least);
    else this.#timer ??= setTimeout(() => this.refresh(least), due); // the last frame is shown, whatever comes after
  }

  refresh(least) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#refreshedAt = performance.now();
    for (const [track, card] of this.#cards) {
      if (card.isOver) {
        card.element.remove();
        this.#cards.delete(track);
      } else {
        card.refresh(least);
      }
    }
    this.empty.hidden = this.#cards.size > 0;
  }

  /** Forget all faces: another session numbers them anew. */
  clear() {
    this.#cards.clear();
    this.place.replaceChildren();
    this.empty.hidden = false;
  }

  #add(track) {
    const card = new Card(track);
    this.#cards.set(track, card);
    this.place.append(card.element);
  }
}
