"use strict";
// A histogram that filters: drag over it, drag the range along, double-click to clear, or type the two ends.

class Histogram {
  /** `change(range)` is called with [low, high], or null for all. */
  constructor(title, unit, meaning, change) {
    this.title = title;
    this.change = change;
    this.canvas = el("canvas", { class: "bars", "aria-hidden": "true" });
    this.low = el("input", { type: "text", inputmode: "decimal", "aria-label": `${title}, from`, change: () => this.typed() });
    this.high = el("input", { type: "text", inputmode: "decimal", "aria-label": `${title}, to`, change: () => this.typed() });
    this.clear = el("button", { class: "clear", title: "Clear this range", "aria-label": `Clear the range of ${title}`, click: () => change(null) }, "×");
    this.unitBeside = soft(unit);
    const caption = el("div", { class: "caption", title: meaning || null }, el("span", {}, title), this.unitBeside, this.clear);
    this.element = el("div", { class: "histogram" }, caption, this.canvas, el("div", { class: "ends" }, this.low, el("span", { class: "gap" }), this.high));
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("dblclick", () => change(null));
  }

  get unit() {
    return this.unitBeside.textContent;
  }

  set unit(unit) {
    this.unitBeside.textContent = unit;
  }

  show(bars, range) {
    this.bars = bars;
    this.range = range ?? null;
    this.element.classList.toggle("active", Boolean(range));
    this.element.hidden = !bars;
    if (!bars) return;
    this.low.value = told(range && Number.isFinite(range[0]) ? range[0] : bars.low);
    this.high.value = told(range && Number.isFinite(range[1]) ? range[1] : bars.high);
    this.draw();
  }

  /** Where a value stands, in widths of the canvas; and back. */
  place(value) {
    const { low, high, log } = this.bars;
    const to = log ? Math.log : (number) => number;
    return high > low ? (to(Math.max(value, log ? 1e-30 : -Infinity)) - to(low)) / (to(high) - to(low)) : 0.5;
  }

  value(place) {
    const { low, high, log } = this.bars;
    return log ? low * (high / low) ** place : low + (high - low) * place;
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const width = (this.canvas.clientWidth || 220) * ratio, height = (this.canvas.clientHeight || 44) * ratio;
    this.canvas.width = width;
    this.canvas.height = height;
    const ink = this.canvas.getContext("2d"), style = getComputedStyle(this.canvas);
    const strong = style.getPropertyValue("--bar"), faint = style.getPropertyValue("--bar-out");
    const { heights } = this.bars, highest = Math.max(...heights, 1), step = width / heights.length;
    const [from, to] = this.range ? this.range.map((end) => this.place(end)) : [-1, 2];
    heights.forEach((count, at) => {
      const tall = count ? Math.max(ratio, (count / highest) ** 0.75 * (height - ratio)) : 0; // rare bins stay visible
      ink.fillStyle = (at + 1) / heights.length > from && at / heights.length < to ? strong : faint;
      ink.fillRect(at * step, height - tall, Math.max(1, step - ratio * 0.75), tall);
    });
    if (!this.range) return;
    ink.fillStyle = style.getPropertyValue("--accent");
    for (const end of [from, to]) ink.fillRect(held(end, 0, 1) * (width - ratio * 1.5), 0, ratio * 1.5, height);
  }

  begin(event) {
    if (event.button !== 0 || !this.bars) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    const box = this.canvas.getBoundingClientRect();
    const at = (moved) => held((moved.clientX - box.left) / box.width, 0, 1);
    const first = at(event), ends = this.range?.map((end) => held(this.place(end), 0, 1));
    const near = ends?.findIndex((end) => Math.abs(end - first) * box.width < 6) ?? -1;
    const inside = near < 0 && ends && first > ends[0] && first < ends[1];
    const move = (moved) => {
      const now = at(moved);
      if (inside) this.set(ends[0] + now - first, ends[1] + now - first);
      else if (near >= 0) this.set(ends[1 - near], now);
      else if (Math.abs(now - first) * box.width > 3) this.set(first, now);
    };
    const end = () => { this.canvas.removeEventListener("pointermove", move); };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end, { once: true });
    this.canvas.addEventListener("pointercancel", end, { once: true });
  }

  set(a, b) {
    const [from, to] = a < b ? [a, b] : [b, a];
    this.change([from <= 0 ? -Infinity : this.value(from), to >= 1 ? Infinity : this.value(to)]);
  }

  typed() {
    const read = (input, shown, open) => {
      const number = Number(input.value.replaceAll(",", "").replace(" e", "e"));
      return input.value.trim() === "" || input.value === told(shown) || Number.isNaN(number) ? open : number;
    };
    const low = read(this.low, this.bars.low, -Infinity), high = read(this.high, this.bars.high, Infinity);
    const all = low === -Infinity && high === Infinity;
    this.change(all ? null : low <= high ? [low, high] : [high, low]);
  }
}
