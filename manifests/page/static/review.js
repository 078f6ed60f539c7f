"use strict";
// Reviewing: accept, reject with a reason, flag, take back. What others said is shown once your own word is given.

const Review = {
  pairs: {},
  agreement: null,
  queue: {}, // pair -> why people are asked about it
  reviewers: 1, // that must speak before a pair is decided

  start(page) {
    Review.page = page;
    $("reviewing").hidden = !Source.live;
    $("reviewer").value = Kept.get("reviewer") ?? "";
    $("reviewer").addEventListener("change", () => { Kept.set("reviewer", Review.name); Review.mark(); page.refresh(); page.renew(); });
  },

  get name() {
    return $("reviewer").value.trim();
  },

  take(reviewed) {
    Object.assign(Review.pairs, reviewed.pairs);
    Review.agreement = reviewed.agreement;
    Review.reviewers = reviewed.reviewers;
    Review.queue = reviewed.queue ?? Review.queue; // told with all pairs, not with one
  },

  /** Whether a pair of the queue waits for this reviewer. */
  waits: (id) => !Review.mine(id) && !Review.pairs[id]?.settled,

  /** Write what is decided, and what waits, into the table. */
  mark() {
    const { table } = Review.page;
    table.setReviews(Review.pairs);
    table.setQueue(Source.live ? Object.keys(Review.queue) : [], Review.waits);
  },

  /** Show the pairs that wait for this reviewer, in an order that tells nothing, and open the first. */
  begin() {
    const { page } = Review;
    if (!Source.live) return;
    if (!Object.keys(Review.queue).length) { toast("There is no review queue: `patina review RUN` makes one."); return; }
    if (!Review.name) { toast("Who reviews? Enter your name first."); $("reviewer").focus(); return; }
    Object.assign(page.state, { words: { queue: new Set([WAITS]) }, ranges: {}, text: "", sort: "shuffled" });
    page.refresh();
    Grid.move(0);
    if (page.found.order.length) page.open(Grid.id);
    else { page.close(); toast("Nothing of the queue waits for you any more."); }
  },

  /** Why a pair is asked about, told once it has been judged, and how many have yet to speak. */
  asked(id, mine) {
    const said = Object.values(Review.pairs[id]?.words ?? {}).filter((word) => word.decision !== "flag").length;
    const more = Review.reviewers > 1 && said < Review.reviewers ? el("p", { class: "soft" }, `${said} of ${Review.reviewers} have judged it`) : null;
    const why = Review.queue[id] && (mine || !Source.live) ? el("p", { class: "soft" }, `Asked about: ${Review.queue[id].join("; ")}`) : null;
    return [more, why];
  },

  mine: (id) => Review.pairs[id]?.words[Review.name] ?? null,

  /** The block in the story of a pair. */
  block(id) {
    const mine = Review.mine(id), said = Review.pairs[id];
    const others = Object.entries(said?.words ?? {}).filter(([name]) => name !== Review.name);
    const button = (decision, text, key) => el("button", {
      class: `decide ${decision}`, "aria-pressed": String(mine?.decision === decision), title: `${text} (${key})`, click: () => Review.decide(decision),
    }, text, el("kbd", {}, key));
    const saying = (word) => [`: ${plain(word.reason ?? word.decision)}`, word.note ? el("bdi", { class: "soft" }, ` ${word.note}`) : null];
    const back = el("button", { class: "quiet", click: () => Review.decide("withdraw") }, "take back");
    return el("section", { class: "review" },
      Source.live ? el("div", { class: "decisions" }, button("accept", "Accept", "A"), button("reject", "Reject", "R"), button("flag", "Flag", "F")) : null,
      mine ? el("p", {}, "You", ...saying(mine), " ", Source.live ? back : null) : null,
      others.length && (mine || !Source.live) ? el("ul", {}, ...others.map(([name, word]) => el("li", {}, el("bdi", {}, name), ...saying(word)))) : null,
      others.length && !mine && Source.live ? el("p", { class: "soft" }, `${many(others.length, "other word")}, shown after yours`) : null,
      ...Review.asked(id, mine));
  },

  decide(decision) {
    const id = Review.page.state.pair ?? Grid.id;
    if (!Source.live || !id || !Review.page.table.pictures[Review.page.table.places.get(id)]) return;
    if (!Review.name) {
      toast("Who reviews? Enter your name first.");
      $("reviewer").focus();
    } else if (decision === "reject") Review.ask(id);
    else Review.send({ pair_id: id, decision });
  },

  /** Ask why: one key, and perhaps a note. */
  ask(id) {
    const dialog = $("reject"), note = el("input", { placeholder: "Note (optional)", maxlength: "500", "aria-label": "Note" });
    const give = (reason) => { dialog.close(); Review.send({ pair_id: id, decision: "reject", reason, note: note.value }); };
    const reasons = Object.entries(Review.page.overview.review_reasons);
    dialog.replaceChildren(
      el("h2", {}, "Reject, because"),
      ...reasons.map(([reason, meaning], at) =>
        el("button", { class: "reason", click: () => give(reason) }, el("kbd", {}, String(at + 1)), el("span", {}, plain(reason)), soft(meaning))),
      note, el("p", { class: "soft" }, "Esc leaves the pair as it is"));
    dialog.onkeydown = (event) => {
      event.stopPropagation();
      const reason = reasons[Number(event.key) - 1];
      if (!reason || event.target === note) return;
      event.preventDefault();
      give(reason[0]);
    };
    dialog.showModal();
    dialog.querySelector("button").focus();
  },

  async send(decision) {
    try {
      const answer = await Source.review({ ...decision, reviewer: Review.name });
      delete Review.pairs[decision.pair_id];
      Review.take(answer);
      Review.page.reviewed(decision.pair_id, decision.decision);
    } catch (error) {
      toast(error.message);
    }
  },
};
