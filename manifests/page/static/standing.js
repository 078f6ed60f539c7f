"use strict";
// A pair's scores: those that decide about it first, then scorer by scorer, folded, each with its place among the pairs of the task.

const Standing = {
  open: new Set((Kept.get("scorers") ?? "").split(",").filter(Boolean)), // unfolded scorers, the same for every pair

  parts(pair) {
    const { scores } = pair;
    if (!scores.length) return [];
    const limited = scores.filter(({ limit }) => limit);
    const first = [...limited, ...scores.filter(({ scorer, limit }) => !scorer && !limit)];
    const groups = [...Scores.byScorer(scores)].filter(([scorer]) => scorer);
    return [el("section", { class: "scores" },
      el("h3", {}, "Scores"),
      first.length ? Standing.lines(first, pair.task, true) : null,
      ...groups.map(([scorer, listed]) => Standing.group(scorer, listed, pair.task)))];
  },

  group(scorer, listed, task) {
    const outside = listed.filter((score) => score.outside).length;
    const folded = el("details", { open: Standing.open.has(scorer) },
      el("summary", {}, el("h3", {}, plain(scorer)), soft(String(listed.length)), outside ? el("span", { class: "refused" }, `${outside} outside`) : null),
      Standing.lines(listed, task, false));
    folded.addEventListener("toggle", () => {
      if (folded.open) Standing.open.add(scorer);
      else Standing.open.delete(scorer);
      Kept.set("scorers", [...Standing.open].join(","));
    });
    return folded;
  },

  lines: (listed, task, whole) => el("table", { class: "standing" }, el("tbody", {}, ...listed.flatMap((score) => Standing.line(score, task, whole)))),

  /** Name, value, unit, and a mark on a track: left of it are the pairs of the task that have less. */
  line({ scorer, title, value, unit, meaning, below, limit, outside }, task, whole) {
    const shown = whole ? Scores.titled(scorer, title) : title, known = below !== null;
    const rank = known ? `more than ${Math.round(100 * below)} % of ${plain(task)}` : "";
    const mark = el("i", {});
    mark.style.left = `${100 * (below ?? 0)}%`;
    const line = el("tr", { title: [meaning, rank].filter(Boolean).join("\n") || null, class: outside ? "outside" : null },
      el("th", { scope: "row" }, shown),
      el("td", { class: "number" }, told(value)),
      el("td", { class: "soft" }, unit),
      el("td", {}, known ? el("span", { class: "track", role: "img", "aria-label": rank }, mark) : null));
    if (!whole || !limit) return [line];
    return [line, el("tr", {}, el("td", { class: outside ? "more refused" : "more", colspan: 4 }, `${outside ? "breaks the limit" : "within the limit"}: ${Standing.limit(limit)}`))];
  },

  limit([low, high]) {
    if (low === null) return `at most ${told(high)}`;
    return high === null ? `at least ${told(low)}` : `${told(low)} to ${told(high)}`;
  },
};
