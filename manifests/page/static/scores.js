"use strict";
// Scores, of which a pair may have a hundred: listed by scorer, and fetched column by column when somebody looks at one.

const USUAL = "score.psnr_db"; // below every thumbnail, unless the order is by another score
const BARE = new Set(["p", "0..1", "ratio", "share", "cosine"]); // units of no dimension, which a single number can do without
const FEW = 12; // scores that are shown without being asked for

const Scores = {
  listed: [], // { name, scorer, title, unit, meaning, limits }
  about: new Map(), // score.NAME -> what is told of it
  open: new Set(), // scorers whose histograms are shown
  sought: "",
  coming: new Map(), // score.NAME -> promise of its column
  failed: new Set(), // score.NAME whose column could not be had; `missing` leaves it out until the next step

  start(page) {
    Scores.page = page;
  },

  /** Ask which there are, list them in the left column, and fetch those that are wanted now. */
  async come(into) {
    const { listed, survival } = await Source.scores();
    Survival.falls = survival;
    Scores.listed = listed;
    for (const about of listed) Scores.about.set(`score.${about.name}`, about);
    if (!listed.length) return;
    Scores.groups = Scores.byScorer(listed);
    if (listed.length <= FEW) for (const scorer of Scores.groups.keys()) Scores.open.add(scorer);
    Scores.field = el("input", { type: "search", id: "score-search", placeholder: `Find one of ${listed.length} scores`, "aria-label": "Find a score", spellcheck: "false" });
    Scores.field.addEventListener("input", () => { Scores.sought = Scores.field.value.trim().toLowerCase(); Scores.lay(); });
    Scores.field.hidden = listed.length <= FEW;
    Scores.sections = el("div", {});
    into.replaceChildren(el("h2", {}, "scores"), Scores.field, Scores.sections);
    Scores.orders();
    await Scores.load([USUAL, ...Scores.named(Scores.page.state)]);
    Scores.lay();
  },

  /** Scores by scorer, those of the rendering itself (no scorer) first. */
  byScorer(listed) {
    const groups = new Map();
    for (const about of listed) groups.set(about.scorer, [...(groups.get(about.scorer) ?? []), about]);
    return groups;
  },

  /** Offer every score as an order. */
  orders() {
    for (const [scorer, listed] of Scores.groups) {
      const options = listed.map(({ name, title }) => el("option", { value: `score.${name}` }, Scores.titled(scorer, title)));
      $("sort").append(el("optgroup", { label: scorer ? plain(scorer) : "measured while rendering" }, ...options));
    }
  },

  titled: (scorer, title) => (scorer ? `${plain(scorer)} / ${title}` : title),

  /** The scores that a state asks for, by filter or order. */
  named: (state) => [...Object.keys(state.ranges), state.sort.replace(/^-/, "")].filter((name) => name.startsWith("score.")),

  /** Those of them that there are, and that have yet to come. */
  missing: (state) => Scores.named(state).filter((name) => Scores.about.has(name) && !Scores.page.table.numberColumns.has(name) && !Scores.failed.has(name)),

  async load(names) {
    const { table } = Scores.page;
    const fetched = (name) => Source.score(Scores.about.get(name).name).then((column) => table.numberColumns.set(name, table.numbers(column)));
    for (const name of names) if (Scores.about.has(name) && !Scores.coming.has(name)) Scores.coming.set(name, fetched(name));
    const came = await Promise.allSettled(names.map((name) => Scores.coming.get(name)));
    names.forEach((name, at) => {
      if (came[at].status === "fulfilled") return;
      Scores.coming.delete(name); // to be tried again
      Scores.failed.add(name);
    });
    const failure = came.find(({ status }) => status === "rejected");
    if (failure) toast(failure.reason.message);
  },

  /** What below a thumbnail is told: the score that is sorted by, else the PSNR. */
  caption(row) {
    const { table, state } = Scores.page, by = state.sort.replace(/^-/, ""), name = table.numberColumns.has(by) && Scores.about.has(by) ? by : USUAL;
    const value = table.numberColumns.get(name)?.[row], about = Scores.about.get(name);
    if (value === undefined || Number.isNaN(value)) return soft("");
    const number = name === USUAL ? `${value.toFixed(1)} dB` : `${told(value)} ${Scores.dimension(about.unit)}`;
    return el("span", { title: Scores.titled(about.scorer, about.title) }, number);
  },

  dimension: (unit) => (BARE.has(unit) ? "" : unit ?? ""),

  fits: ({ name, title, meaning }) => Scores.sought.split(/\s+/).every((word) => `${name} ${title} ${meaning}`.toLowerCase().includes(word)),

  /** Show the sections of scorers, and the histograms in those that are open or hold what is sought. */
  lay() {
    const shown = [];
    Scores.sections.replaceChildren(...[...Scores.groups].map(([scorer, listed]) => {
      const found = Scores.sought ? listed.filter(Scores.fits) : listed, open = Boolean(Scores.sought) || !scorer || Scores.open.has(scorer);
      if (!found.length) return null;
      const here = open ? found.slice(0, Scores.sought ? Math.max(0, FEW - shown.length) : found.length) : [];
      const histograms = here.map(({ name }) => Facets.histogram(`score.${name}`, Scores.about.get(`score.${name}`)).element);
      shown.push(...here.map(({ name }) => `score.${name}`));
      const rest = open ? found.length - here.length : 0;
      return el("div", { class: "scorer" },
        scorer ? Scores.toggle(scorer, found.length, open) : null, ...histograms,
        rest ? el("p", { class: "soft" }, `${rest} more: ask for less`) : null);
    }).filter(Boolean));
    if (Scores.sought && !shown.length) Scores.sections.replaceChildren(el("p", { class: "soft" }, "No score is called that."));
    Scores.page.draw();
    if (shown.some((name) => !Scores.page.table.numberColumns.has(name))) Scores.load(shown).then(() => Scores.page.draw());
  },

  /** Mark the scorers by which something is filtered, folded or not. */
  mark() {
    const ranges = Object.keys(Scores.page.state.ranges);
    for (const toggle of Facets.scores.querySelectorAll(".toggle")) {
      toggle.classList.toggle("used", ranges.some((name) => name.startsWith(`score.${toggle.dataset.scorer}.`)));
    }
  },

  toggle(scorer, count, open) {
    const click = () => {
      if (!Scores.open.delete(scorer)) Scores.open.add(scorer);
      Scores.lay();
      Scores.sections.querySelector(`[data-scorer="${CSS.escape(scorer)}"]`)?.focus();
    };
    const about = { class: "toggle", "data-scorer": scorer, "aria-expanded": String(open), disabled: Boolean(Scores.sought), click };
    return el("button", about, plain(scorer), soft(String(count)));
  },
};
