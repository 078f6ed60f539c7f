"use strict";
// What is drawn into the canvas of the comparison: pictures through one transform, the slider, the difference, names of the sides.

const Painter = {
  /** Say in the middle why there is nothing to see. */
  trouble() {
    const { ink, canvas } = Viewer;
    ink.font = `${15 * (devicePixelRatio || 1)}px system-ui, sans-serif`;
    ink.textAlign = "center";
    ink.fillStyle = getComputedStyle(canvas).getPropertyValue("--soft");
    ink.fillText(Viewer.trouble ?? "", canvas.width / 2, canvas.height / 2, canvas.width);
    ink.textAlign = "start";
  },

  picture(image, second = false) {
    const { ink } = Viewer, port = Viewer.port(second), place = Viewer.placed(port);
    ink.save();
    ink.beginPath();
    ink.rect(port.x, port.y, port.width, port.height);
    ink.clip();
    ink.imageSmoothingEnabled = place.zoom < 1;
    ink.imageSmoothingQuality = "high";
    ink.drawImage(image, place.x, place.y, place.width, place.height);
    ink.restore();
  },

  slider(clean, degraded) {
    const { ink, canvas } = Viewer, ratio = devicePixelRatio || 1, edge = Viewer.edge(), place = Viewer.placed(Viewer.port());
    const top = Math.max(0, place.y), bottom = Math.min(canvas.height, place.y + place.height);
    Painter.picture(degraded);
    ink.save();
    ink.beginPath();
    ink.rect(edge, 0, canvas.width - edge, canvas.height);
    ink.clip();
    Painter.picture(clean);
    ink.restore();
    ink.fillStyle = "rgba(0, 0, 0, 0.5)";
    ink.fillRect(edge - 1.5 * ratio, top, 3 * ratio, bottom - top);
    ink.fillStyle = "#fff";
    ink.fillRect(edge - 0.5 * ratio, top, ratio, bottom - top);
    Painter.handle(edge, (top + bottom) / 2, ratio);
    const [left, right] = Viewer.span();
    Painter.name("degraded", left, top, edge - left);
    Painter.name("clean", right, top, right - edge, true);
  },

  /** The knob of the slider: it goes left and right. */
  handle(x, y, ratio) {
    const { ink } = Viewer;
    ink.beginPath();
    ink.arc(x, y, 11 * ratio, 0, 7);
    ink.fill();
    ink.fillStyle = "#222";
    for (const way of [-1, 1]) {
      ink.beginPath();
      ink.moveTo(x + way * 7 * ratio, y);
      ink.lineTo(x + way * 2.5 * ratio, y - 4 * ratio);
      ink.lineTo(x + way * 2.5 * ratio, y + 4 * ratio);
      ink.fill();
    }
  },

  side(clean, degraded) {
    for (const [second, image, name] of [[false, degraded, "degraded"], [true, clean, "clean"]]) {
      const port = Viewer.port(second), place = Viewer.placed(port);
      Painter.picture(image, second);
      Painter.name(name, Math.max(port.x, place.x), Math.max(0, place.y), port.width);
    }
  },

  /** Name a side in its upper corner, where there is room for the word. */
  name(name, x, y, room, right = false) {
    const { ink } = Viewer, ratio = devicePixelRatio || 1, pad = 7 * ratio, tall = 20 * ratio, gap = 8 * ratio;
    ink.font = `${12 * ratio}px system-ui, sans-serif`;
    ink.textBaseline = "middle";
    const wide = ink.measureText(name).width + 2 * pad;
    if (wide + 2 * gap > room) return;
    const left = right ? x - gap - wide : x + gap;
    ink.fillStyle = "rgba(20, 20, 20, 0.65)";
    ink.beginPath();
    ink.roundRect(left, y + gap, wide, tall, 4 * ratio);
    ink.fill();
    ink.fillStyle = "#fff";
    ink.fillText(name, left + pad, y + gap + tall / 2);
  },

  /** |degraded - clean| by blending, doubled as often as wanted: no pixel is read, so it works from disk too. */
  difference(clean, degraded) {
    const { ink, canvas } = Viewer;
    ink.fillStyle = "#000";
    const place = Viewer.placed(Viewer.port());
    ink.fillRect(place.x, place.y, place.width, place.height);
    Painter.picture(clean);
    ink.globalCompositeOperation = "difference";
    Painter.picture(degraded);
    ink.globalCompositeOperation = "lighter";
    for (let gain = 1; gain < Viewer.page.state.gain; gain *= 2) ink.drawImage(canvas, 0, 0);
    ink.globalCompositeOperation = "source-over";
  },
};
