"use strict";
// The page as a whole: the state changes, the rest follows.

const Page = {
  state: Address.read(),
  overview: null,
  table: null,
  found: null,
  remember: later(120, () => Address.write(Page.state, false)),

  async start() {
    Page.theme(Kept.get("theme") ?? "");
    const overview = await Source.overview();
    Page.overview = overview;
    Page.table = new Table(overview);
    $("name").textContent = overview.name;
    document.title = `${overview.name}, Patina`;
    for (const part of [Scores, Facets, Grid, Viewer, Review, Keys]) part.start(Page);
    Page.controls();
    const asked = Scores.named(Page.state).length; // then nothing can be shown before they are there
    if (!asked) Page.begin();
    await Promise.all([
      Source.reviews().then((reviews) => { Review.take(reviews); Review.mark(); }),
      Scores.come(Facets.scores)]);
    if (asked) Page.begin();
    else Page.refresh();
    Grid.renew();
    if (Page.state.pair) Page.showPair();
  },

  begin() {
    Page.refresh();
    Page.follow();
    addEventListener("popstate", () => { Page.state = Address.read(); Scores.failed.clear(); Page.refresh(); Page.follow(); });
  },

  controls() {
    const orders = [["", "as planned"], ["shuffled", "shuffled"], ["severity", "severity"], ["stratum", "stratum"]];
    $("sort").append(...orders.map(([value, text]) => el("option", { value }, text)));
    const turned = (sort, on) => (on && Page.directed(sort) ? `-${sort}` : sort);
    $("sort").addEventListener("change", () => Page.change((state) => { state.sort = turned($("sort").value, state.sort.startsWith("-")); }, true));
    $("direction").addEventListener("click", () => Page.change((state) => { state.sort = turned($("sort").value, !state.sort.startsWith("-")); }, true));
    $("filters-button").addEventListener("click", () => Page.filtering(!document.body.classList.contains("filtering")));
    $("search").addEventListener("input", later(120, () => Page.change((state) => { state.text = $("search").value; })));
    $("overview-button").addEventListener("click", () => Survival.open());
    $("nothing-clear").addEventListener("click", () => Page.clear());
    $("theme-button").addEventListener("click", () => Page.theme());
    $("help-button").addEventListener("click", () => Keys.help());
  },

  /** Change the state and show what follows. A step may be gone back from. */
  change(work, step = false) {
    work(Page.state);
    if (step) {
      Scores.failed.clear();
      Address.write(Page.state, true);
    } else Page.remember(); // browsers allow a page only so many changes of its address in a second
    if (!Page.waiting) requestAnimationFrame(() => { Page.waiting = false; Page.refresh(); }); // one frame, however fast a range is dragged
    Page.waiting = true;
  },

  refresh() {
    const { table, state } = Page, missing = Scores.missing(state);
    if (missing.length) { Scores.load(missing).then(() => Page.refresh()); return; }
    const before = Page.found?.by;
    Page.found = table.query(state);
    Page.found.by = state.sort;
    Grid.show(Page.found.order);
    if (before !== undefined && before !== state.sort) Grid.renew(); // their captions tell what is sorted by
    if ($("search") !== document.activeElement) $("search").value = state.text;
    const sort = state.sort.replace(/^-/, ""), down = state.sort.startsWith("-");
    $("sort").value = sort;
    $("direction").hidden = !Page.directed(sort);
    $("direction").textContent = down ? "high first" : "low first";
    Page.count();
    Page.draw();
  },

  directed: (sort) => sort !== "" && sort !== "shuffled",

  /** The left column and the line of filters. */
  draw() {
    if (!Page.found) return;
    Facets.show(Page.found);
    Scores.mark();
    Chips.show(Page);
  },

  /** On a narrow window the filters lie over the grid. */
  filtering(on) {
    document.body.classList.toggle("filtering", on);
    $("filters-button").setAttribute("aria-pressed", String(on));
    if (on) Page.draw(); // a histogram has no width while it is hidden
  },

  count() {
    const { table, found } = Page, shown = found.order.length;
    const of = shown === table.rows ? "" : `${told(shown)} of `, sample = table.rows === table.of ? "" : `, a sample of ${told(table.of)}`;
    $("count").textContent = `${of}${many(table.rows, "pair")}${sample}`;
  },

  clear() {
    Page.change((state) => Object.assign(state, { words: {}, ranges: {}, text: "" }), true);
    $("search").value = "";
  },

  renew: () => Grid.renew(),

  open(id) {
    Page.state.pair = id;
    Address.write(Page.state, true);
    Page.follow();
  },

  close() {
    if (!Page.state.pair) return;
    Page.state.pair = null;
    Address.write(Page.state, true);
    Page.follow();
  },

  /** Show the pair that the state names, or the grid. */
  follow() {
    const { state, table } = Page, there = table.places.has(state.pair ?? "");
    if (state.pair && !there) toast("The pair in the address is not in this run.");
    $("pair").hidden = !there;
    $("grid").hidden = there;
    $("facets").hidden = there;
    document.body.classList.toggle("looking", there);
    Page.filtering(false);
    if (there) return Page.showPair();
    state.pair = null;
    Grid.lay();
    Grid.move(Grid.focus);
    $("grid").focus({ preventScroll: true });
  },

  async showPair() {
    const { state, table } = Page, id = state.pair, row = table.places.get(id), at = Page.found.order.indexOf(row);
    if (at >= 0) Grid.focus = at;
    try {
      const pair = await Source.pair(id);
      if (state.pair !== id) return;
      Page.pair = pair;
      if (!pair.layers.includes(state.layer)) state.layer = pair.layers[0] ?? null;
      Page.tools();
      Story.show(pair, table.pictures[row] ? Review.block(id) : null);
      await Viewer.show(id, Boolean(table.pictures[row]));
      Page.prepare(at);
    } catch (error) {
      toast(error.message);
    }
  },

  /** Load the neighbours, once somebody stays for a moment. */
  prepare: later(150, (at) => {
    const { table, found } = Page;
    for (const next of [at + 1, at + 2, at - 1]) if (table.pictures[found.order[next]]) Viewer.prepare(table.ids[found.order[next]]);
  }),

  /** The line above the picture. */
  tools() {
    const { state, found, table } = Page;
    const at = found.order.indexOf(table.places.get(state.pair));
    const button = (text, pressed, work, title) => el("button", { "aria-pressed": pressed === null ? null : String(pressed), title, click: work }, text);
    const views = { slider: "Slider", side: "Side by side", difference: "Difference", ...(Page.pair?.layers.length ? { layers: "Layers" } : {}) };
    const gains = () => [1, 2, 4, 8, 16].map((gain) => button(`× ${gain}`, state.gain === gain, () => Viewer.set({ gain }), "Amplify ([ and ])"));
    const shown = "Maps as they are stored, light brightened until it can be seen (L: the next)";
    const layers = () => (Page.pair?.layers ?? []).map((layer) => button(titled(layer), state.layer === layer, () => Page.layer(layer), shown));
    $("extra").replaceChildren(...({ difference: gains, layers }[state.view]?.() ?? [])); // below the picture, which so keeps its size
    $("tools").replaceChildren(
      button("Back", null, () => Page.close(), "To the grid (Esc)"),
      soft(at < 0 ? "outside the filters" : `${told(at + 1)} of ${told(found.order.length)}`),
      button("‹", null, () => Page.go(-1), "Previous (←)"), button("›", null, () => Page.go(1), "Next (→)"),
      el("span", { class: "gap" }),
      el("span", { class: "group" }, ...Object.entries(views).map(([view, text], at_) =>
        button(text, state.view === view, () => Page.view(view), `${text} (${at_ + 1})`))),
      el("span", { class: "gap" }),
      el("span", { class: "group" },
        button("Fit", state.at === null, () => Viewer.set({ at: null }), "All of it (0)"),
        button("100 %", state.at?.[2] === 1, () => Viewer.toggleZoom(), "One px on one px (Z)")));
  },

  /** Go so many pairs on; rows only in the grid. */
  go(by, rows = false) {
    if (Page.state.pair && rows) { $("story").scrollBy({ top: 60 * Math.sign(by) }); return; }
    const to = held(by === -Infinity ? 0 : by === Infinity ? Grid.order.length - 1 : Grid.focus + by, 0, Grid.order.length - 1);
    Grid.move(to);
    if (!Page.state.pair || !Grid.id) return;
    Page.state.pair = Grid.id;
    Page.remember();
    Page.showPair();
  },

  view(view) {
    if (!Page.state.pair) return;
    Page.state.view = view;
    Page.remember();
    Page.tools();
    Viewer.show(Page.state.pair, Boolean(Page.table.pictures[Page.table.places.get(Page.state.pair)]));
  },

  layer(layer) {
    Page.state.layer = layer;
    Page.view("layers");
  },

  nextLayer() {
    const layers = Page.pair?.layers ?? [];
    if (!Page.state.pair || !layers.length) return;
    const next = Page.state.view === "layers" ? (layers.indexOf(Page.state.layer) + 1) % layers.length : Math.max(0, layers.indexOf(Page.state.layer));
    Page.layer(layers[next]);
  },

  peek(on) {
    if (!Page.state.pair || Viewer.peek === on) return;
    Viewer.peek = on;
    Viewer.draw();
  },

  nudge(way) {
    const { state } = Page;
    if (!state.pair) return;
    if (state.view === "difference") Viewer.set({ gain: held(way > 0 ? state.gain * 2 : state.gain / 2, 1, 16) });
    else if (state.view === "slider") Viewer.set({ split: held(state.split + way * 0.05, 0, 1) });
  },

  /** After a decision: mark it, and go on to the next pair unless another look is wanted. */
  reviewed(id, decision) {
    Page.table.wordColumns.get("review").codes[Page.table.places.get(id)] = 0;
    Review.mark();
    const order = Page.found.order, on = decision === "accept" || decision === "reject";
    const after = order[Math.min(order.length - 1, Grid.focus + 1)], next = on ? after : order[Grid.focus];
    const opened = Boolean(Page.state.pair);
    Page.refresh();
    const at = Math.max(Page.found.order.indexOf(next), Page.found.order.indexOf(after)); // a flagged pair has left the queue
    if (at >= 0) Grid.move(at);
    Grid.renew();
    if (!Page.found.order.length && Page.state.words.queue?.has(WAITS)) toast("Nothing of the queue waits for you any more.");
    if (!opened) return;
    Page.state.pair = Grid.id ?? id;
    Page.remember();
    Page.showPair();
  },

  /** Light, dark, or as the system has it. */
  theme(chosen) {
    const { dataset } = document.documentElement, now = dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const theme = chosen ?? (now === "dark" ? "light" : "dark");
    if (theme) dataset.theme = theme;
    if (chosen === undefined) Kept.set("theme", theme);
    if (Page.found) { Page.draw(); Viewer.draw(); }
  },
};

Page.start().catch((error) => toast(error.message));
