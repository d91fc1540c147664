// The regions of the diagram, coloured by the phase of the lowest minimum.
//
// Equilibrium boundaries are walls on a raster of the window.  Within a component of what they leave
// the lowest minimum goes on without a jump: it is searched once, where the component is deepest,
// and followed from there from anchor to anchor, since its name can change where nothing else does.

const APART = 12; // pixels from an anchor to the next, on ways that cross no wall
const SMALLEST_COMPONENT = 10; // pixels; less is covered by lines
const BISECTIONS = 5; // of the way between anchors with different names
const UNKNOWN = -1, WALL = -2;

class Raster {
  constructor(plane, size) {
    Object.assign(this, { plane, size, component: new Int32Array(size * size).fill(UNKNOWN) });
  }

  /** The point at the middle of a pixel. */
  at(pixel) {
    const { size } = this;
    return this.plane.at(((pixel % size) + 0.5) / size, (Math.floor(pixel / size) + 0.5) / size);
  }

  wall(points) {
    const { size, component } = this;
    for (let k = 1; k < points.length; k++) {
      const [from, to] = [points[k - 1], points[k]].map((point) => this.plane.shareOfCoordinates(point).map((share) => share * size));
      const piece = clipped(from, to, size);
      if (!piece) continue;
      const [[x0, y0], [x1, y1]] = piece;
      const steps = Math.ceil(2 * Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))) + 1;
      for (let step = 0; step <= steps; step++) {
        const x = Math.floor(x0 + ((x1 - x0) * step) / steps), y = Math.floor(y0 + ((y1 - y0) * step) / steps);
        if (x >= 0 && y >= 0 && x < size && y < size) component[y * size + x] = WALL;
      }
    }
  }

  /** Number the components; return the deepest pixel and the area of each. */
  components() {
    const { size, component } = this, found = [];
    const queue = new Int32Array(size * size), depth = this.depths();
    for (let first = 0; first < size * size; first++) {
      if (component[first] !== UNKNOWN) continue;
      const number = found.length;
      let head = 0, tail = 0, deepest = first;
      component[first] = number;
      queue[tail++] = first;
      while (head < tail) {
        const pixel = queue[head++];
        if (depth[pixel] > depth[deepest]) deepest = pixel;
        this.neighbours(pixel, (next) => {
          if (component[next] !== UNKNOWN) return;
          component[next] = number;
          queue[tail++] = next;
        });
      }
      found.push({ number, deepest, area: tail, depth: depth[deepest] });
    }
    return found;
  }

  neighbours(pixel, visit) {
    const { size } = this, x = pixel % size;
    if (x > 0) visit(pixel - 1);
    if (x < size - 1) visit(pixel + 1);
    if (pixel >= size) visit(pixel - size);
    if (pixel < size * (size - 1)) visit(pixel + size);
  }

  /** Distance of every pixel from walls and the window's sides. */
  depths() {
    const { size, component } = this, depth = new Int32Array(size * size);
    const up = (pixel, other) => { depth[pixel] = Math.min(depth[pixel], depth[other] + 1); };
    for (let pixel = 0; pixel < size * size; pixel++) {
      const x = pixel % size, y = Math.floor(pixel / size);
      depth[pixel] = component[pixel] === WALL ? 0 : 1 + Math.min(x, y, size - 1 - x, size - 1 - y);
      if (x > 0) up(pixel, pixel - 1);
      if (y > 0) up(pixel, pixel - size);
    }
    for (let pixel = size * size - 1; pixel >= 0; pixel--) {
      if (pixel % size < size - 1) up(pixel, pixel + 1);
      if (pixel < size * (size - 1)) up(pixel, pixel + size);
    }
    return depth;
  }
}

/** The part of a segment inside the square, or null (Liang and Barsky). */
function clipped([x0, y0], [x1, y1], size) {
  let from = 0, to = 1;
  for (const [start, change] of [[x0, x1 - x0], [y0, y1 - y0]]) {
    for (const [distance, speed] of [[start, -change], [size - start, change]]) {
      if (speed === 0 && distance < 0) return null;
      if (speed > 0) to = Math.min(to, distance / speed);
      if (speed < 0) from = Math.max(from, distance / speed);
    }
  }
  if (from > to) return null;
  const at = (share) => [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
  return [at(from), at(to)];
}

/** Find the phase of every pixel of a window; yields now and then, returns { raster, names, phase, labels }. */
function* phasesOf(solver, plane, curves, size) {
  const raster = new Raster(plane, size), { search } = solver;
  for (const curve of curves) if (curve.kind !== "spinodal") raster.wall(curve.points);
  const names = [], labels = [], anchors = new Anchors(raster);
  const numberOf = (name) => (names.includes(name) ? names.indexOf(name) : names.push(name) - 1);
  const anchored = (pixel, state) => ({ pixel, state, phase: numberOf(solver.nameAt(state.x, raster.at(pixel))) });
  const components = raster.components().filter(({ area }) => area >= SMALLEST_COMPONENT);
  yield;
  for (const { deepest, depth } of components.sort((one, other) => other.area - one.area)) {
    const [lowest] = solver.solve(...raster.at(deepest));
    if (!lowest) continue;
    anchors.add(anchored(deepest, { x: lowest.x, signature: search.space.signature(lowest.x) }));
    yield;
    for (let next = anchors.next(); next; next = anchors.next()) {
      const { pixel, state } = next.anchor;
      const moved = followedTo(search, state, raster.at(pixel), raster.at(next.pixel), false);
      anchors.add(anchored(next.pixel, moved ?? state));
      yield;
    }
    labels.push({ name: names[anchors.list[anchors.of[deepest]].phase], pixel: deepest, depth });
  }
  const seeds = anchors.list.map(({ pixel, phase }) => [pixel, phase]);
  for (const [from, to] of anchors.differentNeighbours()) {
    seeds.push(...whereNamesChange(raster, search, anchored, from, to));
    yield;
  }
  return { raster, names, labels, phase: filled(raster, seeds) };
}

/** Pixels whose minimum is known, such that from every other one an anchor is near. */
class Anchors {
  constructor(raster) {
    const pixels = raster.size ** 2;
    Object.assign(this, { raster, list: [], of: new Int32Array(pixels).fill(UNKNOWN), rim: [] });
    this.distance = new Int32Array(pixels).fill(APART + 1);
  }

  /** Add an anchor; what is nearer to it than to others becomes its own. */
  add(anchor) {
    const { raster, distance, of } = this, number = this.list.push(anchor) - 1, queue = [anchor.pixel];
    [distance[anchor.pixel], of[anchor.pixel]] = [0, number];
    for (let head = 0; head < queue.length; head++) {
      const pixel = queue[head];
      raster.neighbours(pixel, (next) => {
        if (raster.component[next] === WALL || distance[next] <= distance[pixel] + 1) return;
        [distance[next], of[next]] = [distance[pixel] + 1, number];
        if (distance[next] < APART) queue.push(next);
        else this.rim.push(next);
      });
    }
  }

  /** A pixel that needs an anchor, and one from which it is reached. */
  next() {
    while (this.rim.length) {
      const pixel = this.rim.pop();
      if (this.distance[pixel] >= APART) return { pixel, anchor: this.list[this.of[pixel]] };
    }
    return null;
  }

  /** Pairs of anchors next to each other in one component, of different phases. */
  differentNeighbours() {
    const { raster, of, list } = this, { size, component } = raster, pairs = new Map();
    for (let pixel = 0; pixel < size * (size - 1); pixel++) {
      for (const next of pixel % size < size - 1 ? [pixel + 1, pixel + size] : [pixel + size]) {
        const [one, other] = [of[pixel], of[next]];
        if (one < 0 || other < 0 || one === other || component[pixel] !== component[next]) continue;
        if (list[one].phase !== list[other].phase) pairs.set(`${one},${other}`, [list[one], list[other]]);
      }
    }
    return pairs.values();
  }
}

/** Two pixels between anchors, close to each other, at which the name changes. */
function whereNamesChange(raster, search, anchored, from, to) {
  const { size } = raster, place = ({ pixel }) => [pixel % size, Math.floor(pixel / size)];
  const between = (one, other) => {
    const [x, y] = [0, 1].map((k) => Math.floor((place(one)[k] + place(other)[k]) / 2));
    return y * size + x;
  };
  let [low, high] = [from, to];
  for (let count = 0; count < BISECTIONS; count++) {
    const pixel = between(low, high);
    if (pixel === low.pixel || pixel === high.pixel || raster.component[pixel] === WALL) break;
    const state = followedTo(search, low.state, raster.at(low.pixel), raster.at(pixel), false);
    if (!state) break;
    const middle = anchored(pixel, state);
    if (middle.phase === from.phase) low = middle;
    else high = middle;
  }
  return [low, high].map(({ pixel, phase }) => [pixel, phase]);
}

/** Give every pixel the phase of the seed nearest to it without crossing a wall, walls last. */
function filled(raster, seeds) {
  const { size, component } = raster;
  const phase = new Int16Array(size * size).fill(UNKNOWN), queue = new Int32Array(size * size);
  let tail = 0;
  for (const [pixel, number] of seeds) {
    if (phase[pixel] === UNKNOWN) queue[tail++] = pixel;
    phase[pixel] = number;
  }
  for (const through of [false, true]) {
    for (let head = 0; head < tail; head++) {
      const pixel = queue[head];
      raster.neighbours(pixel, (next) => {
        if (phase[next] !== UNKNOWN || (!through && component[next] === WALL)) return;
        phase[next] = phase[pixel];
        queue[tail++] = next;
      });
    }
  }
  return phase;
}
