// The connection to the camera: one frame at a time, acknowledged; opened again, with growing pauses, when it is lost.

import { unpack } from "./message.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const SILENT_MS = 4_000;
const TICK_MS = 250;

export class Connection {
  #socket = null;
  #wanted = true;
  #attempts = 0;
  #retryAt = null;
  #heardAt = 0;
  #hasFrame = false;

  /**
   * @param {(message: object) => void} onFrame  called with each message; `acknowledge` asks for the next
   * @param {(state: string, text: string) => void} onState  called whenever either of the two changes
   */
  constructor(onFrame, onState) {
    this.onFrame = onFrame;
    this.onState = onState;
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
    this.#open();
  }

  acknowledge(sequence) {
    this.#send(`ack ${sequence}`);
  }

  /** Whether frames are wanted; the server sends none while they are not. */
  set wanted(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#heardAt = performance.now();
    this.#send(wanted ? "resume" : "pause");
    this.#tell();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #open() {
    this.#retryAt = null;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/frames`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#received(event.data));
    socket.addEventListener("close", () => this.#lost());
    this.#socket = socket;
    this.#tell();
  }

  #opened() {
    this.#hasFrame = false;
    this.#heardAt = performance.now();
    if (!this.#wanted) this.#send("pause");
    this.#tell();
  }

  #received(data) {
    this.#attempts = 0;
    this.#hasFrame = true;
    this.#heardAt = performance.now();
    this.#tell();
    this.onFrame(unpack(data));
  }

  #lost() {
    this.#socket = null;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#attempts, LONGEST_PAUSE_MS);
    this.#attempts += 1;
    // Spread, so that many pages do not all come back at the same moment.
    this.#retryAt = performance.now() + pause * (0.75 + Math.random() / 2);
    this.#tell();
    this.#askWhy();
  }

  /** A browser does not say why a WebSocket was refused; a request does. */
  async #askWhy() {
    try {
      const answer = await fetch("/state.json", { cache: "no-store" });
      if (answer.status === 401 && this.#retryAt !== null) {
        this.#retryAt = Infinity;
        this.#tell();
      }
    } catch {
      // Nobody is there: the next attempt will tell.
    }
  }

  #retryNow() {
    if (this.#retryAt !== null) this.#open();
  }

  #tick() {
    if (this.#retryAt !== null && performance.now() >= this.#retryAt) this.#open();
    else this.#tell();
  }

  #tell() {
    const [state, text] = this.#describe();
    if (text === this.told) return;
    this.told = text;
    this.onState(state, text);
  }

  #describe() {
    if (this.#retryAt === Infinity) return ["refused", "A new token is needed. Open the address that the program printed."];
    if (this.#retryAt !== null) {
      const seconds = Math.max(Math.ceil((this.#retryAt - performance.now()) / 1000), 1);
      return ["lost", `Connection lost. Trying again in ${seconds} s`];
    }
    if (!this.isOpen) return this.#attempts ? ["lost", "Connection lost. Trying again"] : ["connecting", "Connecting"];
    if (!this.#wanted) return ["paused", "Paused"];
    const silence = performance.now() - this.#heardAt;
    if (silence > SILENT_MS) return ["silent", `No frame for ${Math.floor(silence / 1000)} s`];
    return this.#hasFrame ? ["live", "Live"] : ["waiting", "Waiting for a frame"];
  }

  #send(words) {
    if (this.isOpen) this.#socket.send(words);
  }
}
