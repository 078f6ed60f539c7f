"use strict";
// The rows in the browser: columns of codes and numbers, filtered, sorted and counted in a few milliseconds for 100,000 pairs.

const BINS = 40;
const UNREVIEWED = "not reviewed";
const WAITS = "to review";

class Table {
  constructor(overview) {
    const columns = overview.columns;
    this.rows = columns.rows;
    this.of = overview.of; // pairs of the whole run; more than rows on a page that was written from a sample
    this.ids = columns.pair_id;
    this.places = new Map();
    this.ids.forEach((id, row) => this.places.set(id, row));
    this.pictures = this.numbers(columns.pictures);
    const coded = (codes) => (Array.isArray(codes) ? Int32Array.from(codes) : new Int32Array(this.rows).fill(codes));
    this.wordColumns = new Map(Object.entries(columns.words).map(([name, { values, codes }]) => [name, { values, codes: coded(codes) }]));
    this.numberColumns = new Map(Object.entries(columns.numbers).map(([name, values]) => [name, this.numbers(values)]));
    this.wordColumns.set("stratum", this.asWords(this.numberColumns.get("stratum")));
    this.setReviews({});
    this.setQueue([]);
  }

  /** A column of numbers; one number alone stands for all rows. */
  numbers(values) {
    if (values instanceof Float32Array) return values;
    const column = new Float32Array(this.rows);
    if (!Array.isArray(values)) return column.fill(values ?? NaN);
    for (let row = 0; row < this.rows; row++) column[row] = values[row] ?? NaN;
    return column;
  }

  asWords(numbers) {
    const values = ["1", "2", "3", "4", "5"];
    return { values, codes: Int32Array.from(numbers, (value) => (value >= 1 && value <= 5 ? value - 1 : -1)) };
  }

  /** The word of a row, or null. */
  word(name, row) {
    const { values, codes } = this.wordColumns.get(name);
    return codes[row] < 0 ? null : values[codes[row]];
  }

  number(name, row) {
    return this.numberColumns.get(name)[row];
  }

  setReviews(pairs) {
    const values = [UNREVIEWED, "accepted", "rejected", "flagged", "disputed", "pending"];
    this.reviews ??= { values, codes: new Int32Array(this.rows) };
    this.wordColumns.set("review", this.reviews);
    for (const [id, { outcome, settled, disputed, words }] of Object.entries(pairs)) {
      if (!this.places.has(id)) continue;
      const flagged = Object.values(words).some((word) => word.decision === "flag");
      const judged = Object.values(words).some((word) => word.decision !== "flag");
      const ended = { accept: "accepted", reject: "rejected" }[outcome];
      const status = disputed && !settled ? "disputed" : ended ?? (flagged ? "flagged" : judged ? "pending" : UNREVIEWED); // pending: more must speak
      this.reviews.codes[this.places.get(id)] = values.indexOf(status);
    }
  }

  /** Mark the pairs that people are asked about: those that wait for this reviewer, and those that are done. */
  setQueue(ids, waits) {
    const codes = new Int32Array(this.rows).fill(-1);
    for (const id of ids) if (this.places.has(id)) codes[this.places.get(id)] = waits(id) ? 0 : 1;
    this.wordColumns.set("queue", { values: [WAITS, "done"], codes });
  }

  /** Add the parameters of a task; answers the names of its columns, numbers and words. */
  addParameters(task, found) {
    const place = (name) => `${task}.${name}`;
    for (const [name, values] of Object.entries(found.numbers)) {
      const column = new Float32Array(this.rows).fill(NaN);
      found.rows.forEach((row, at) => { column[row] = values[at] ?? NaN; });
      this.numberColumns.set(place(name), column);
    }
    for (const [name, values] of Object.entries(found.words)) {
      const known = [...new Set(values.filter((value) => value !== null))].sort();
      const codes = new Int32Array(this.rows).fill(-1);
      found.rows.forEach((row, at) => { codes[row] = values[at] === null ? -1 : known.indexOf(values[at]); });
      this.wordColumns.set(place(name), { values: known, codes });
    }
  }

  /** Filter and sort: `order` holds the row numbers that fit, `failed` for every row a bit for each filter that it fails. */
  query(state) {
    const failed = new Uint32Array(this.rows);
    const bits = new Map();
    const fail = (name, fits) => {
      const bit = 1 << bits.size;
      bits.set(name, bit);
      for (let row = 0; row < this.rows; row++) if (!fits(row)) failed[row] |= bit;
    };
    for (const [name, wanted] of Object.entries(state.words)) {
      if (!wanted.size || !this.wordColumns.has(name)) continue;
      const { values, codes } = this.wordColumns.get(name);
      const good = values.map((value) => wanted.has(value));
      fail(name, (row) => codes[row] >= 0 && good[codes[row]]);
    }
    for (const [name, [low, high]] of Object.entries(state.ranges)) {
      const column = this.numberColumns.get(name), from = Math.fround(low), to = Math.fround(high); // as coarse as the columns: what is on a limit fits
      if (column) fail(name, (row) => column[row] >= from && column[row] <= to);
    }
    if (state.text.trim()) fail("text", this.matcher(state.text));
    const found = new Uint32Array(this.rows);
    let count = 0;
    for (let row = 0; row < this.rows; row++) if (!failed[row]) found[count++] = row;
    return { order: this.sorted(found.subarray(0, count), state.sort), failed, bits };
  }

  /** Every word of the search must be in one of the texts of a row. */
  matcher(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = ["photo_uri", "detail", "extra", "reason", "task"].map((name) => this.wordColumns.get(name));
    const hits = words.map((word) => texts.map(({ values }) => Uint8Array.from(values, (value) => value.toLowerCase().includes(word))));
    const hit = (row, at) => texts.some(({ codes }, column) => codes[row] >= 0 && hits[at][column][codes[row]]);
    return (row) => words.every((word, at) => this.ids[row].startsWith(word) || hit(row, at));
  }

  sorted(found, sort) {
    if (sort === "shuffled") return found.sort((a, b) => (this.ids[a] < this.ids[b] ? -1 : 1)); // an id is a hash
    const column = this.numberColumns.get(sort.replace(/^-/, ""));
    if (!column) return found;
    const sign = sort.startsWith("-") ? -1 : 1;
    const key = (row) => (Number.isNaN(column[row]) ? Infinity : sign * column[row]); // what has no number comes last
    return found.sort((a, b) => { const left = key(a), right = key(b); return left < right ? -1 : left > right ? 1 : a - b; });
  }

  /** How many rows have each word, of those that pass every other filter. */
  counts(name, { failed, bits }) {
    const { values, codes } = this.wordColumns.get(name);
    const others = ~(bits.get(name) ?? 0);
    const counts = new Uint32Array(values.length);
    for (let row = 0; row < this.rows; row++) if (!(failed[row] & others) && codes[row] >= 0) counts[codes[row]]++;
    return counts;
  }

  /** Bars of a column: over rows that pass every other filter. The scale covers `within`, rows that pass the filters by word. */
  bars(name, { failed, bits }, wordBits) {
    const column = this.numberColumns.get(name);
    let low = Infinity, high = -Infinity;
    for (let row = 0; row < this.rows; row++) {
      if (failed[row] & wordBits || Number.isNaN(column[row])) continue;
      if (column[row] < low) low = column[row];
      if (column[row] > high) high = column[row];
    }
    if (low > high) return null;
    const log = low > 0 && high / low > 100;
    const to = log ? Math.log : (value) => value;
    const begin = to(low), width = (to(high) - begin) / BINS || 1;
    const heights = new Uint32Array(BINS);
    const others = ~(bits.get(name) ?? 0);
    for (let row = 0; row < this.rows; row++) {
      if (!(failed[row] & others) && column[row] >= low && column[row] <= high) heights[Math.min(BINS - 1, Math.floor((to(column[row]) - begin) / width))]++;
    }
    return { heights, low, high, log };
  }
}
