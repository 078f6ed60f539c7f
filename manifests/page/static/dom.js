"use strict";
// Elements without markup: every text goes in as text, so that no name or prompt can ever be read as HTML.

const $ = (id) => document.getElementById(id);

/** Make an element. `attributes`: class, title...; functions become listeners (`click`); false and null are left out. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const soft = (text) => el("span", { class: "soft" }, text);

/** A number as people read it: four digits that matter, no noise. */
function told(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Array.isArray(value)) return value.map(told).join(", ");
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e6 ? value.toLocaleString("en") : String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace("e", " e");
  return String(Number(value.toPrecision(4)));
}

const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const plain = (word) => word.replaceAll("_", " ");
const titled = (path) => plain(path).replaceAll(".", " / ");
const held = (value, low, high) => Math.min(high, Math.max(low, value));

/** Call a function once in a while, with the last arguments. */
function later(milliseconds, work) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}

/** Say something that went wrong, or right, for a few seconds. */
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  toast.hide ??= later(5000, () => { $("toast").hidden = true; });
  toast.hide();
}

/** What a browser keeps between visits; a page from disk may not be allowed to. */
const Kept = {
  get(name) {
    try { return localStorage.getItem(`patina.${name}`); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(`patina.${name}`, value); } catch { /* then it is asked for again */ }
  },
};
