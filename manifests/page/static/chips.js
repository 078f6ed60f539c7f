"use strict";
// What narrows the grid, in one line: each filter a chip that a click takes away.

const Chips = {
  show({ state, found }) {
    const words = Object.entries(state.words).filter(([, wanted]) => wanted.size).map(([name, wanted]) =>
      Chips.chip(Chips.title(name), [...wanted].map(plain).join(", "), () => { delete state.words[name]; Facets.settle(state); }));
    const ranges = Object.entries(state.ranges).map(([name, range]) =>
      Chips.chip(Chips.title(name), Scores.failed.has(name) && !found.bits.has(name) ? "cannot be read" : Chips.range(range, Chips.about(name).unit),
        () => { delete state.ranges[name]; }));
    const text = state.text.trim() ? [Chips.chip("search", state.text.trim(), () => { state.text = ""; $("search").value = ""; })] : [];
    const chips = [...words, ...ranges, ...text];
    const all = el("button", { class: "quiet", title: "Clear all filters (X)", click: () => Page.clear() }, "clear all");
    $("chips").replaceChildren(...chips, ...(chips.length ? [all] : []));
    $("chips").hidden = !chips.length;
  },

  chip: (title, value, work) => el("button", { class: "chip", title: `Take this filter away: ${title}`, click: () => Page.change(work, true) },
    soft(title), el("bdi", {}, value), el("span", { "aria-hidden": "true" }, "×")),

  about: (name) => Scores.about.get(name) ?? Facets.histograms.get(name) ?? {},

  title(name) {
    const about = Chips.about(name);
    return about.scorer === undefined ? about.title ?? titled(name) : Scores.titled(about.scorer, about.title);
  },

  range([low, high], unit) {
    const dimension = Scores.dimension(unit), of = dimension && ` ${dimension}`;
    if (!Number.isFinite(low)) return `≤ ${told(high)}${of}`;
    return Number.isFinite(high) ? `${told(low)} to ${told(high)}${of}` : `≥ ${told(low)}${of}`;
  },
};
