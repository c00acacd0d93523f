// Colours of expressions, and words for them; read from the style sheet, so that they follow light and dark.

const KNOWN = ["happy", "surprise", "sad", "anger", "disgust", "fear", "neutral"];
const OTHERS = 3;
const ON_PICTURE = {
  happy: "#ffc145", surprise: "#d8a1ff", sad: "#78b4ff", anger: "#ff7f78", disgust: "#72d57c", fear: "#4fd3dc",
  neutral: "#e3e8ec", "other-0": "#ff9bd2", "other-1": "#dccb55", "other-2": "#a4aaff",
};
const dark = matchMedia("(prefers-color-scheme: dark)");
let cache = new Map();
dark.addEventListener("change", () => { cache = new Map(); });

/** Name of an expression's variable in the style sheet. */
function variable(label) {
  if (KNOWN.includes(label)) return label;
  let sum = 0;
  for (const letter of label) sum += letter.codePointAt(0);
  return `other-${sum % OTHERS}`;
}

/** Colour of a variable of the style sheet, such as `ink`. */
export function colour(name) {
  if (!cache.has(name)) cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return cache.get(name);
}

export const colourOf = (label) => colour(variable(label));

/** Colour on a picture, which is the same in light and dark. */
export const colourOnPicture = (label) => ON_PICTURE[variable(label)];

/** What is said of a face: its expression, `unsure`, or why it was not judged. */
export function verdictOf(face, least) {
  if (face.label === null) return { label: null, text: face.not_judged ?? "not judged", sure: false };
  const sure = face.label !== "unsure" && face.score * 100 >= least;
  return { label: face.label, text: sure ? face.label : "unsure", sure };
}

export const percent = (share) => `${Math.round(share * 100)} %`;
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
