// Losses of all minima along both axes through the point, "r" the horizontal and "p" the vertical one.

const SECTION_POINTS = 60; // of a section; even, so that r = 1, where minima can be on kinks, is none of them
const SEARCHED = 6; // points of a section at which all minima are searched
const HEIGHT = 150;
const LEAST_SCALE = 0.02, LARGEST_SCALE = 0.25; // of the excess over the lowest, relative

/** Find the branches of minima along one axis; yields now and then, returns lists of { at, loss, phase }. */
function* branchesAlong(app, solver, axis) {
  const { left, right, bottom, top } = app.plane.window, { x: across, y: up } = app.plane;
  const [low, high] = axis === "r" ? [left, right] : [bottom, top];
  const places = Array.from({ length: SECTION_POINTS }, (_, k) => low + ((high - low) * k) / (SECTION_POINTS - 1));
  const point = (place) => (axis === "r" ? [app.p, across.clamped(across.value(place))] : [up.clamped(up.value(place)), app.r]);
  const here = axis === "r" ? across.coordinate(app.r) : up.coordinate(app.p);
  const begins = [here, ...Array.from({ length: SEARCHED }, (_, k) => low + ((high - low) * (k + 0.5)) / SEARCHED)];
  const branches = [], signatures = places.map(() => []);
  const space = solver.search.planeSpace;
  for (const begin of begins) {
    const minima = begin === here ? app.minima : solver.solve(...point(begin));
    yield;
    for (const { x, loss, phase, direction } of minima) {
      const start = { x, loss, phase, direction, signature: space.signature(x) };
      // known if one at the next point on either side leads here: compare there
      const above = places.findIndex((place) => place >= begin), states = new Map();
      for (const side of [places.map((_, k) => k).filter((k) => places[k] >= begin), places.map((_, k) => k).filter((k) => places[k] < begin).reverse()]) {
        const reached = followedAlong(solver.search, start, point(begin), side.map((k) => point(places[k])));
        reached.forEach((state, index) => states.set(side[index], state));
        yield;
      }
      const isKnown = [above, above - 1].some((k) => states.has(k) && signatures[k].some((one) => space.distance(one, states.get(k).signature) < SAME_STATE));
      if (isKnown) continue;
      for (const [k, state] of states) signatures[k].push(state.signature);
      const branch = [...states].map(([k, state]) => ({ at: places[k], loss: state.loss, phase: solver.nameAt(state.x, point(places[k])) }));
      if (begin === here) branch.push({ at: begin, loss, phase }); // elsewhere known ones are not there to compare
      branches.push(branch.sort((one, other) => one.at - other.at));
      yield;
    }
  }
  return branches;
}

function* computeSections(app, done) {
  for (const axis of ["r", "p"]) {
    const branches = yield* branchesAlong(app, app.background, axis);
    app.sections[axis] = branches;
    done(axis);
  }
}

function drawSection(app, axis) {
  const drawing = byId(axis === "r" ? "along-importance" : "along-density"), branches = app.sections[axis];
  const width = drawing.clientWidth || 300, { left, right, bottom, top } = app.plane.window;
  const [low, high, scale] = axis === "r" ? [left, right, app.plane.x] : [bottom, top, app.plane.y];
  byId(`${drawing.id}-title`).replaceChildren("Loss above the lowest, along ", element("i", {}, scale.symbol));
  const margin = { left: 40, right: 8, top: 8, bottom: 22 };
  drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const x = (place) => margin.left + ((place - low) / (high - low)) * (width - margin.left - margin.right);
  const lowest = new Map();
  for (const one of branches?.flat() ?? []) lowest.set(one.at, Math.min(lowest.get(one.at) ?? Infinity, one.loss));
  const excess = (one) => one.loss / lowest.get(one.at) - 1;
  const largest = Math.max(LEAST_SCALE, ...(branches?.flat() ?? []).map(excess).filter((value) => value < LARGEST_SCALE));
  const y = (value) => HEIGHT - margin.bottom - (Math.min(value, 2 * largest) / (1.08 * largest)) * (HEIGHT - margin.top - margin.bottom);
  const text = (attributes, content) => {
    const made = svg("text", attributes);
    made.textContent = content;
    return made;
  };
  const parts = [];
  for (const value of ticks(scale, low, high)) {
    const place = x(scale.coordinate(value));
    parts.push(svg("line", { class: "grid", x1: place, x2: place, y1: margin.top, y2: HEIGHT - margin.bottom }),
      text({ x: place, y: HEIGHT - 6, "text-anchor": "middle" }, tickText(value)));
  }
  for (const share of [0, 0.5, 1]) {
    const label = `${Number((100 * share * largest).toPrecision(2))} %`;
    parts.push(svg("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(share * largest), y2: y(share * largest) }),
      text({ x: margin.left - 4, y: y(share * largest) + 4, "text-anchor": "end" }, label));
  }
  const inside = svg("svg", { x: margin.left, y: 0, width: Math.max(1, width - margin.left - margin.right), height: HEIGHT, viewBox: `${margin.left} 0 ${Math.max(1, width - margin.left - margin.right)} ${HEIGHT}` });
  for (const branch of branches ?? []) {
    for (let k = 1; k < branch.length; k++) {
      const [one, other] = [branch[k - 1], branch[k]], stable = excess(one) < 1e-9 && excess(other) < 1e-9;
      inside.append(svg("line", { class: stable ? "stable" : "metastable", style: `--chip: ${app.lineColor(other.phase)}`,
        x1: x(one.at).toFixed(1), y1: y(excess(one)).toFixed(1), x2: x(other.at).toFixed(1), y2: y(excess(other)).toFixed(1) }));
    }
  }
  const here = x(scale.coordinate(axis === "r" ? app.r : app.p));
  drawing.replaceChildren(...parts, inside, svg("line", { class: "here", x1: here, x2: here, y1: margin.top, y2: HEIGHT - margin.bottom }));
}

/** A drag in a section moves the point along it. */
function listenToSections(app) {
  for (const axis of ["r", "p"]) {
    const drawing = byId(axis === "r" ? "along-importance" : "along-density");
    const move = (event) => {
      if (!event.buttons) return;
      const box = drawing.getBoundingClientRect(), { left, right, bottom, top } = app.plane.window;
      const share = Math.min(1, Math.max(0, (event.clientX - box.left - 40) / (box.width - 48)));
      if (axis === "r") app.moveTo(app.p, app.plane.x.value(left + share * (right - left)));
      else app.moveTo(app.plane.y.value(bottom + share * (top - bottom)), app.r);
    };
    drawing.addEventListener("pointerdown", (event) => {
      drawing.setPointerCapture(event.pointerId);
      event.preventDefault();
      move(event);
    });
    drawing.addEventListener("pointermove", move);
  }
}
