// The page: frames come in, are acknowledged, and are painted.

import { Announcer } from "./announcer.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Faces } from "./faces.js";
import { Figures } from "./figures.js";
import { inWords, Picture } from "./picture.js";

const WORDS_MS = 1_000;

const find = (id) => document.getElementById(id);
const picture = new Picture(find("picture"));
const faces = new Faces(find("cards"), find("empty"));
const figures = new Figures(find);
const announcer = new Announcer(find("announcements"));
const controls = new Controls(find, changed);
const connection = new Connection(show, describe);
let waiting = null;
let session = null;
let wordsAt = -Infinity;

/** Decode a frame, ask for the next, and leave this one to be painted; if painting is slow, only the newest is painted. */
async function show(message) {
  try {
    const { jpeg } = message;
    message.bitmap = jpeg.length ? await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })) : null;
    if (waiting === null) requestAnimationFrame(paint);
    waiting?.bitmap?.close();
    waiting = message;
  } finally {
    connection.acknowledge(message.sequence);
  }
}

function paint() {
  const { sequence, notice, result, bitmap } = waiting;
  waiting = null;
  if (result.session !== session) begin(result);
  controls.notice = notice;
  picture.draw(bitmap, result, controls.settings);
  faces.show(result, controls.settings.least);
  figures.show(sequence, result);
  announcer.show(result, controls.settings);
  describePicture(result);
}

function begin(result) {
  session = result.session;
  faces.clear();
  figures.restart();
  announcer.clear();
  find("source").textContent = `${result.source} · ${result.width} × ${result.height}`;
}

function describePicture(result) {
  const now = performance.now();
  if (now - wordsAt < WORDS_MS) return;
  wordsAt = now;
  find("picture-text").textContent = inWords(result, controls.settings.least);
}

function changed(settings) {
  wantFrames();
  picture.redraw(settings);
  faces.refresh(settings.least);
}

/** A page that nobody sees costs nothing. */
function wantFrames() {
  const wanted = !controls.settings.paused && !document.hidden;
  if (wanted) figures.restart();
  connection.wanted = wanted;
}

function describe(state, text) {
  // A screen reader is told of another state, and not of every second that passes in it.
  if (find("status").dataset.state !== state) find("state").textContent = text;
  find("status").dataset.state = state;
  find("status-text").textContent = text;
  find("curtain-text").textContent = text;
  find("curtain").hidden = state === "live" || state === "paused";
  find("curtain").classList.toggle("still", state === "refused");
}

document.addEventListener("visibilitychange", wantFrames);
