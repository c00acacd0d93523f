// Figures under the picture: frames a second, decision age, what was dropped, and faces in view.

const WINDOW_MS = 2_000;
const REFRESH_MS = 500;

function quantile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

export class Figures {
  #shown = [];
  #refreshedAt = -Infinity;
  #count = 0;
  #missed = 0;
  #sequence = 0;

  /** @param {(id: string) => HTMLElement} find */
  constructor(find) {
    this.find = find;
  }

  /** Count a frame that is on screen. */
  show(sequence, result) {
    const now = performance.now();
    if (this.#sequence && sequence > this.#sequence) this.#missed += sequence - this.#sequence - 1;
    this.#sequence = sequence;
    this.#shown.push({ now, age: result.decision_age_ms, sequence, captured: Date.parse(result.captured_utc) });
    while (this.#shown[0].now < now - WINDOW_MS) this.#shown.shift();
    const count = result.faces.length;
    if (now - this.#refreshedAt < REFRESH_MS && count === this.#count) return;
    this.#refreshedAt = now;
    this.#count = count;
    this.#refresh(result);
  }

  /** Begin anew: after a pause or on another connection, what passed meanwhile was not missed. */
  restart() {
    this.#shown = [];
    this.#sequence = 0;
  }

  #refresh(result) {
    const first = this.#shown[0];
    const last = this.#shown.at(-1);
    const seconds = (last.now - first.now) / 1000;
    if (seconds > 0) {
      this.#write("rate", ((this.#shown.length - 1) / seconds).toFixed(1));
    }
    const captured = (last.captured - first.captured) / 1000;
    if (captured > 0) {
      const decided = ((last.sequence - first.sequence) / captured).toFixed(1);
      this.#write("rate-note", `of ${decided} decided; ${this.#missed} skipped`);
    }
    const ages = this.#shown.map((frame) => frame.age);
    this.#write("age", quantile(ages, 0.5).toFixed(0));
    this.#write("age-note", `95 % within ${quantile(ages, 0.95).toFixed(0)} ms`);
    this.#writeDropped(Object.entries(result.dropped).filter(([, count]) => count > 0));
    const count = result.faces.length;
    this.#write("count", String(count));
    this.#write("count-unit", count === 1 ? "face" : "faces");
    const unsure = result.faces.filter((face) => face.label === null || face.label === "unsure").length;
    this.#write("count-note", count ? `${count - unsure} with a clear expression` : "");
  }

  #writeDropped(reasons) {
    const total = reasons.reduce((sum, [, count]) => sum + count, 0);
    this.#write("dropped", String(total));
    this.#write("dropped-unit", total === 1 ? "frame" : "frames");
    this.#write("dropped-note", reasons.map(([reason, count]) => `${reason}: ${count}`).join(", ") || "none since the start");
  }

  #write(id, text) {
    this.find(id).textContent = text;
  }
}
