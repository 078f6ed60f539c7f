"use strict";
// Where the page gets its data: from the server that served it, or from HELD (data.js) when it was opened from disk.

const Source = {
  live: HELD === null,

  async get(path) {
    const answer = await fetch(path);
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  },

  overview: () => (HELD ? Promise.resolve(HELD.overview) : Source.get("api/overview")),
  reviews: () => (HELD ? Promise.resolve(HELD.reviews) : Source.get("api/reviews")),
  pair: (id) => (HELD ? Promise.resolve(HELD.pairs[id]) : Source.get(`api/pair/${encodeURIComponent(id)}`)),
  parameters: (task) => (HELD ? Promise.resolve(HELD.parameters[task]) : Source.get(`api/parameters?task=${encodeURIComponent(task)}`)),

  /** All scores by name, and what fell by them. */
  scores: () => (HELD ? Promise.resolve(HELD.scores) : Source.get("api/scores")),

  /** One score of every pair. */
  async score(name) {
    if (HELD) return HELD.scores.columns[name];
    const answer = await fetch(`api/scores/${encodeURIComponent(name)}`);
    if (!answer.ok) throw new Error((await answer.json()).error);
    return new Float32Array(await answer.arrayBuffer());
  },

  /** The address of a picture: what is `clean`, `degraded`, `thumbnail` or `layer:NAME`. */
  picture(id, what) {
    if (HELD) return HELD.pictures[id][what];
    if (what.startsWith("layer:")) return `layer/${encodeURIComponent(id)}/${encodeURIComponent(what.slice(6))}`;
    return what === "thumbnail" ? `thumbnail/${encodeURIComponent(id)}` : `picture/${encodeURIComponent(id)}/${what}`;
  },

  /** Write a decision down; answers what now stands on that pair. */
  async review(decision) {
    const token = document.querySelector("meta[name=patina-token]").content;
    const headers = { "Content-Type": "application/json", "X-Patina-Token": token };
    const answer = await fetch("api/reviews", { method: "POST", headers, body: JSON.stringify(decision) });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  },
};
