"use strict";
// The state of the page, and its one place: the address bar. Reload, go back, bookmark or send it, and you are here again.
//   #task=haze,rain&stratum=4,5&score.psnr_db=10..20&q=lake&sort=-severity&pair=ID&view=slider&at=0.5,0.5,2

const WORD_FACETS = ["task", "stratum", "verdict", "reason", "review", "queue", "split", "origin"];
const VIEWS = ["slider", "side", "difference", "layers"];

const Address = {
  fresh: () => ({
    words: {}, // facet -> Set of values that are wanted
    ranges: {}, // severity | score.NAME | TASK.PARAMETER -> [low, high]
    text: "",
    sort: "",
    pair: null,
    view: "slider",
    layer: null,
    at: null, // [x, y, zoom]: centre in widths and heights, device px per picture px; null shows all
    split: 0.5, // of the slider
    gain: 1, // of the difference
  }),

  read() {
    const state = Address.fresh();
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const range = /^(-?[\d.e+-]*)\.\.(-?[\d.e+-]*)$/.exec(value);
      if (name.startsWith("is.")) state.words[name.slice(3)] = new Set(value.split(",").map(decodeURIComponent));
      else if (WORD_FACETS.includes(name)) state.words[name] = new Set(value.split(",").map(decodeURIComponent));
      else if (range) state.ranges[name] = [range[1] === "" ? -Infinity : Number(range[1]), range[2] === "" ? Infinity : Number(range[2])];
      else if (name === "q") state.text = value;
      else if (name === "sort" || name === "pair" || name === "layer") state[name] = value;
      else if (name === "view" && VIEWS.includes(value)) state.view = value;
      else if (name === "at") state.at = Address.numbers(value, 3);
      else if (name === "split") state.split = held(Address.numbers(value, 1)?.[0] ?? 0.5, 0, 1);
      else if (name === "gain") state.gain = held(Address.numbers(value, 1)?.[0] ?? 1, 1, 64);
    }
    return state;
  },

  numbers(text, count) {
    const found = text.split(",").map(Number);
    return found.length === count && found.every(Number.isFinite) ? found : null;
  },

  written(state) {
    const parts = new URLSearchParams();
    for (const [name, wanted] of Object.entries(state.words)) {
      if (wanted.size) parts.set(WORD_FACETS.includes(name) ? name : `is.${name}`, [...wanted].map(encodeURIComponent).join(","));
    }
    for (const [name, [low, high]] of Object.entries(state.ranges)) {
      parts.set(name, `${Number.isFinite(low) ? Address.short(low) : ""}..${Number.isFinite(high) ? Address.short(high) : ""}`);
    }
    if (state.text) parts.set("q", state.text);
    if (state.sort) parts.set("sort", state.sort);
    if (state.pair) parts.set("pair", state.pair);
    if (state.view !== "slider") parts.set("view", state.view);
    if (state.layer && state.view === "layers") parts.set("layer", state.layer);
    if (state.at) parts.set("at", state.at.map(Address.short).join(","));
    if (Math.abs(state.split - 0.5) > 1e-3) parts.set("split", Address.short(state.split));
    if (state.gain !== 1) parts.set("gain", state.gain);
    return `#${parts}`;
  },

  short: (value) => String(Number(value.toPrecision(6))),

  /** Put the state into the bar; a step that one may want to go back from becomes an entry of the history. */
  write(state, step) {
    const hash = Address.written(state);
    if (hash === (location.hash || "#")) return;
    if (step) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  },
};
