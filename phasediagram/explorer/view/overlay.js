// What is drawn on the regions: curves, special points, names, the ring, and the axes around.

const CURVES = ["first order", "continuous", "spinodal"];
const LAYERS = [...CURVES, "special points", "shade"];
const LAYER_NAMES = { spinodal: "spinodals", shade: "where the chosen minimum exists" };
const MARKERS = {
  "triple point": "M0,-5 L4.6,3.6 H-4.6 Z",
  "tricritical point": "M-3.8,-3.8 H3.8 V3.8 H-3.8 Z",
  "critical point": "M4.2,0 A4.2,4.2 0 1 1 -4.2,0 A4.2,4.2 0 1 1 4.2,0 Z",
  "critical end point": "M0,-5.4 L5.4,0 L0,5.4 L-5.4,0 Z",
};
const CHARACTER = 7.2; // width of a letter of a name, in pixels

function drawOverlay(app, labels) {
  const overlay = byId("overlay"), size = byId("diagram").clientWidth, { plane, model } = app;
  overlay.setAttribute("viewBox", `0 0 ${size} ${size}`);
  const shown = (layer) => (app.layers[layer] ? "" : "display: none");
  const curves = CURVES.map((kind) => {
    const path = model.curves.filter((curve) => curve.kind === kind).map((curve) => curvePath(plane, curve, size)).join("");
    const name = kind.replace(" ", "-");
    return svg("g", { "data-layer": kind, style: shown(kind) },
      svg("path", { class: `casing ${name}`, d: path }), svg("path", { class: `line ${name}`, d: path }));
  });
  const special = svg("g", { "data-layer": "special points", style: shown("special points") });
  for (const point of model.special_points) {
    const [x, y] = plane.share(point.p, point.r);
    if (x < 0 || y < 0 || x > 1 || y > 1) continue;
    special.append(svg("path", { class: "special", d: MARKERS[point.kind], transform: `translate(${x * size} ${y * size})` }));
  }
  overlay.replaceChildren(...curves.reverse(), svg("g", { id: "labels" }, ...labels), special, svg("g", { id: "marker" }));
  drawMarker(app);
  drawAxes(app, size);
}

/** The visible pieces of a curve. */
function curvePath(plane, { points }, size) {
  let path = "", last = null;
  for (let k = 1; k < points.length; k++) {
    const [from, to] = [points[k - 1], points[k]].map((point) => plane.shareOfCoordinates(point).map((share) => share * size));
    const margin = 8; // so that ends outside do not show
    const piece = clipped(from.map((v) => v + margin), to.map((v) => v + margin), size + 2 * margin);
    if (!piece) continue;
    const [begin, end] = piece.map((point) => point.map((v) => (v - margin).toFixed(2)).join(","));
    path += begin === last ? `L${end}` : `M${begin}L${end}`;
    last = end;
  }
  return path;
}

/** Names of regions, where these are deepest and wide enough. */
function regionLabels(app, { raster, labels }) {
  const size = byId("diagram").clientWidth, scale = size / raster.size;
  return labels.flatMap(({ name, pixel, depth }) => {
    const half = 0.5 * CHARACTER * name.length;
    if (2 * depth * scale < Math.min(2.2 * half, half + 14)) return [];
    const [red, green, blue] = rgb(app.styleOf(name).color);
    const dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140;
    const x = Math.min(size - half, Math.max(half, ((pixel % raster.size) + 0.5) * scale));
    const label = svg("text", { class: "region", x, y: (Math.floor(pixel / raster.size) + 0.5) * scale + 4, style: `fill: ${dark ? "#fff" : "#15171a"}` });
    label.textContent = name;
    return [label];
  });
}

function drawMarker(app) {
  const size = byId("diagram").clientWidth, marker = byId("marker");
  if (!marker) return;
  const [x, y] = app.plane.share(app.p, app.r).map((share) => share * size);
  marker.replaceChildren(
    svg("path", { class: "cross", d: `M${x},0V${size}M0,${y}H${size}` }),
    svg("circle", { class: "ring", cx: x, cy: y, r: 8 }),
    svg("circle", { class: "ring", cx: x, cy: y, r: 8 }),
    svg("circle", { class: "core", cx: x, cy: y, r: 2.2 }),
  );
}

function drawAxes({ plane }, size) {
  const frame = byId("frame"), axes = byId("axes"), diagram = byId("diagram");
  const left = diagram.offsetLeft, top = diagram.offsetTop, shown = plane.window;
  axes.setAttribute("viewBox", `0 0 ${frame.clientWidth} ${frame.clientHeight}`);
  const parts = [svg("rect", { x: left, y: top, width: size, height: size, fill: "none", class: "tick" })];
  const label = (attributes, text) => {
    const made = svg("text", attributes);
    made.textContent = text;
    return made;
  };
  const [across, up] = [plane.x, plane.y];
  for (const value of ticks(across, shown.left, shown.right)) {
    const x = left + plane.share(up.start, value)[0] * size;
    parts.push(svg("line", { class: "tick", x1: x, x2: x, y1: top + size, y2: top + size + 4 }),
      label({ x, y: top + size + 18, "text-anchor": "middle" }, tickText(value)));
  }
  for (const value of ticks(up, shown.bottom, shown.top)) {
    const y = top + plane.share(value, across.start)[1] * size;
    parts.push(svg("line", { class: "tick", x1: left - 4, x2: left, y1: y, y2: y }),
      label({ x: left - 8, y: y + 4, "text-anchor": "end" }, tickText(value)));
  }
  axes.replaceChildren(...parts,
    label({ x: left + size / 2, y: top + size + 36, "text-anchor": "middle" }, across.title),
    label({ transform: `translate(11 ${top + size / 2}) rotate(-90)`, "text-anchor": "middle" }, up.title));
}
