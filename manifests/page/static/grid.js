"use strict";
// The grid: only what can be seen exists, so that 100,000 pairs scroll like a hundred.

const SIZES = [150, 210, 300];
const MARKS = { accepted: "✓", rejected: "✕", flagged: "⚑", disputed: "≠", pending: "…" };
const GAP = 12, CAPTION = 44;

const Grid = {
  order: [],
  cells: new Map(), // place in the order -> element
  focus: 0, // place in the order
  size: held(Number(Kept.get("size") ?? 1), 0, SIZES.length - 1),

  start(page) {
    Grid.page = page;
    Grid.box = $("grid");
    Grid.sheet = $("sheet");
    Grid.box.addEventListener("scroll", () => Grid.draw(), { passive: true });
    new ResizeObserver(() => Grid.lay()).observe(Grid.box);
    Grid.load = later(60, () => Grid.pictures()); // pictures that only fly by are not asked for
  },

  show(order) {
    const now = order.indexOf(Grid.order[Grid.focus]), changed = order.length !== Grid.order.length || order.some((row, at) => row !== Grid.order[at]);
    Grid.order = order;
    if (changed) Grid.focus = Math.max(0, now); // the pair in focus stays in sight, or the list begins anew
    $("nothing").hidden = order.length > 0;
    Grid.lay();
    if (changed) Grid.move(Grid.focus);
  },

  lay() {
    const width = Grid.box.clientWidth - 2 * GAP, side = SIZES[Grid.size];
    const fit = Math.floor((width + GAP) / (side + GAP));
    Grid.columns = width < 480 ? [3, 2, 1][Grid.size] : Math.max(1, fit); // a phone
    Grid.side = Math.floor((width + GAP) / Grid.columns - GAP);
    Grid.step = Grid.side + CAPTION + GAP;
    Grid.sheet.style.height = `${Math.ceil(Grid.order.length / Grid.columns) * Grid.step + GAP}px`;
    for (const cell of Grid.cells.values()) cell.remove();
    Grid.cells.clear();
    Grid.draw();
  },

  draw() {
    if (!Grid.columns || Grid.box.clientHeight === 0) return;
    const first = Math.max(0, Math.floor(Grid.box.scrollTop / Grid.step) - 1) * Grid.columns;
    const last = Math.min(Grid.order.length, (Math.ceil((Grid.box.scrollTop + Grid.box.clientHeight) / Grid.step) + 1) * Grid.columns);
    for (const [at, cell] of Grid.cells) {
      if (at >= first && at < last) continue;
      cell.querySelector("img")?.removeAttribute("src");
      cell.remove();
      Grid.cells.delete(at);
    }
    for (let at = first; at < last; at++) {
      if (Grid.cells.has(at)) continue;
      const cell = Grid.cell(at);
      Grid.cells.set(at, cell);
      Grid.sheet.append(cell);
    }
    Grid.load();
  },

  cell(at) {
    const { table } = Grid.page;
    const row = Grid.order[at];
    const kept = table.word("verdict", row) === "keep";
    const reason = plain(table.word("reason", row) ?? "no pictures");
    const frame = el("div", { class: "frame" }, table.pictures[row] ? Grid.halves(row) : soft(reason));
    const stratum = table.number("stratum", row);
    const [severity, grade] = stratum >= 1 // real photos that nobody graded have neither
      ? [`${told(table.number("severity", row))} ${table.word("unit", row) ?? ""}`, `stratum ${stratum} of 5`]
      : ["", "not graded"];
    const dots = el("span", { class: "dots", title: grade }, "●".repeat(stratum || 0), el("i", {}, "●".repeat(5 - (stratum || 0))));
    const first = el("div", { class: "line" }, el("b", {}, plain(table.word("task", row) ?? "")), dots);
    const second = el("div", { class: "line soft" }, el("span", {}, kept ? severity : reason), Scores.caption(row));
    const status = table.word("review", row);
    const mark = status === UNREVIEWED ? null : el("span", { class: `mark ${status}`, title: status }, MARKS[status]);
    const made = el("button", {
      class: `cell${kept ? "" : " out"}${at === Grid.focus ? " focus" : ""}`, tabindex: "-1", "data-id": table.ids[row],
      "aria-label": `${table.word("task", row)}, ${grade}, ${severity}, ${table.word("verdict", row)}, ${status}`,
      click: () => { Grid.move(at, false); Grid.page.open(table.ids[row]); },
    }, frame, first, second, mark);
    frame.style.height = `${Grid.side}px`;
    made.style.width = `${Grid.side}px`;
    made.style.transform = `translate(${GAP + (at % Grid.columns) * (Grid.side + GAP)}px, ${GAP + Math.floor(at / Grid.columns) * Grid.step}px)`;
    return made;
  },

  /** Degraded, and under the pointer clean: the thumbnail holds both side by side. */
  halves(row) {
    const { table } = Grid.page;
    const width = table.number("width", row), height = table.number("height", row);
    const scale = Grid.side / Math.max(width, height);
    const picture = el("img", { alt: "", decoding: "async", "data-src": Source.picture(table.ids[row], "thumbnail"), draggable: "false" });
    picture.addEventListener("error", () => picture.replaceWith(soft("damaged")));
    const window_ = el("div", { class: "window" }, picture);
    window_.style.width = `${Math.round(width * scale)}px`;
    window_.style.height = `${Math.round(height * scale)}px`;
    return window_;
  },

  pictures() {
    for (const cell of Grid.cells.values()) {
      const picture = cell.querySelector("img[data-src]");
      if (!picture) continue;
      picture.src = picture.dataset.src;
      delete picture.dataset.src;
    }
  },

  /** Redraw cells, e.g. after a review. */
  renew() {
    for (const [at, cell] of Grid.cells) {
      const fresh = Grid.cell(at);
      cell.replaceWith(fresh);
      Grid.cells.set(at, fresh);
    }
    Grid.pictures();
  },

  move(to, scroll = true) {
    if (!Grid.order.length) return;
    Grid.cells.get(Grid.focus)?.classList.remove("focus");
    Grid.focus = held(to, 0, Grid.order.length - 1);
    if (scroll && Grid.box.clientHeight) {
      const top = Math.floor(Grid.focus / Grid.columns) * Grid.step;
      if (top < Grid.box.scrollTop) Grid.box.scrollTop = top;
      if (top + Grid.step + GAP > Grid.box.scrollTop + Grid.box.clientHeight) Grid.box.scrollTop = top + Grid.step + GAP - Grid.box.clientHeight;
      Grid.draw();
    }
    Grid.cells.get(Grid.focus)?.classList.add("focus");
  },

  resize(by) {
    Grid.size = held(Grid.size + by, 0, SIZES.length - 1);
    Kept.set("size", Grid.size);
    const at = Grid.focus;
    Grid.lay();
    Grid.move(at);
  },

  get id() {
    return Grid.order.length ? Grid.page.table.ids[Grid.order[Grid.focus]] : null;
  },
};
