// The page: its state, and what follows when it changes.

const FIRST_POINT = [0.3, 0.25]; // on the paper's axes: two minima compete there in both models
const FIRST_SHARE = [0.4, 0.5]; // of other axes
const RASTER = 720; // most pixels of the regions' raster along a side
const REST = 120; // milliseconds without a change before sections and basins are computed
const SLOW = 4; // features, from which on a search takes longer than a frame or two
const FURTHER = ["#44aa99", "#cc6677", "#88ccee", "#117733", "#882255", "#aa4499", "#999933", "#6b5bb5"];

const app = {
  content: JSON.parse(byId("content").textContent),
  plane: null,
  layers: { ...DEFAULT_LAYERS },
  minima: [],
  isSearching: false,
  milliseconds: 0,
  chosen: 0,
  x: null,
  sections: { r: null, p: null },
  painted: null,

  styleOf(name) {
    const { phases } = this.content;
    this.further ??= [];
    if (!(name in phases) && !this.further.includes(name)) this.further.push(name);
    return phases[name] ?? { color: FURTHER[this.further.indexOf(name) % FURTHER.length], meaning: "" };
  },

  /** A phase's colour, made to be seen as a line. */
  lineColor(name) {
    return `color-mix(in srgb, ${this.styleOf(name).color} 78%, var(--ink))`;
  },

  get loss() {
    return this.solver.search.at(this.p, this.r).loss;
  },

  takeModel(index) {
    this.model = this.models[index];
    const { n_features: n, n_hidden: m } = this.model, solver = () => new Solver(n, m, new Assumptions(n, m, this.model));
    this.solver = this.model.solver ??= solver();
    this.background = this.model.background ??= solver();
    this.takePlane(this.solver.assumptions);
  },

  /** Look at a model's plane, from where one was if its axes are the same. */
  takePlane(axes) {
    const same = (one, other) => ["name", "start", "stop", "scale"].every((key) => one[key] === other[key]);
    if (this.plane && same(this.plane.x, axes.x) && same(this.plane.y, axes.y)) return;
    this.plane = new Plane(axes);
    const { x, y } = axes, isPapers = y.name === PAPER_AXES.y.name && x.name === PAPER_AXES.x.name;
    const middle = (axis, share) => axis.value(axis.low + share * (axis.high - axis.low));
    [this.p, this.r] = isPapers ? this.plane.clamped(...FIRST_POINT) : [middle(y, FIRST_SHARE[0]), middle(x, FIRST_SHARE[1])];
  },

  /** Find all minima at the point, from further starts too. */
  resolve(starts = []) {
    work.stop("search");
    const { solver, p, r } = this;
    this.isSearching = false;
    this.minima = listedMinima(solver, p, r, solver.solve(p, r, starts));
  },

  /** The same of a point next to the last one: with four features the search goes on after a first list. */
  resolveNearby() {
    const begun = performance.now();
    if (this.solver.n < SLOW) this.resolve();
    else {
      const searching = new Searching(this.solver, this.p, this.r, this.minima.map(({ x }) => x));
      searching.begin();
      this.minima = searching.minima();
      this.isSearching = searching.goesOn;
      work.start("search", searching.rest((minima) => this.searched(minima)));
    }
    this.milliseconds = performance.now() - begun;
  },

  /** Show the list of a search that has ended. */
  searched(minima) {
    const followed = this.minima[this.chosen], before = this.minima;
    [this.minima, this.isSearching] = [minima, false];
    if (this.chosen > 0) this.chosen = this.minimumAt(followed.x);
    if (this.chosen >= 0) this.x = this.displayed(minima[this.chosen].x);
    if (minima.length === before.length && minima[0].phase === before[0].phase) showMinima(this);
    else this.pointChanged();
  },

  /** The copy of a state that is shown: as it was turned before, or upright. */
  displayed(x, like = this.x) {
    return nearestCopy(this.solver.search.planeSpace, x, like);
  },

  minimumAt(x) {
    const space = this.solver.search.planeSpace, signature = space.signature(x);
    return this.minima.findIndex((minimum) => space.distance(space.signature(minimum.x), signature) < SAME_STATE);
  },

  moveTo(p, r) {
    [this.p, this.r] = this.plane.clamped(p, r);
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => this.arrived());
  },

  arrived() {
    this.pending = 0;
    const followed = this.minima[this.chosen]?.phase;
    this.resolveNearby();
    if (this.chosen >= 0) {
      this.chosen = Math.max(0, this.chosen > 0 ? this.minima.findIndex(({ phase }) => phase === followed) : 0);
      this.x = this.displayed(this.minima[this.chosen].x);
    }
    this.pointChanged();
  },

  /** Go to a special point, exactly. */
  goTo(point) {
    cancelAnimationFrame(this.pending);
    point.refined ??= refinedPoint(this.solver, point);
    [this.p, this.r] = [point.refined.p, point.refined.r];
    this.plane.include(this.p, this.r);
    this.arrived();
    this.windowChanged();
  },

  choose(index) {
    stopMotion();
    this.chosen = Number(index);
    this.x = this.displayed(this.minima[this.chosen].x);
    this.networkChanged();
    this.respread();
  },

  /** Take other weights and biases; `index` says which minimum they are, if one. */
  setNetwork(x, index = -1, moving = false) {
    if (!moving && motion.kind === "descend") stopMotion();
    [this.x, this.chosen] = [x, index];
    if (!moving) say("network-message", "");
    this.networkChanged();
  },

  networkChanged() {
    showMinima(this);
    drawArrows(this);
    showTables(this);
    if (this.solver.n === 2) drawBasinStart(this);
    keepAddress(this);
  },

  pointChanged() {
    showPlace(this);
    drawMarker(this);
    this.networkChanged();
    drawTrace(this);
    this.later("rest", () => {
      this.restart();
      this.announce();
    });
    for (const axis of ["r", "p"]) drawSection(this, axis);
    this.respread();
  },

  later(name, action) {
    clearTimeout(this[name + "Timer"]);
    this[name + "Timer"] = setTimeout(action, REST);
  },

  /** Compute what takes longer than a frame. */
  restart() {
    this.sections = { r: null, p: null };
    work.start("sections", computeSections(this, (axis) => drawSection(this, axis)));
    byId("basins").hidden = this.solver.n !== 2;
    if (this.solver.n === 2) work.start("basins", paintBasins(this, this.background, byId("basins-plane")));
  },

  announce() {
    const others = this.minima.length - 1;
    byId("live").textContent = `${this.plane.y.symbol} = ${brief(this.p)}, ${this.plane.x.symbol} = ${brief(this.r)}: ${this.minima[0].phase}, loss ${lossText(this.minima[0].loss)}, ` +
      `${others} other ${others === 1 ? "minimum" : "minima"}`;
  },

  zoom(factor) {
    const [across, down] = this.plane.share(this.p, this.r), visible = across >= 0 && across <= 1 && down >= 0 && down <= 1;
    this.plane.zoom(factor, ...(visible ? [across, down] : [0.5, 0.5]));
    this.windowChanged();
  },

  windowChanged() {
    this.drawOld();
    drawOverlay(this, []);
    for (const axis of ["r", "p"]) drawSection(this, axis);
    this.repaint();
    this.later("rest", () => this.restart());
    keepAddress(this);
  },

  /** The last picture of the regions, moved to where it belongs now. */
  drawOld() {
    const canvas = byId("regions"), context = canvas.getContext("2d"), { painted } = this;
    canvas.width = canvas.height = Math.min(RASTER, Math.max(64, byId("diagram").clientWidth));
    if (!painted || painted.model !== this.model) return;
    const { left, right, bottom, top } = painted.window;
    const [x0, y0] = this.plane.shareOfCoordinates({ x: left, y: top }), [x1, y1] = this.plane.shareOfCoordinates({ x: right, y: bottom });
    context.drawImage(painted.image, x0 * canvas.width, y0 * canvas.width, (x1 - x0) * canvas.width, (y1 - y0) * canvas.width);
  },

  repaint() {
    work.start("regions", this.paintRegions());
    this.respread();
  },

  *paintRegions() {
    const canvas = byId("regions"), size = canvas.width, { model } = this, plane = this.plane.copy(), shown = plane.window;
    const regions = yield* phasesOf(this.background, plane, model.curves, size);
    const image = element("canvas", { width: size, height: size }), context = image.getContext("2d");
    const pixels = context.createImageData(size, size), colors = regions.names.map((name) => rgb(this.styleOf(name).color));
    for (let pixel = 0; pixel < size * size; pixel++) {
      const [red, green, blue] = colors[regions.phase[pixel]] ?? [128, 128, 128];
      pixels.data.set([red, green, blue, 255], 4 * pixel);
    }
    context.putImageData(pixels, 0, 0);
    this.painted = { model, window: shown, image, regions };
    canvas.getContext("2d").drawImage(image, 0, 0);
    drawOverlay(this, regionLabels(this, regions));
    showLegend(this, new Set(regions.labels.map(({ name }) => name).concat(regions.names)));
  },

  /** The phase that is painted at shares of the drawing. */
  phaseAt(across, down) {
    const { painted } = this;
    if (!painted || painted.model !== this.model) return null;
    const { size } = painted.regions.raster, pixel = Math.min(size - 1, Math.floor(down * size)) * size + Math.min(size - 1, Math.floor(across * size));
    return painted.regions.names[painted.regions.phase[pixel]];
  },

  switchLayer(layer, isOn) {
    this.layers[layer] = isOn;
    if (layer === "shade") this.respread();
    else byId("overlay").querySelector(`[data-layer="${layer}"]`).style.display = isOn ? "" : "none";
    keepAddress(this);
  },

  /** Shade again where the chosen minimum exists. */
  respread() {
    work.stop("shade");
    const canvas = byId("shade"), size = byId("diagram").clientWidth, context = canvas.getContext("2d");
    canvas.width = canvas.height = size;
    if (!this.layers.shade) return;
    const minimum = this.minima[Math.max(0, this.chosen)], plane = this.plane.copy();
    context.fillStyle = hatching(context);
    work.start("shade", spreadOf(this.background, plane, size, [this.p, this.r], minimum, (x, y, side) =>
      context.fillRect(Math.round(x - side / 2), Math.round(y - side / 2), side, side)));
  },

  changeModel(index) {
    stopMotion();
    this.takeModel(index);
    [this.chosen, this.x, motion.trace] = [0, null, []];
    this.begin();
  },

  begin() {
    if (!this.x) {
      this.resolve();
      this.x = this.displayed(this.minima[0].x, null);
    }
    labelPlace(this);
    buildTables(this);
    buildPoints(this);
    about(this);
    this.drawOld();
    drawOverlay(this, []);
    this.pointChanged();
    this.repaint();
  },
};

function hatching(context) {
  const tile = element("canvas", { width: 6, height: 6 }), drawing = tile.getContext("2d");
  drawing.strokeStyle = "#ffffff";
  drawing.lineWidth = 2.6;
  drawing.beginPath();
  for (const shift of [-6, 0, 6]) {
    drawing.moveTo(shift - 1, 7);
    drawing.lineTo(shift + 7, -1);
  }
  drawing.stroke();
  drawing.strokeStyle = "#15171a";
  drawing.lineWidth = 1;
  drawing.stroke();
  return context.createPattern(tile, "repeat");
}

function listen() {
  listenToDiagram(app);
  listenToPlace(app);
  listenToSections(app);
  listenToArrows(app);
  listenToBasins(app);
  const clicks = {
    descend: () => descend(app), train: () => train(app), shuffle: () => shuffle(app), reset: () => app.choose(0),
    "copy-python": (event) => copy(asPython(app), event.target), "copy-json": (event) => copy(asJson(app), event.target),
    "copy-link": (event) => copy(location.href.split("#")[0] + addressOf(app), event.target), "use-pasted": () => usePasted(app),
  };
  for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener("click", action);
  let width = byId("diagram").clientWidth;
  new ResizeObserver(() => {
    if (byId("diagram").clientWidth === width) return;
    width = byId("diagram").clientWidth;
    app.windowChanged();
  }).observe(byId("diagram"));
  addEventListener("hashchange", () => {
    if (location.hash === addressOf(app)) return;
    recall(app, location.hash);
    app.begin();
  });
}

function start() {
  app.models = app.content.models.map((model) => ({
    ...model,
    curves: model.curves.map((curve) => ({ ...curve, points: decodedCurve(curve.points, [model.y.resolution, model.x.resolution]) })),
    special_points: model.special_points.map((point) => ({ ...point, p: point[keyOf(model.y)], r: point[keyOf(model.x)] })),
  }));
  app.takeModel(0);
  recall(app, location.hash);
  buildModels(app);
  buildLayers(app);
  listen();
  app.begin();
}
start();

/** How records of special points call the value of an axis. */
function keyOf({ name }) {
  return name.replace("[", "_").replace("]", "");
}

const solvers = new Map();
const solverFor = (n, m) => solvers.get(`${n},${m}`) ?? solvers.set(`${n},${m}`, new Solver(n, m)).get(`${n},${m}`);

function solvedBy(solver, p, r) {
  return solver.solve(p, r).map(({ phase, outcome, loss, slope, curvature, W, b }) => ({ phase, outcome, loss, slope, curvature, W, b }));
}

function evaluatedBy(solver, W, b, p, r) {
  const { loss } = solver.search.at(p, r), x = stateOf(W, b);
  const gradient = new Float64Array(loss.size), hessian = new Float64Array(loss.size ** 2);
  const value = loss.evaluate(x, 2, gradient, hessian);
  return { loss: value, gradient: [...gradient], hessian: [...hessian], errors: loss.errors(x) };
}

window.phasediagram = {
  /** All minima of n features in m dimensions at a density and relative importance, lowest first. */
  solve: (n, m, density, relativeImportance) => solvedBy(solverFor(n, m), density, relativeImportance),
  /** Exact loss, gradient, Hessian and each output's error. */
  evaluate: (W, b, density, relativeImportance) => evaluatedBy(solverFor(b.length, W.length), W, b, density, relativeImportance),
  /** The same at values of the axes of the page's model, and what is assumed there. */
  solveHere: (p, r) => solvedBy(app.solver, p, r),
  evaluateHere: (W, b, p, r) => evaluatedBy(app.solver, W, b, p, r),
  parametersHere(p, r) {
    const { assumptions } = app.solver, point = assumptions.at(p, r), { table, importance, ...others } = point;
    return { ...others, table: [...table], importance: [...importance], orders: assumptions.orders(point) };
  },
  /** Names of several networks at one density. */
  names(networks, density) {
    const [m, n] = [networks[0].length, networks[0][0].length], none = Array(n).fill(0);
    return new Naming(n, m).distinctNames(networks.map((W) => stateOf(W, none)), density);
  },
  state: () => ({
    n: app.solver.n, m: app.solver.m, p: app.p, r: app.r, x: [...app.x], chosen: app.chosen, window: { ...app.plane.window },
    layers: { ...app.layers }, milliseconds: app.milliseconds, busy: work.running.size + Number(Boolean(app.pending)) > 0, motion: motion.kind,
  }),
  phaseAt: (density, relativeImportance) => app.phaseAt(...app.plane.share(density, relativeImportance)),
  sections: () => app.sections,
  basins: () => app.basins && { cells: app.basins.cells, known: [...app.basins.known] },
};
