"use strict";
// Everything by keyboard. The table is the help, too.

const KEYS = [
  ["Move", ["ArrowLeft", "k"], "previous pair", () => Page.go(-1)],
  ["Move", ["ArrowRight", "j"], "next pair", () => Page.go(1)],
  ["Move", ["ArrowUp"], "a row up", () => Page.go(-Grid.columns, true)],
  ["Move", ["ArrowDown"], "a row down", () => Page.go(Grid.columns, true)],
  ["Move", ["Home"], "first pair", () => Page.go(-Infinity)],
  ["Move", ["End"], "last pair", () => Page.go(Infinity)],
  ["Move", ["Enter"], "open the pair", () => Grid.id && Page.open(Grid.id)],
  ["Move", ["Escape"], "back to the grid", () => Page.close()],
  ["Compare", ["1"], "slider", () => Page.view("slider")],
  ["Compare", ["2"], "side by side", () => Page.view("side")],
  ["Compare", ["3"], "difference", () => Page.view("difference")],
  ["Compare", ["4", "l"], "layers, one after the other", () => Page.nextLayer()],
  ["Compare", [" "], "clean alone, while held", () => Page.peek(true)],
  ["Compare", ["["], "slider left; difference weaker", () => Page.nudge(-1)],
  ["Compare", ["]"], "slider right; difference stronger", () => Page.nudge(1)],
  ["Zoom", ["z"], "100 %, or all of it", () => Viewer.toggleZoom()],
  ["Zoom", ["+", "="], "closer; in the grid, larger", () => (Page.state.pair ? Viewer.zoom(1.5) : Grid.resize(1))],
  ["Zoom", ["-"], "farther; in the grid, smaller", () => (Page.state.pair ? Viewer.zoom(1 / 1.5) : Grid.resize(-1))],
  ["Zoom", ["0"], "all of it", () => Viewer.set({ at: null })],
  ["Zoom", ["Shift+ArrowLeft"], "pan left", () => Viewer.pan(-1, 0)],
  ["Zoom", ["Shift+ArrowRight"], "pan right", () => Viewer.pan(1, 0)],
  ["Zoom", ["Shift+ArrowUp"], "pan up", () => Viewer.pan(0, -1)],
  ["Zoom", ["Shift+ArrowDown"], "pan down", () => Viewer.pan(0, 1)],
  ["Review", ["a"], "accept, and on", () => Review.decide("accept")],
  ["Review", ["r"], "reject with a reason, and on", () => Review.decide("reject")],
  ["Review", ["f"], "flag for another look", () => Review.decide("flag")],
  ["Review", ["n"], "on with the review queue", () => Review.begin()],
  ["Review", ["u"], "take back", () => Review.decide("withdraw")],
  ["Page", ["/"], "search", () => $("search").focus()],
  ["Page", ["x"], "clear all filters", () => Page.clear()],
  ["Page", ["o"], "what fell where", () => Survival.open()],
  ["Page", ["t"], "light or dark", () => Page.theme()],
  ["Page", ["?"], "this help", () => Keys.help()],
];

const Keys = {
  start() {
    Keys.table = new Map(KEYS.flatMap(([, keys, , work]) => keys.map((key) => [key, work])));
    addEventListener("keydown", Keys.down);
    addEventListener("keyup", (event) => { if (event.key === " ") Page.peek(false); });
    addEventListener("blur", () => Page.peek(false));
  },

  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input, select, textarea");
    if (typing && event.key === "Escape") event.target.blur();
    if (typing) return;
    if ((event.key === "Enter" || event.key === " ") && event.target.matches?.("button, summary")) return;
    const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const work = Keys.table.get(key);
    if (!work) return;
    event.preventDefault();
    work();
  },

  help() {
    const names = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
    const bare = (key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
    const name = (key) => (key.startsWith("Shift+") ? `Shift ${bare(key.slice(6))}` : bare(key));
    const line = ([, keys, meaning]) => [el("dt", {}, ...keys.map((key) => el("kbd", {}, name(key)))), el("dd", {}, meaning)];
    const groups = [...new Set(KEYS.map(([group]) => group))];
    $("help").replaceChildren(
      el("div", { class: "columns" }, ...groups.map((group) => el("section", {}, el("h2", {}, group),
        el("dl", {}, ...KEYS.filter(([of]) => of === group).flatMap(line))))),
      el("form", { method: "dialog" }, el("button", {}, "Close")));
    $("help").showModal();
  },
};
