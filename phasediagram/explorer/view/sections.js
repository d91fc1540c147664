// Losses of all minima along r and along p through the point.

const SECTION_POINTS = 61; // of a section
const SEARCHED = 6; // points of a section at which all minima are searched
const HEIGHT = 150;
const LEAST_SCALE = 0.02, LARGEST_SCALE = 0.25; // of the excess over the lowest, relative

/** Find the branches of minima along one axis; yields now and then, returns lists of { at, loss, phase }. */
function* branchesAlong(app, solver, axis) {
  const { left, right, bottom, top } = app.plane.window;
  const [low, high] = axis === "r" ? [left, right] : [bottom, top];
  const logs = Array.from({ length: SECTION_POINTS }, (_, k) => low + ((high - low) * k) / (SECTION_POINTS - 1));
  const point = (log) => (axis === "r" ? [app.p, 10 ** log] : [10 ** log, app.r]);
  const here = Math.log10(axis === "r" ? app.r : app.p);
  const begins = [here, ...Array.from({ length: SEARCHED }, (_, k) => low + ((high - low) * (k + 0.5)) / SEARCHED)];
  const branches = [], signatures = logs.map(() => []);
  const { space } = solver.search.at(...point(low - 1e-3));
  for (const begin of begins) {
    const minima = begin === here ? app.minima : solver.solve(...point(begin));
    yield;
    for (const { x, loss, phase, direction } of minima) {
      const start = { x, loss, phase, direction, signature: space.signature(x) };
      // known if one at the next point on either side leads here: compare there
      const above = logs.findIndex((log) => log >= begin), states = new Map();
      for (const side of [logs.map((_, k) => k).filter((k) => logs[k] >= begin), logs.map((_, k) => k).filter((k) => logs[k] < begin).reverse()]) {
        const reached = followedAlong(solver.search, start, point(begin), side.map((k) => point(logs[k])));
        reached.forEach((state, index) => states.set(side[index], state));
        yield;
      }
      const isKnown = [above, above - 1].some((k) => states.has(k) && signatures[k].some((one) => space.distance(one, states.get(k).signature) < SAME_STATE));
      if (isKnown) continue;
      for (const [k, state] of states) signatures[k].push(state.signature);
      const branch = [...states].map(([k, state]) => ({ at: logs[k], loss: state.loss, phase: solver.naming.name(state.x, point(logs[k])[0]) }));
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
  const [low, high] = axis === "r" ? [left, right] : [bottom, top];
  const margin = { left: 40, right: 8, top: 8, bottom: 22 };
  drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const x = (log) => margin.left + ((log - low) / (high - low)) * (width - margin.left - margin.right);
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
  for (const value of ticks(low, high)) {
    parts.push(svg("line", { class: "grid", x1: x(Math.log10(value)), x2: x(Math.log10(value)), y1: margin.top, y2: HEIGHT - margin.bottom }),
      text({ x: x(Math.log10(value)), y: HEIGHT - 6, "text-anchor": "middle" }, String(value)));
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
  const here = x(Math.log10(axis === "r" ? app.r : app.p));
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
      if (axis === "r") app.moveTo(app.p, 10 ** (left + share * (right - left)));
      else app.moveTo(10 ** (bottom + share * (top - bottom)), app.r);
    };
    drawing.addEventListener("pointerdown", (event) => {
      drawing.setPointerCapture(event.pointerId);
      event.preventDefault();
      move(event);
    });
    drawing.addEventListener("pointermove", move);
  }
}
