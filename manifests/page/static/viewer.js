"use strict";
// The comparison: one canvas, one transform, four views. Centre and zoom stay from pair to pair.
//   100 % is one pixel of the picture on one pixel of the display; above that, pixels are shown as squares.

const MOST_ZOOM = 16;

const Viewer = {
  images: {}, // clean, degraded, layer
  peek: false, // while held, the clean side alone

  start(page) {
    Viewer.page = page;
    Viewer.canvas = $("viewer");
    Viewer.ink = Viewer.canvas.getContext("2d");
    Viewer.probe = el("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    new ResizeObserver(() => Viewer.draw()).observe(Viewer.canvas);
    Viewer.canvas.addEventListener("pointerdown", (event) => Viewer.grab(event));
    Viewer.canvas.addEventListener("pointermove", (event) => Viewer.point(event));
    Viewer.canvas.addEventListener("pointerleave", () => Viewer.legend(null));
    Viewer.canvas.addEventListener("wheel", (event) => { event.preventDefault(); Viewer.zoom(Math.exp(-event.deltaY * 0.0015), event); }, { passive: false });
    Viewer.canvas.addEventListener("dblclick", (event) => Viewer.toggleZoom(event));
    Viewer.cache = new Map();
  },

  /** A picture, decoded; the last ones stay in memory, so that going back is instant. */
  image(address) {
    if (!Viewer.cache.has(address)) {
      const image = new Image();
      image.src = address;
      Viewer.cache.set(address, image.decode().then(() => image));
      if (Viewer.cache.size > 24) Viewer.cache.delete(Viewer.cache.keys().next().value);
    }
    return Viewer.cache.get(address);
  },

  async show(id, hasPictures) {
    const turn = Viewer.turn = (Viewer.turn ?? 0) + 1; // only the last one asked for is shown
    const what = ["degraded", "clean", ...(Viewer.page.state.view === "layers" && Viewer.page.state.layer ? [`layer:${Viewer.page.state.layer}`] : [])];
    Viewer.trouble = hasPictures ? "" : "This pair has no pictures";
    if (!hasPictures) { Viewer.images = {}; Viewer.draw(); return; }
    try {
      const [degraded, clean, layer] = await Promise.all(what.map((name) => Viewer.image(Source.picture(id, name))));
      if (Viewer.turn !== turn) return;
      Viewer.images = { degraded, clean, layer };
    } catch {
      if (Viewer.turn !== turn) return;
      Viewer.images = {};
      Viewer.trouble = "A picture of this pair is missing or damaged: patina verify tells which";
    }
    Viewer.draw();
  },

  prepare(id) {
    for (const what of ["degraded", "clean"]) Viewer.image(Source.picture(id, what)).catch(() => {});
  },

  /** The part of the canvas that one picture has, in device px: all of it, or half where two stand side by side. */
  port(second = false) {
    const { width, height } = Viewer.canvas;
    if (Viewer.page.state.view !== "side" || Viewer.peek) return { x: 0, y: 0, width, height };
    const half = Math.floor((width - 2 * devicePixelRatio) / 2);
    return { x: second ? width - half : 0, y: 0, width: half, height };
  },

  get fit() {
    const { clean } = Viewer.images, port = Viewer.port();
    return Math.min(port.width / clean.naturalWidth, port.height / clean.naturalHeight);
  },

  /** Centre and zoom: [x, y] in widths and heights, device px per picture px. */
  get at() {
    return Viewer.page.state.at ?? [0.5, 0.5, Viewer.fit];
  },

  /** Where the picture lies in a port, in device px. */
  placed(port) {
    const [x, y, zoom] = Viewer.at, { clean } = Viewer.images;
    const width = clean.naturalWidth * zoom, height = clean.naturalHeight * zoom;
    return { x: Math.round(port.x + port.width / 2 - x * width), y: Math.round(port.y + port.height / 2 - y * height), width, height, zoom };
  },

  draw() {
    const { canvas, ink } = Viewer, { state } = Viewer.page;
    const ratio = devicePixelRatio || 1, width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, width, height);
    const { clean, degraded, layer } = Viewer.images;
    Viewer.legend(null);
    if (!clean) { Painter.trouble(); return; }
    if (Viewer.peek) Painter.picture(clean);
    else if (state.view === "slider") Painter.slider(clean, degraded);
    else if (state.view === "side") Painter.side(clean, degraded);
    else if (state.view === "difference") Painter.difference(clean, degraded);
    else if (layer) Painter.picture(layer);
  },

  /** Where the slider's edge is, in device px: `split` of what can be seen of the picture. */
  edge() {
    const [left, right] = Viewer.span();
    return Math.round(left + (right - left) * Viewer.page.state.split);
  },

  span() {
    const place = Viewer.placed(Viewer.port());
    return [Math.max(0, place.x), Math.min(Viewer.canvas.width, place.x + place.width)];
  },

  /** What a pointer is over: picture px and the port's side, or null. */
  under(event) {
    if (!Viewer.images.clean) return null;
    const ratio = devicePixelRatio || 1, box = Viewer.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) * ratio, y = (event.clientY - box.top) * ratio;
    const second = Viewer.page.state.view === "side" && x > Viewer.canvas.width / 2;
    const place = Viewer.placed(Viewer.port(second));
    return { x, y, second, column: Math.floor((x - place.x) / place.zoom), row: Math.floor((y - place.y) / place.zoom) };
  },

  point(event) {
    const { state } = Viewer.page, spot = Viewer.under(event);
    if (!spot) return;
    const near = state.view === "slider" && Math.abs(spot.x - Viewer.edge()) < 10 * (devicePixelRatio || 1);
    Viewer.canvas.style.cursor = near ? "ew-resize" : "grab";
    Viewer.legend(spot);
  },

  grab(event) {
    if (event.button !== 0 || !Viewer.images.clean) return;
    Viewer.canvas.setPointerCapture(event.pointerId);
    const { state } = Viewer.page, ratio = devicePixelRatio || 1, from = Viewer.under(event), [x, y, zoom] = Viewer.at;
    const sliding = state.view === "slider" && Math.abs(from.x - Viewer.edge()) < 10 * ratio;
    const { clean } = Viewer.images;
    const move = (moved) => {
      const now = Viewer.under(moved), [left, right] = Viewer.span();
      if (sliding) Viewer.set({ split: held((now.x - left) / Math.max(1, right - left), 0, 1) });
      else Viewer.set({ at: Viewer.inside([x - (now.x - from.x) / (clean.naturalWidth * zoom), y - (now.y - from.y) / (clean.naturalHeight * zoom), zoom]) });
    };
    Viewer.canvas.addEventListener("pointermove", move);
    const end = () => Viewer.canvas.removeEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) Viewer.canvas.addEventListener(name, end, { once: true });
  },

  inside: ([x, y, zoom]) => [held(x, 0, 1), held(y, 0, 1), held(zoom, 0.02, MOST_ZOOM)],

  set(changes) {
    Object.assign(Viewer.page.state, changes);
    Viewer.page.remember();
    Viewer.draw();
    Viewer.page.tools();
  },

  zoom(by, event) {
    if (Viewer.images.clean) Viewer.zoomTo(held(Viewer.at[2] * by, 0.02, MOST_ZOOM), event);
  },

  /** Zoom about the pointer, or about the centre. */
  zoomTo(to, event) {
    const [x, y, zoom] = Viewer.at, { clean } = Viewer.images;
    const spot = event && Viewer.under(event), port = Viewer.port(spot?.second);
    const dx = spot ? spot.x - port.x - port.width / 2 : 0, dy = spot ? spot.y - port.y - port.height / 2 : 0;
    const shift = 1 / zoom - 1 / to;
    Viewer.set({ at: Viewer.inside([x + (dx * shift) / clean.naturalWidth, y + (dy * shift) / clean.naturalHeight, to]) });
  },

  /** All of it, or 100 % at the pointer. */
  toggleZoom(event) {
    if (!Viewer.images.clean) return;
    if (Viewer.page.state.at?.[2] === 1) Viewer.set({ at: null });
    else Viewer.zoomTo(1, event);
  },

  pan(dx, dy) {
    if (!Viewer.images.clean) return;
    const [x, y, zoom] = Viewer.at, { clean } = Viewer.images, step = 120 * (devicePixelRatio || 1);
    Viewer.set({ at: Viewer.inside([x + (dx * step) / (clean.naturalWidth * zoom), y + (dy * step) / (clean.naturalHeight * zoom), zoom]) });
  },

  /** The line under the picture: zoom, and the colour under the pointer on both sides. */
  legend(spot) {
    if (!Viewer.images.clean) { $("legend").textContent = ""; return; }
    const { clean, degraded } = Viewer.images, { state } = Viewer.page;
    const both = "degraded | clean", layers = state.layer ? titled(state.layer) : "no layers";
    const names = { slider: both, side: both, difference: `difference × ${state.gain}`, layers };
    const parts = [Viewer.peek ? "clean" : names[state.view], `${clean.naturalWidth} × ${clean.naturalHeight} px`, `${Math.round(Viewer.at[2] * 100)} %`];
    if (spot && spot.column >= 0 && spot.row >= 0 && spot.column < clean.naturalWidth && spot.row < clean.naturalHeight) {
      parts.push(`x ${spot.column}, y ${spot.row}`);
      const colours = [degraded, clean].map((image) => Viewer.colour(image, spot));
      if (colours[0]) parts.push(`RGB ${colours[0].join(" ")} | ${colours[1].join(" ")}`);
    }
    $("legend").textContent = parts.join("   ·   ");
  },

  /** The RGB of a pixel; null on a page from disk, where a browser does not let pictures be read. */
  colour(image, { column, row }) {
    try {
      Viewer.probe.drawImage(image, column, row, 1, 1, 0, 0, 1, 1);
      return [...Viewer.probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
    } catch {
      return null;
    }
  },
};
