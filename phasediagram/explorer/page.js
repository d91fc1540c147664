"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LINES = ["first order", "continuous", "spinodal"];
  const LAYERS = [...LINES, "special points"];
  const MARKERS = {
    "triple point": "M0,-5 L4.6,3.6 H-4.6 Z",
    "tricritical point": "M-3.8,-3.8 H3.8 V3.8 H-3.8 Z",
    "critical point": "M4.2,0 A4.2,4.2 0 1 1 -4.2,0 A4.2,4.2 0 1 1 4.2,0 Z",
    "critical end point": "M0,-5.4 L5.4,0 L0,5.4 L-5.4,0 Z",
  };
  const BIG_STEP = 8;
  const SAME_BRANCH = 0.3; // largest change of W^T W from one grid point to the next
  const STABLE = 1e-12;
  const NOTHING_ABOVE = 0.05; // the scale of a section with one branch
  const LARGEST_EXCESS = 20; // percent, in sections
  const FIRST_POINT = [0.3, 0.25]; // two minima compete there in both models
  const CLOSE = 9; // pixels to a special point that is named

  const byId = (id) => document.getElementById(id);
  const header = JSON.parse(byId("header").textContent);
  const state = { model: 0, view: 0, row: 0, column: 0, minimum: 0, pinned: false };
  const shown = Object.fromEntries(LAYERS.map((layer) => [layer, true]));

  // ---- data: the layout is described in packing.py ----

  async function unpack() {
    const text = atob(byId("packed").textContent);
    const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let offset = 0;
    const take = (length) => bytes.subarray(offset, (offset += length));
    for (const model of header.models) {
      model.parameters = model.n_hidden * model.n_features + model.n_features;
      for (const view of model.views) readView(model, view, take);
    }
  }

  function readView(model, view, take) {
    const points = view.density.length * view.relative_importance.length;
    view.count = take(points);
    view.first = new Uint32Array(points + 1);
    for (let i = 0; i < points; i++) view.first[i + 1] = view.first[i] + view.count[i];
    view.phase = take(view.minima);
    const together = new Uint32Array(view.minima); // where the k-th of all, by phase, belongs
    let next = 0;
    header.phases.forEach((_, phase) => {
      for (let k = 0; k < view.minima; k++) if (view.phase[k] === phase) together[next++] = k;
    });
    view.columns = Array.from({ length: 1 + model.parameters }, () => {
      const planes = take(8 * view.minima);
      const column = new Float64Array(view.minima);
      const raw = new Uint8Array(8);
      const number = new DataView(raw.buffer);
      for (let k = 0; k < view.minima; k++) {
        for (let byte = 0; byte < 8; byte++) raw[byte] = planes[byte * view.minima + k];
        column[together[k]] = number.getFloat64(0, true);
      }
      return column;
    });
  }

  function minimum(model, view, index) {
    const { n_features: n, n_hidden: m } = model;
    const value = (place) => view.columns[1 + place][index];
    const W = Array.from({ length: m }, (_, h) => Array.from({ length: n }, (_, i) => value(h * n + i)));
    const gram = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => W.reduce((sum, row) => sum + row[i] * row[j], 0)));
    return {
      phase: header.phases[view.phase[index]].name,
      style: header.phases[view.phase[index]],
      loss: view.columns[0][index],
      W,
      b: Array.from({ length: n }, (_, i) => value(m * n + i)),
      gram,
    };
  }

  function minimaAt(model, view, row, column) {
    const point = row * view.relative_importance.length + column;
    const found = [];
    for (let k = view.first[point]; k < view.first[point + 1]; k++) found.push(minimum(model, view, k));
    return found;
  }

  const currentModel = () => header.models[state.model];
  const currentView = () => currentModel().views[state.view];
  const lowestPhase = (view, point) => view.phase[view.first[point]];

  // ---- text ----

  const minus = (text) => text.replace("-", "−");
  const fixed = (value, digits = 4) => minus((Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits));
  const short = (value) => String(Number(value.toPrecision(4)));
  const lossText = (loss) => loss.toPrecision(10);
  const percent = (excess) => {
    const value = 100 * excess;
    if (value < 0.001) return "+" + value.toExponential(1).replace("e-", "e−") + " %";
    return "+" + (value < 10 ? value.toPrecision(3) : value < 1000 ? value.toFixed(1) : value.toFixed(0)) + " %";
  };
  const featureName = (model, i) => (i === model.n_features - 1 ? "extra" : String(i + 1));
  const featureColor = (model, i) =>
    i === model.n_features - 1 ? "var(--extra)" : i === 0 ? "var(--first)" : "var(--second)";

  function element(tag, attributes = {}, ...children) {
    const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }
  const svg = (tag, attributes, ...children) => element("svg:" + tag, attributes, ...children);

  // ---- the plane ----

  const range = (axis) => [axis[0], axis[axis.length - 1]];
  const share = (value, [from, to]) => Math.log(value / from) / Math.log(to / from);

  /** Ticks of a logarithmic axis: powers of ten, more of them in a close-up. */
  function ticks([from, to]) {
    const low = Math.min(from, to), high = Math.max(from, to);
    const steps = high > 30 * low ? [1] : high > 3 * low ? [1, 1.5, 2, 3, 5, 7] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const step of steps) {
        const value = Number((step * 10 ** power).toPrecision(6));
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) found.push(value);
      }
    }
    return found;
  }

  function position(view, density, importance, size) {
    return [
      share(importance, range(view.relative_importance)) * size,
      share(density, range(view.density)) * size,
    ];
  }

  const inside = (view, density, importance) => {
    const [high, low] = range(view.density), [left, right] = range(view.relative_importance);
    const slack = 1 + 1e-9;
    return density <= high * slack && density * slack >= low && importance * slack >= left && importance <= right * slack;
  };

  // ---- regions: each pixel takes the phase of the nearest grid point on its side of all lines ----

  const painted = new Map();

  function regions(model, view, size) {
    const key = [header.models.indexOf(model), model.views.indexOf(view), size].join();
    if (!painted.has(key)) painted.set(key, nearestPhases(view, walls(model, view, size), size));
    return painted.get(key);
  }

  function walls(model, view, size) {
    const wall = new Uint8Array(size * size);
    for (const line of model.boundaries) {
      if (line.kind === "spinodal") continue;
      for (let k = 1; k < line.density.length; k++) {
        const from = position(view, line.density[k - 1], line.relative_importance[k - 1], size - 1);
        const to = position(view, line.density[k], line.relative_importance[k], size - 1);
        const steps = Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])) + 1;
        for (let step = 0; step <= steps; step++) {
          const x = Math.round(from[0] + ((to[0] - from[0]) * step) / steps);
          const y = Math.round(from[1] + ((to[1] - from[1]) * step) / steps);
          if (x >= 0 && y >= 0 && x < size && y < size) wall[y * size + x] = 1;
        }
      }
    }
    return wall;
  }

  function nearestPhases(view, wall, size) {
    const NONE = 255;
    const phase = new Uint8Array(size * size).fill(NONE);
    const queue = new Int32Array(size * size);
    let head = 0, tail = 0;
    const rows = view.density.length, columns = view.relative_importance.length;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = Math.round((column / (columns - 1)) * (size - 1));
        const y = Math.round((row / (rows - 1)) * (size - 1));
        if (besideWall(wall, x, y, size)) continue; // rounding could put it on the other side
        phase[y * size + x] = lowestPhase(view, row * columns + column);
        queue[tail++] = y * size + x;
      }
    }
    const flood = (blocked) => {
      while (head < tail) {
        const pixel = queue[head++];
        const x = pixel % size;
        const neighbours = [x > 0 ? pixel - 1 : -1, x < size - 1 ? pixel + 1 : -1, pixel - size, pixel + size];
        for (const next of neighbours) {
          if (next < 0 || next >= phase.length || phase[next] !== NONE || (blocked && wall[next])) continue;
          phase[next] = phase[pixel];
          queue[tail++] = next;
        }
      }
    };
    flood(true);
    head = 0; // lines themselves, and slivers without a grid point
    flood(false);
    return phase;
  }

  function besideWall(wall, x, y, size) {
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const i = x + dx, j = y + dy;
        if (i >= 0 && j >= 0 && i < size && j < size && wall[j * size + i]) return true;
      }
    }
    return false;
  }

  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  function paintRegions() {
    const canvas = byId("regions");
    const size = Math.min(1400, Math.max(64, Math.round(byId("diagram").clientWidth * devicePixelRatio)));
    canvas.width = canvas.height = size;
    const phase = regions(currentModel(), currentView(), size);
    const colors = header.phases.map((style) => rgb(style.color));
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    for (let pixel = 0; pixel < phase.length; pixel++) {
      const color = colors[phase[pixel]] ?? [128, 128, 128];
      image.data.set(color, 4 * pixel);
      image.data[4 * pixel + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  // ---- lines, points and labels on top ----

  function drawOverlay() {
    const overlay = byId("overlay"), size = byId("diagram").clientWidth;
    overlay.setAttribute("viewBox", [0, 0, size, size].join(" "));
    const model = currentModel(), view = currentView();
    const groups = LAYERS.map((layer) => svg("g", { "data-layer": layer }));
    const [, , , special] = groups;
    for (const kind of [...LINES].reverse()) {
      const group = groups[LINES.indexOf(kind)];
      const path = model.boundaries.filter((line) => line.kind === kind).map((line) => linePath(view, line, size)).join("");
      group.append(
        svg("path", { class: "casing " + kind.replace(" ", "-"), d: path }),
        svg("path", { class: "line " + kind.replace(" ", "-"), d: path }),
      );
    }
    for (const point of model.special_points) {
      if (!inside(view, point.density, point.relative_importance)) continue;
      const [x, y] = position(view, point.density, point.relative_importance, size);
      special.append(svg("path", { class: "special", d: MARKERS[point.kind], transform: `translate(${x} ${y})` }));
    }
    overlay.replaceChildren(
      ...LINES.map((kind) => groups[LINES.indexOf(kind)]).reverse(),
      svg("g", { id: "labels" }, ...regionLabels(view, size)),
      special,
      svg("g", { id: "marker" }),
    );
    showLayers();
    drawAxes(view, size);
  }

  function linePath(view, line, size) {
    const points = line.density.map((density, k) =>
      position(view, density, line.relative_importance[k], size).map((value) => value.toFixed(2)).join(","));
    return points.length > 1 ? "M" + points.join("L") : "";
  }

  /** Names of phases where their regions are deepest, as far as they are wide enough. */
  function regionLabels(view, size) {
    const rows = view.density.length, columns = view.relative_importance.length;
    const labels = [];
    header.phases.forEach((style, phase) => {
      let depth = Array.from({ length: rows * columns }, (_, i) => lowestPhase(view, i) === phase ? 1 : 0);
      let deepest = [], level = 0;
      while (depth.some(Boolean)) {
        deepest = depth.flatMap((deep, i) => (deep ? [i] : []));
        level++;
        depth = depth.map((deep, i) => {
          const row = Math.floor(i / columns), column = i % columns;
          const above = row === 0 || depth[i - columns], below = row === rows - 1 || depth[i + columns];
          const left = column > 0 && depth[i - 1], right = column < columns - 1 && depth[i + 1];
          return deep && above && below && left && right ? 1 : 0;
        });
      }
      const width = (2 * level * size) / columns;
      if (width < 6.4 * style.name.length) return;
      const middle = (of) => deepest.reduce((sum, i) => sum + of(i), 0) / deepest.length;
      const chosen = [middle((i) => Math.floor(i / columns)), middle((i) => i % columns)];
      const [red, green, blue] = rgb(style.color);
      const dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140;
      const label = svg("text", {
        class: "region",
        x: (chosen[1] / (columns - 1)) * size,
        y: Math.min(size - 8, Math.max(16, (chosen[0] / (rows - 1)) * size + 4)),
        style: `fill: ${dark ? "#fff" : "#15171a"}`,
      });
      label.textContent = style.name;
      labels.push(label);
    });
    return labels;
  }

  function drawAxes(view, size) {
    const frame = byId("frame"), axes = byId("axes"), diagram = byId("diagram");
    const left = diagram.offsetLeft, top = diagram.offsetTop;
    axes.setAttribute("viewBox", `0 0 ${frame.clientWidth} ${frame.clientHeight}`);
    const parts = [svg("rect", { x: left, y: top, width: size, height: size, fill: "none", class: "tick" })];
    for (const value of ticks(range(view.relative_importance))) {
      const x = left + share(value, range(view.relative_importance)) * size;
      const text = svg("text", { x, y: top + size + 18, "text-anchor": "middle" });
      text.textContent = value + "×";
      parts.push(svg("line", { class: "tick", x1: x, x2: x, y1: top + size, y2: top + size + 4 }), text);
    }
    for (const value of ticks(range(view.density))) {
      const y = top + share(value, range(view.density)) * size;
      const text = svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" });
      text.textContent = value;
      parts.push(svg("line", { class: "tick", x1: left - 4, x2: left, y1: y, y2: y }), text);
    }
    const across = svg("text", { x: left + size / 2, y: top + size + 35, "text-anchor": "middle" });
    across.textContent = "relative importance r of the extra feature";
    const up = svg("text", { transform: `translate(12 ${top + size / 2}) rotate(-90)`, "text-anchor": "middle" });
    up.textContent = "density p = 1 − S";
    axes.replaceChildren(...parts, across, up);
  }

  function showLayers() {
    for (const group of document.querySelectorAll("#overlay [data-layer]")) {
      group.style.display = shown[group.dataset.layer] ? "" : "none";
    }
  }

  function drawMarker() {
    const size = byId("diagram").clientWidth, view = currentView();
    const x = (state.column / (view.relative_importance.length - 1)) * size;
    const y = (state.row / (view.density.length - 1)) * size;
    const marker = byId("marker");
    marker.classList.toggle("pinned", state.pinned);
    marker.replaceChildren(
      svg("line", { class: "cross", x1: x, x2: x, y1: 0, y2: size }),
      svg("line", { class: "cross", x1: 0, x2: size, y1: y, y2: y }),
      svg("circle", { class: "ring", cx: x, cy: y, r: 6.5 }),
      svg("circle", { class: "ring", cx: x, cy: y, r: 6.5 }),
      svg("circle", { class: "core", cx: x, cy: y, r: 2.2 }),
    );
  }

  // ---- the chosen point ----

  function showPoint() {
    const model = currentModel(), view = currentView();
    const minima = minimaAt(model, view, state.row, state.column);
    state.minimum = Math.min(state.minimum, minima.length - 1);
    const chosen = minima[state.minimum];
    const p = short(view.density[state.row]), r = short(view.relative_importance[state.column]);
    byId("place").innerHTML = `density <i>p</i> = ${p}, relative importance <i>r</i> = ${r}`;
    const metastable = chosen.loss > minima[0].loss * (1 + STABLE);
    byId("phase").replaceChildren(chip(chosen.style), chosen.phase + (metastable ? " (metastable)" : ""));
    byId("meaning").textContent = sentence(chosen.style.meaning);
    byId("pin").setAttribute("aria-pressed", state.pinned);
    byId("pin").textContent = state.pinned ? "Release" : "Pin";
    showMinima(minima);
    drawArrows(model, chosen);
    showNumbers(model, chosen);
    drawSections(model, view, chosen);
    drawMarker();
    for (const [id, index, text] of [["density", view.density.length - 1 - state.row, p], ["importance", state.column, r]]) {
      byId(id).value = index;
      byId(id).setAttribute("aria-valuetext", text);
      byId(id + "-value").textContent = text;
    }
    return { p, r, minima, chosen };
  }

  const chip = (style) => element("span", { class: "chip", style: `--chip: ${style.color}` });
  const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + "." : "")
    .replace(/^It /, "The extra feature ").replace(/^As (.*?), (its|but)/, "As $1, $2");

  function showMinima(minima) {
    const list = byId("minima-list");
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...minima.map((one, index) => {
      const input = element("input", { type: "radio", name: "minimum", value: index });
      input.checked = index === state.minimum;
      input.addEventListener("change", () => choose({ minimum: index }));
      const excess = one.loss / minima[0].loss - 1;
      const last = index === 0 ? element("span", { class: "excess lowest" }, "lowest")
        : element("span", { class: "excess" }, excess < STABLE ? "equal" : percent(excess));
      return element("label", {}, input, chip(one.style), element("span", {}, one.phase),
        element("span", { class: "loss" }, lossText(one.loss)), last);
    }));
    if (focused) list.querySelector(":checked").focus();
  }

  function drawArrows(model, chosen) {
    const picture = byId("arrows"), { n_features: n, n_hidden: m } = model;
    picture.setAttribute("viewBox", m === 2 ? "-1.45 -1.45 2.9 2.9" : "-1.45 -1.1 2.9 1.6");
    const parts = [svg("line", { class: "axis", x1: -1.4, x2: 1.4, y1: 0, y2: 0 })];
    if (m === 2) {
      parts.push(svg("line", { class: "axis", x1: 0, x2: 0, y1: -1.4, y2: 1.4 }), svg("circle", { class: "guide", r: 1 }));
    } else {
      for (const x of [-1, 0, 1]) {
        const text = svg("text", { x, y: 0.24, "text-anchor": "middle" });
        text.textContent = minus(String(x));
        parts.push(svg("line", { class: "axis", x1: x, x2: x, y1: -0.06, y2: 0.06 }), text);
      }
    }
    for (let i = 0; i < n; i++) parts.push(...arrow(model, chosen, i));
    picture.replaceChildren(...parts);
    picture.setAttribute("aria-label", Array.from({ length: n }, (_, i) =>
      `feature ${featureName(model, i)} at ${chosen.W.map((row) => fixed(row[i], 2)).join(", ")}`).join("; "));
  }

  function arrow(model, chosen, i) {
    const lane = model.n_hidden === 1 ? -0.22 - 0.3 * i : 0; // in one dimension arrows would cover each other
    const x = chosen.W[0][i], y = model.n_hidden === 1 ? 0 : -chosen.W[1][i];
    const color = featureColor(model, i), length = Math.hypot(x, y);
    const label = svg("text", { style: `fill: ${color}`, "text-anchor": "middle" });
    label.textContent = featureName(model, i);
    if (length < 1e-6) {
      const lower = model.n_hidden === 1 ? 0 : 0.17;
      label.setAttribute("x", model.n_hidden === 1 ? 0.28 : 0.2);
      label.setAttribute("y", lane + lower + 0.04);
      return [svg("circle", { cx: 0, cy: lane, r: 0.05, class: "arrow", style: `stroke: ${color}` }), label];
    }
    const [ux, uy] = [x / length, y / length], head = Math.min(0.13, 0.7 * length);
    const back = [x - head * ux, y - head * uy + lane];
    const wing = 0.48 * head;
    const tip = `M${x},${y + lane}L${back[0] - wing * uy},${back[1] + wing * ux}L${back[0] + wing * uy},${back[1] - wing * ux}Z`;
    label.setAttribute("x", x + 0.2 * ux);
    label.setAttribute("y", y + 0.17 * uy + lane + 0.045);
    return [
      svg("line", { class: "arrow", x1: 0, y1: lane, x2: back[0], y2: back[1], style: `stroke: ${color}`, ...(i === model.n_features - 1 ? { "stroke-dasharray": ".085 .075" } : {}) }),
      svg("path", { d: tip, style: `fill: ${color}` }),
      label,
    ];
  }

  function showNumbers(model, chosen) {
    const names = Array.from({ length: model.n_features }, (_, i) => featureName(model, i));
    const heading = () => element("tr", {}, element("th"), ...names.map((name, i) =>
      element("th", { scope: "col" }, element("span", { class: "key", style: `--chip: ${featureColor(model, i)}` }), name)));
    const row = (name, values, shade) => element("tr", {}, element("th", { scope: "row" }, name), ...values.map((value, j) =>
      element("td", { title: String(value), style: shade ? shade(value, j) : "" }, fixed(value))));
    byId("gram").replaceChildren(heading(), ...chosen.gram.map((values, i) => row(names[i], values, (value, j) => {
      const strength = Math.min(1, Math.abs(value)) * (i === j ? 16 : 55);
      const hue = i === j ? "var(--ink)" : `rgb(var(${value < 0 ? "--negative" : "--positive"}))`;
      return `--cell: color-mix(in srgb, ${hue} ${(4 + strength).toFixed(1)}%, transparent)`;
    })));
    byId("parameters").replaceChildren(...chosen.W.map((values, h) => row(model.n_hidden === 1 ? "W" : "W" + "₁₂"[h], values)), row("b", chosen.b));
  }

  // ---- sections: the losses of all branches through the point ----

  function drawSections(model, view, chosen) {
    const p = short(view.density[state.row]), r = short(view.relative_importance[state.column]);
    byId("along-importance-title").textContent = `Along r, at p = ${p}`;
    byId("along-density-title").textContent = `Along p, at r = ${r}`;
    const rows = view.density.length, columns = view.relative_importance.length;
    drawSection(byId("along-importance"), model, view, view.relative_importance, state.column, chosen,
      Array.from({ length: columns }, (_, column) => [state.row, column]));
    drawSection(byId("along-density"), model, view, [...view.density].reverse(), rows - 1 - state.row, chosen,
      Array.from({ length: rows }, (_, back) => [rows - 1 - back, state.column]));
  }

  function branches(model, view, places) {
    const all = places.map(([row, column], at) => {
      const minima = minimaAt(model, view, row, column);
      return minima.map((one) => ({ ...one, at, excess: Math.max(0, one.loss / minima[0].loss - 1) }));
    });
    const chains = [];
    let open = [];
    for (const here of all) {
      const linked = match(open.map((chain) => chain[chain.length - 1]), here);
      const next = [];
      here.forEach((one, index) => {
        const chain = linked.has(index) ? open[linked.get(index)] : [];
        if (!chain.length) chains.push(chain);
        chain.push(one);
        next.push(chain);
      });
      open = next;
    }
    return chains;
  }

  /** Pairs of minima of neighbouring points that are closest to each other, closest pairs first. */
  function match(before, here) {
    const pairs = before.flatMap((old, i) => here.map((one, j) => [change(old, one), i, j]));
    pairs.sort((a, b) => a[0] - b[0]);
    const linked = new Map(), used = new Set();
    for (const [distance, i, j] of pairs) {
      if (distance > SAME_BRANCH || used.has(i) || linked.has(j)) continue;
      linked.set(j, i);
      used.add(i);
    }
    return linked;
  }

  const change = (one, other) => Math.max(...one.gram.flatMap((row, i) => row.map((value, j) => Math.abs(value - other.gram[i][j]))));

  function drawSection(picture, model, view, axis, here, chosen, places) {
    const width = picture.clientWidth || 300, height = picture.clientHeight || 168;
    const left = 34, right = width - 6, top = 8, bottom = height - 22;
    const chains = branches(model, view, places);
    const competing = chains.filter((chain) => chain.some((one) => one.excess < STABLE)).flat();
    const relevant = chains.flat().filter((one) => one.at === here && 100 * one.excess < LARGEST_EXCESS);
    const above = [...competing, ...relevant].map((one) => one.excess).filter((excess) => excess > STABLE);
    const largest = above.length ? Math.max(...above) : NOTHING_ABOVE;
    const highest = niceAbove(Math.min(LARGEST_EXCESS, 110 * largest));
    const x = (at) => left + ((right - left) * at) / (axis.length - 1);
    const y = (excess) => bottom - ((bottom - top) * 100 * excess) / highest;
    const clip = picture.id + "-clip";
    const parts = [svg("clipPath", { id: clip }, svg("rect", { x: left - 2, y: top - 3, width: right - left + 4, height: bottom - top + 6 }))];
    for (const value of [0, highest / 2, highest]) {
      const text = svg("text", { x: left - 6, y: y(value / 100) + 4, "text-anchor": "end" });
      text.textContent = Number(value.toPrecision(3)) + (value === highest ? " %" : "");
      parts.push(svg("line", { class: "grid", x1: left, x2: right, y1: y(value / 100), y2: y(value / 100) }), text);
    }
    for (const value of sparse(ticks(range(axis)))) {
      const text = svg("text", { x: left + (right - left) * share(value, range(axis)), y: bottom + 16, "text-anchor": "middle" });
      text.textContent = value;
      parts.push(text);
    }
    const lines = svg("g", { "clip-path": `url(#${clip})` });
    for (const chain of chains) lines.append(...runs(chain).map((run) => runPath(run, x, y)));
    parts.push(lines, svg("line", { class: "here", x1: x(here), x2: x(here), y1: top - 4, y2: bottom }));
    for (const one of chains.flat()) {
      if (one.at !== here || 100 * one.excess > highest) continue;
      const current = one.phase === chosen.phase && one.loss === chosen.loss;
      parts.push(svg("circle", { cx: x(here), cy: y(one.excess), r: current ? 5 : 3.4, style: `fill: ${lineColor(one.style)}` }));
    }
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.replaceChildren(...parts);
  }

  const niceAbove = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 4, 10].map((step) => step * power).find((nice) => nice >= value * 0.999) ?? value;
  };
  const sparse = (values) => values.length <= 6 ? values : values.filter((_, i) => i % 2 === (values.length - 1) % 2);
  // pale phases would vanish on the card, dark ones too in the dark
  const lineColor = (style) => `color-mix(in oklab, ${style.color} 78%, var(--ink))`;

  /** Parts of a chain with one phase and one stability, each reaching to the next. */
  function runs(chain) {
    const found = [];
    chain.forEach((one, k) => {
      const stable = one.excess < STABLE, last = found[found.length - 1];
      if (last && last.style === one.style && last.stable === stable) last.points.push(one);
      else {
        if (last && !last.stable) last.points.push(one);
        const bridge = k && last.stable ? [chain[k - 1]] : [];
        found.push({ style: one.style, stable, points: [...bridge, one] });
      }
    });
    return found;
  }

  function runPath(run, x, y) {
    const path = run.points.map((one) => `${x(one.at).toFixed(1)},${y(one.excess).toFixed(1)}`).join("L");
    return svg("path", { class: run.stable ? "stable" : "metastable", d: "M" + path, style: `stroke: ${lineColor(run.style)}` });
  }

  // ---- choosing ----

  let announcement = 0;

  function choose(change, announce = true) {
    const moved = ["model", "view", "row", "column"].some((key) => key in change && change[key] !== state[key]);
    if (moved && !("minimum" in change)) state.minimum = 0;
    Object.assign(state, change);
    const view = currentView();
    state.row = Math.max(0, Math.min(view.density.length - 1, state.row));
    state.column = Math.max(0, Math.min(view.relative_importance.length - 1, state.column));
    const { p, r, minima, chosen } = showPoint();
    if (state.pinned) remember();
    if (!announce) return;
    clearTimeout(announcement);
    announcement = setTimeout(() => {
      const others = minima.length - 1;
      byId("live").textContent = `p = ${p}, r = ${r}: ${minima[0].phase}, loss ${lossText(minima[0].loss)}, ` +
        `${others} other ${others === 1 ? "minimum" : "minima"}` +
        (state.minimum ? `; showing ${chosen.phase}, loss ${lossText(chosen.loss)}` : "");
    }, 200);
  }

  /** Keep the pinned point in the address, to be bookmarked or sent. */
  function remember() {
    const model = currentModel();
    const place = new URLSearchParams({ features: model.n_features, view: state.view + 1, row: state.row, column: state.column, minimum: state.minimum + 1 });
    const off = LAYERS.filter((layer) => !shown[layer]);
    if (off.length) place.set("hidden", off.join());
    try { history.replaceState(null, "", "#" + place); } catch { /* some browsers refuse for local files */ }
  }

  function recall() {
    const place = new URLSearchParams(location.hash.slice(1));
    const number = (name) => Number.parseInt(place.get(name), 10);
    const model = header.models.findIndex((one) => one.n_features === number("features"));
    if (model < 0) return false;
    for (const layer of (place.get("hidden") ?? "").split(",")) if (layer in shown) shown[layer] = false;
    Object.assign(state, { model, view: Math.min(header.models[model].views.length, Math.max(1, number("view") || 1)) - 1 });
    const within = (name, count) => Math.min(count - 1, Math.max(0, number(name) || 0));
    Object.assign(state, {
      row: within("row", currentView().density.length),
      column: within("column", currentView().relative_importance.length),
      minimum: Math.max(0, (number("minimum") || 1) - 1),
      pinned: true,
    });
    return true;
  }

  /** The grid point of another view nearest to the chosen one. */
  function nearestIn(view, density, importance) {
    const nearest = (axis, value) => axis.reduce((best, one, i) =>
      Math.abs(Math.log(one / value)) < Math.abs(Math.log(axis[best] / value)) ? i : best, 0);
    return { row: nearest(view.density, density), column: nearest(view.relative_importance, importance) };
  }

  function changeView(change) {
    const view = currentView();
    const place = [view.density[state.row], view.relative_importance[state.column]];
    Object.assign(state, change);
    if (change.model !== undefined) buildViews();
    redraw();
    choose({ ...nearestIn(currentView(), ...place), minimum: 0 });
  }

  function redraw() {
    const view = currentView();
    byId("density").max = view.density.length - 1;
    byId("importance").max = view.relative_importance.length - 1;
    buildLegend();
    buildPoints();
    paintRegions();
    drawOverlay();
  }

  // ---- controls ----

  function segmented(fieldset, name, options, checked, change) {
    fieldset.querySelectorAll("label").forEach((label) => label.remove());
    options.forEach((option, index) => {
      const input = element("input", { type: "radio", name, value: index });
      input.checked = index === checked;
      input.addEventListener("change", () => change(index));
      fieldset.append(element("label", {}, input, option));
    });
    fieldset.hidden = options.length < 2;
  }

  const buildViews = () => segmented(byId("views"), "view", currentModel().views.map((view) => view.title), state.view,
    (view) => changeView({ view }));

  function buildLayers() {
    for (const layer of LAYERS) {
      const input = element("input", { type: "checkbox", name: layer });
      input.checked = shown[layer];
      input.addEventListener("change", () => {
        shown[layer] = input.checked;
        showLayers();
        if (state.pinned) remember();
      });
      const kind = layer.replace(" ", "-");
      const sample = svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, LINES.includes(layer)
        ? svg("path", { class: "line " + kind, d: "M0,6H26" })
        : svg("path", { class: "special", d: MARKERS["triple point"], transform: "translate(13 6.5)" }));
      byId("layers").append(element("label", {}, input, sample, layer === "spinodal" ? "spinodals" : layer));
    }
  }

  function buildLegend() {
    const view = currentView(), points = view.first.length - 1;
    const present = new Set(Array.from({ length: points }, (_, i) => lowestPhase(view, i)));
    byId("legend").replaceChildren(...header.phases.filter((_, phase) => present.has(phase)).map((style) =>
      element("li", {}, chip(style), element("span", {}, style.name, " ", element("small", {}, style.meaning)))));
  }

  function buildPoints() {
    const view = currentView();
    byId("points").replaceChildren(...currentModel().special_points.map((point) => {
      const place = element("small", {}, `p = ${point.density.toFixed(10)}, r = ${point.relative_importance.toFixed(10)}`);
      const sample = svg("svg", { viewBox: "-6.5 -6.5 13 13", "aria-hidden": "true" }, svg("path", { class: "special", d: MARKERS[point.kind] }));
      const button = element("button", { type: "button" }, sample,
        element("span", {}, `${point.kind} `, element("small", {}, point.phases.join(", "))), place);
      button.disabled = !inside(view, point.density, point.relative_importance);
      button.addEventListener("click", () =>
        choose({ ...nearestIn(view, point.density, point.relative_importance), pinned: true }));
      return element("li", {}, button);
    }));
  }

  function pointAt(event) {
    const box = byId("diagram").getBoundingClientRect(), view = currentView();
    const index = (offset, length, count) => Math.max(0, Math.min(count - 1, Math.round((offset / length) * (count - 1))));
    return {
      row: index(event.clientY - box.top, box.height, view.density.length),
      column: index(event.clientX - box.left, box.width, view.relative_importance.length),
    };
  }

  function nameSpecialPoint(event) {
    const box = byId("diagram").getBoundingClientRect(), view = currentView();
    const near = shown["special points"] && currentModel().special_points.find((point) => {
      const [x, y] = position(view, point.density, point.relative_importance, box.width);
      return Math.hypot(x - event.clientX + box.left, y - event.clientY + box.top) < CLOSE;
    });
    byId("diagram").title = near
      ? `${near.kind}: ${near.phases.join(", ")}\np = ${near.density.toFixed(10)}, r = ${near.relative_importance.toFixed(10)}` : "";
  }

  function keyDown(event) {
    const step = event.shiftKey ? BIG_STEP : 1;
    const moves = {
      ArrowUp: { row: state.row - step }, ArrowDown: { row: state.row + step },
      ArrowLeft: { column: state.column - step }, ArrowRight: { column: state.column + step },
    };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in moves) choose({ ...moves[event.key], pinned: true });
    else if (event.key === "Enter" || event.key === " ") choose({ pinned: !state.pinned });
    else if (event.key === "Escape") choose({ pinned: false });
    else if (/^[1-9]$/.test(event.key)) choose({ minimum: Number(event.key) - 1 });
    else return;
    event.preventDefault();
  }

  function listen() {
    const diagram = byId("diagram");
    diagram.addEventListener("pointermove", (event) => {
      nameSpecialPoint(event);
      if (state.pinned) return;
      const point = pointAt(event);
      if (point.row !== state.row || point.column !== state.column) choose(point, false);
    });
    diagram.addEventListener("click", (event) => {
      const point = pointAt(event);
      const again = state.pinned && point.row === state.row && point.column === state.column;
      choose({ ...point, pinned: !again });
    });
    diagram.addEventListener("keydown", keyDown);
    byId("pin").addEventListener("click", () => choose({ pinned: !state.pinned }));
    byId("density").addEventListener("input", (event) =>
      choose({ row: currentView().density.length - 1 - Number(event.target.value), pinned: true }));
    byId("importance").addEventListener("input", (event) => choose({ column: Number(event.target.value), pinned: true }));
    let width = diagram.clientWidth;
    new ResizeObserver(() => {
      if (diagram.clientWidth === width) return;
      width = diagram.clientWidth;
      redraw();
      showPoint();
    }).observe(diagram);
  }

  function about() {
    const [model] = header.models, [view] = model.views;
    const grid = `${view.density.length} × ${view.relative_importance.length}`;
    byId("about").textContent = `phasediagram ${header.version}; every local minimum with W and b free, on ${grid} points of each view ` +
      `(${header.models.map((one) => one.views[0].arguments).join("; ")}); gradients below ${view.tolerance}, ` +
      `lines and special points to ${model.position_tolerance}. All numbers are those of the grid point under the ring.`;
  }

  async function start() {
    await unpack();
    const recalled = recall();
    if (!recalled) Object.assign(state, nearestIn(currentView(), ...FIRST_POINT));
    const label = (model) => `${model.n_features} features in ${model.n_hidden} dimension${model.n_hidden > 1 ? "s" : ""}`;
    segmented(byId("models"), "model", header.models.map(label), state.model, (model) => changeView({ model }));
    if (header.models.length === 1) document.querySelector("h1").append(`: ${label(header.models[0])}`);
    buildViews();
    buildLayers();
    redraw();
    choose({}, false);
    listen();
    about();
  }

  window.phasediagram = {
    ready: start(),
    models: header.models,
    /** All minima at a grid point, lowest first, with all digits. */
    at(model, view, row, column) {
      const chosen = header.models[model], part = chosen.views[view];
      return {
        density: part.density[row],
        relative_importance: part.relative_importance[column],
        minima: minimaAt(chosen, part, row, column).map(({ phase, loss, W, b }) => ({ phase, loss, W, b })),
      };
    },
    state: () => ({ ...state, shown: { ...shown } }),
  };
})();
