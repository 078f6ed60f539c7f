"use strict";
// What fell where, verb by verb, and how far the reviewers agree.

const FIGURES = new Set(["alone", "took", "left", "accepted", "rejected", "flagged"]);

const Survival = {
  falls: null, // come with the scores

  open() {
    const { table } = Page, { falls } = Survival;
    if (!falls) { toast("The scores are still being read."); return; }
    const line = (by, why, alone, took, left) => el("tr", {},
      el("td", {}, plain(by)), el("td", {}, plain(why)), ...[alone, took, left].map(Survival.number), Survival.bar(left / table.of));
    const lines = falls.map((fall) => line(fall.by, fall.why, fall.alone, fall.took, fall.left));
    const left = falls.at(-1)?.left ?? table.of;
    $("survival").replaceChildren(
      el("h2", {}, `${told(left)} of ${many(table.of, "planned pair")} survive`),
      Survival.table(["by", "why", "alone", "took", "left", ""], [line("plan", "pairs planned", null, null, table.of), ...lines]),
      ...Survival.agreement(),
      el("form", { method: "dialog" }, el("button", {}, "Close")));
    $("survival").showModal();
  },

  agreement() {
    const found = Review.agreement;
    const names = Object.entries(found?.reviewers ?? {});
    if (!names.length) return [];
    const line = ([name, said]) => el("tr", {},
      el("td", {}, el("bdi", {}, name)), ...["accept", "reject", "flag"].map((word) => Survival.number(said[word] ?? 0)));
    const alpha = found.alpha === null ? "" : `; Krippendorff's alpha ${found.alpha.toFixed(2)}`;
    const alike = Math.round((100 * found.agreed) / found.pairs);
    const share = `${told(found.agreed)} of ${many(found.pairs, "pair")} that two or more judged were judged alike (${alike} %)`;
    return [
      el("h2", {}, "Reviews"),
      Survival.table(["reviewer", "accepted", "rejected", "flagged"], names.map(line)),
      el("p", {}, found.pairs ? share + alpha : "No pair was judged by two reviewers yet."),
      el("p", { class: "soft" }, "patina select RUN applies the reviews to the manifest."),
    ];
  },

  table: (titles, lines) => el("table", {},
    el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col", class: FIGURES.has(title) ? "number" : null }, title)))),
    el("tbody", {}, ...lines)),

  number: (value) => el("td", { class: "number" }, value === null ? "" : told(value)),

  bar(share) {
    const bar = el("i", {});
    bar.style.width = `${100 * share}%`;
    return el("td", { class: "bar" }, bar);
  },
};
