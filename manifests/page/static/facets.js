"use strict";
// The left column: words to choose from with their counts, and histograms to drag over.

const Facets = {
  histograms: new Map(),
  lists: new Map(),
  open: false, // the parameters of a task

  start(page) {
    Facets.page = page;
    for (const name of WORD_FACETS) Facets.list(name, $("facets"));
    Facets.numbers = el("section", {}, Facets.histogram("severity", { title: "severity", unit: "" }).element);
    Facets.scores = el("section", { class: "scores" });
    Facets.parameters = el("section", { class: "parameters" });
    $("facets").append(Facets.numbers, Facets.parameters, Facets.scores);
  },

  /** Words with counts. The first choice narrows to one word, more widen it again. */
  list(name, into, title = name) {
    const rows = el("div", { class: "words" });
    const section = el("section", { class: "facet" }, el("h2", {}, plain(title)), rows);
    Facets.lists.set(name, { section, rows });
    into.append(section);
  },

  show(found) {
    const { table, state } = Facets.page;
    Facets.task = state.words.task?.size === 1 ? [...state.words.task][0] : null;
    Facets.showParameters();
    for (const [name, { section, rows }] of Facets.lists) Facets.fill(name, section, rows, found);
    let wordBits = 0;
    for (const [name, bit] of found.bits) if (table.wordColumns.has(name)) wordBits |= bit;
    for (const [name, histogram] of Facets.histograms) {
      const shown = table.numberColumns.has(name) && (name !== "severity" || Facets.task);
      if (histogram.element.isConnected) histogram.show(shown ? table.bars(name, found, wordBits) : null, state.ranges[name]);
    }
  },

  fill(name, section, rows, found) {
    const { table, state } = Facets.page;
    const column = table.wordColumns.get(name);
    const counts = column ? table.counts(name, found) : [];
    const wanted = state.words[name] ?? new Set();
    const shown = column ? column.values.map((value, at) => [value, counts[at]]).filter(([value, count]) => count || wanted.has(value)) : [];
    section.hidden = shown.length < (name === "queue" ? 1 : 2) && !wanted.size;
    if (section.hidden) return;
    if (name !== "stratum") shown.sort((a, b) => b[1] - a[1]);
    const most = Math.max(...shown.map(([, count]) => count), 1);
    const focused = document.activeElement?.dataset?.word;
    rows.replaceChildren(...shown.map(([value, count]) => {
      const bar = el("i", {});
      bar.style.width = `${(100 * count) / most}%`;
      const pressed = wanted.has(value);
      const about = { class: "word", "aria-pressed": String(pressed), "data-word": `${name}/${value}`, click: () => Facets.choose(name, value) };
      return el("button", about, bar, el("span", {}, plain(value)), el("span", { class: "number" }, told(count)));
    }));
    if (focused?.startsWith(`${name}/`)) rows.querySelector(`[data-word="${CSS.escape(focused)}"]`)?.focus();
  },

  choose(name, value) {
    Facets.page.change((state) => {
      const wanted = new Set(state.words[name]);
      if (!wanted.delete(value)) wanted.add(value);
      state.words[name] = wanted;
      if (name === "task") Facets.settle(state);
    }, true);
  },

  /** After a change of task: forget filters in the old task's units. */
  settle(state) {
    const kept = (name) => state.words.task?.size === 1 && name.startsWith(`${[...state.words.task][0]}.`);
    for (const name of Object.keys(state.ranges)) if (!name.startsWith("score.") && !kept(name)) delete state.ranges[name];
    for (const name of Object.keys(state.words)) if (!WORD_FACETS.includes(name) && !kept(name)) delete state.words[name];
  },

  /** The histogram of a column, made once. */
  histogram(name, about) {
    if (Facets.histograms.has(name)) return Facets.histograms.get(name);
    const made = new Histogram(about.title, about.unit, about.meaning, (range) => Facets.page.change((state) => {
      if (range) state.ranges[name] = range;
      else delete state.ranges[name];
    }));
    Facets.histograms.set(name, made);
    return made;
  },

  /** The parameters of the one task that is chosen: loaded when they are wanted. */
  showParameters() {
    const { state } = Facets.page;
    const task = Facets.task;
    const wanted = [...Object.keys(state.ranges), ...Object.keys(state.words)].some((name) => task && name.startsWith(`${task}.`));
    Facets.open ||= wanted;
    const key = task ? `${task}/${Facets.open}` : "";
    Facets.histograms.get("severity").unit = severityUnit(Facets.page.table, task);
    if (Facets.shown === key) return;
    Facets.shown = key;
    for (const name of [...Facets.histograms.keys()]) if (name !== "severity" && !name.startsWith("score.")) Facets.histograms.delete(name);
    for (const name of [...Facets.lists.keys()]) if (!WORD_FACETS.includes(name)) Facets.lists.delete(name);
    const click = () => { Facets.open = !Facets.open; Facets.page.refresh(); };
    const toggle = el("button", { class: "toggle", "aria-expanded": String(Facets.open), click }, `Parameters of ${plain(task ?? "")}`);
    Facets.parameters.replaceChildren(...(task ? [toggle] : []));
    if (task && Facets.open) Facets.load(task, key);
  },

  async load(task, key) {
    const { table } = Facets.page;
    try {
      const found = await Source.parameters(task);
      if (Facets.shown !== key) return;
      table.addParameters(task, found);
      for (const [name, about] of Object.entries(found.about)) {
        if (name in found.numbers) Facets.parameters.append(Facets.histogram(`${task}.${name}`, about).element);
        else Facets.list(`${task}.${name}`, Facets.parameters, about.title);
      }
      if (found.rows.length < found.of) Facets.parameters.append(soft(`of ${many(found.rows.length, "pair")} spread over ${told(found.of)}`));
      Facets.page.refresh();
    } catch (error) {
      toast(error.message);
    }
  },
};

/** The unit of a task's severity. */
function severityUnit(table, task) {
  if (!task) return "";
  const { values, codes } = table.wordColumns.get("task");
  const code = values.indexOf(task);
  const row = codes.indexOf(code);
  return row < 0 ? "" : table.word("unit", row) ?? "";
}
