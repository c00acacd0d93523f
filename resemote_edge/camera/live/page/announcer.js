// What a screen reader is told: changes, gathered, and never more often than a person can bear.

import { verdictOf } from "./colours.js";

const PAUSE_MS = 5_000;
const MOST_CHANGES = 3;

export class Announcer {
  #said = new Map();
  #saidAt = -Infinity;

  /** @param {HTMLElement} place  an aria-live region */
  constructor(place) {
    this.place = place;
  }

  show(result, { least, speak }) {
    if (!speak || performance.now() - this.#saidAt < PAUSE_MS) return;
    const now = new Map(result.faces.map((face) => [face.track, verdictOf(face, least).text]));
    const changes = [];
    for (const [track, text] of now) if (this.#said.get(track) !== text) changes.push(`Face ${track}: ${text}.`);
    for (const track of this.#said.keys()) if (!now.has(track)) changes.push(`Face ${track} left.`);
    if (!changes.length) return;
    this.#said = now;
    this.#saidAt = performance.now();
    this.place.textContent = changes.length > MOST_CHANGES ? this.#summary(now) : changes.join(" ");
  }

  clear() {
    this.#said.clear();
  }

  #summary(now) {
    const counts = new Map();
    for (const text of now.values()) counts.set(text, (counts.get(text) ?? 0) + 1);
    const parts = [...counts].map(([text, count]) => `${count} ${text}`);
    return parts.length ? `${now.size} faces: ${parts.join(", ")}.` : "No face in view.";
  }
}
