"use strict";
// The right column: what was done to the pair, with units; where it came from.

const Story = {
  show(pair, review) {
    const { verdict } = pair;
    const said = verdict.verdict === "keep" || verdict.decided_by === "review"; // what reviewers said stands in their own block
    const lost = said ? null : el("p", { class: "detail" }, verdict.detail || "");
    const decision = verdict.verdict === "keep" ? "kept" : `refused: ${plain(verdict.reason ?? "")}`;
    const parts = [
      el("header", {},
        el("h2", {}, plain(pair.task)),
        el("p", { class: "severity" }, ...Story.graded(pair)),
        el("p", { class: verdict.verdict === "keep" ? "soft" : "refused" }, decision, soft(verdict.decided_by ? `, by ${verdict.decided_by}` : "")),
        lost),
      review,
      ...Standing.parts(pair),
      ...pair.steps.map((step) => Story.step(step, pair.task)),
      Story.section("Prompt", el("p", {}, pair.prompt.en ?? ""), el("p", { lang: "zh" }, pair.prompt.zh ?? "")),
      Story.section("From", Story.facts([...pair.provenance, ["split", `${pair.split}, ${pair.origin}`]])),
      Story.section("Files", Story.facts([...pair.files.map(Story.file), ["pair", pair.pair_id], ["made again by", pair.replay]])),
    ];
    $("story").replaceChildren(...parts.filter(Boolean));
    $("story").scrollTop = 0;
  },

  /** Severity with its unit and stratum; real photos that nobody graded have neither. */
  graded: ({ severity, unit, stratum }) => (stratum === null ? ["not graded"] : [`${told(severity)} ${unit}`, el("span", { class: "soft" }, `   stratum ${stratum} of 5`)]),

  section: (title, ...children) => el("section", {}, el("h3", {}, title), ...children),

  step(step, task) {
    const grade = step.stratum === null ? "not graded" : `${told(step.severity)} ${step.unit}, stratum ${step.stratum}`;
    const about = `${grade}, version ${step.version}`;
    const summary = el("summary", {}, el("h3", {}, plain(step.generator)), soft(about));
    const lines = step.parameters.map(({ name, title, value, unit, meaning }) => [title, Story.value(name, value), unit, meaning]);
    return el("details", { open: step.generator === task }, summary, Story.lines(lines));
  },

  value(name, value) {
    if (name.includes("seed")) return String(value);
    if (typeof value === "boolean") return value ? "yes" : "no";
    return typeof value === "string" ? plain(value) : told(value);
  },

  /** Lines of name, value, unit; what it means under the pointer. */
  lines: (lines) => el("table", {}, el("tbody", {}, ...lines.map(([name, value, unit, meaning]) => el("tr", { title: meaning || null },
    el("th", { scope: "row" }, name),
    el("td", { class: "number", colspan: unit ? 1 : 2 }, value),
    unit ? el("td", { class: "soft", title: unit }, unit) : null)))),

  facts: (facts) => el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, plain(name)), el("dd", {}, el("bdi", {}, value))])),

  file: (file) => [file.side, `${file.shard}.tar, ${file.type.replace("image/", "").toUpperCase()}, ${told(file.length)} bytes at ${told(file.offset)}`],
};
