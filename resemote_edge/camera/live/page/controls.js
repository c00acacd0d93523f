// Controls: buttons, the score, the notice and keys; what is chosen is kept in this browser.

const KEPT = "resemote-live";
const KEPT_NAMES = ["mirror", "least", "words", "shortcuts", "speak"];
const STEP = 5;
const MOST = 95;

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(KEPT_NAMES.filter((name) => name in found).map((name) => [name, found[name]]));
  } catch {
    return {}; // storage is switched off, or holds something else
  }
}

export class Controls {
  settings = { paused: false, mirror: false, least: 0, words: "", shortcuts: true, speak: true, ...kept() };
  #find;
  #onChange;
  #notice = "";

  /**
   * @param {(id: string) => HTMLElement} find
   * @param {(settings: object) => void} onChange
   */
  constructor(find, onChange) {
    this.#find = find;
    this.#onChange = onChange;
    find("pause").addEventListener("click", () => this.#set({ paused: !this.settings.paused }));
    find("mirror").addEventListener("click", () => this.#set({ mirror: !this.settings.mirror }));
    find("full").addEventListener("click", () => this.#toggleFull());
    find("least").addEventListener("input", (event) => this.#set({ least: Number(event.target.value) }));
    find("words").addEventListener("input", (event) => this.#set({ words: event.target.value }));
    find("help").addEventListener("click", () => find("keys").showModal());
    find("close-keys").addEventListener("click", () => find("keys").close());
    find("shortcuts").addEventListener("change", (event) => this.#set({ shortcuts: event.target.checked }));
    find("speak").addEventListener("change", (event) => this.#set({ speak: event.target.checked }));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("fullscreenchange", () => this.#write());
    this.#write();
  }

  /** The notice of whoever runs the camera: it stands there, and nobody who looks takes it away. */
  set notice(text) {
    if (text === this.#notice) return;
    this.#notice = text;
    this.#write();
  }

  #set(changes) {
    Object.assign(this.settings, changes);
    try {
      localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(KEPT_NAMES.map((name) => [name, this.settings[name]]))));
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    this.#write();
    this.#onChange(this.settings);
  }

  #write() {
    const { paused, mirror, least, words, shortcuts, speak } = this.settings;
    const find = this.#find;
    find("pause").setAttribute("aria-pressed", String(paused));
    find("mirror").setAttribute("aria-pressed", String(mirror));
    find("full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
    find("least").value = least;
    find("least-text").textContent = `${least} %`;
    find("least").setAttribute("aria-valuetext", `${least} percent`);
    if (find("words").value !== words) find("words").value = words;
    find("shortcuts").checked = shortcuts;
    find("speak").checked = speak;
    const text = [this.#notice, words.trim()].filter(Boolean).join(" · ");
    find("notice").textContent = text;
    find("notice").hidden = text === "";
  }

  #toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#find("stage").requestFullscreen?.().catch(() => {}); // a phone may have no such thing
  }

  #pressed(event) {
    const writes = event.target.matches?.("input[type=text]");
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (!this.settings.shortcuts || writes || modified || this.#find("keys").open) return;
    const actions = {
      p: () => this.#find("pause").click(),
      m: () => this.#find("mirror").click(),
      f: () => this.#find("full").click(),
      n: () => this.#find("words").focus(),
      "?": () => this.#find("help").click(),
      "[": () => this.#set({ least: Math.max(this.settings.least - STEP, 0) }),
      "]": () => this.#set({ least: Math.min(this.settings.least + STEP, MOST) }),
    };
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
