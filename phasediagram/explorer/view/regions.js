// The regions of the diagram, coloured by the phase of the lowest minimum.
//
// Equilibrium boundaries are walls on a raster of the window.  Within a component of what they leave
// the lowest minimum goes on without a jump: it is searched once, where the component is deepest,
// and followed from there over a lattice, since its name can change where nothing else does.

const LATTICE = 16; // pixels between the points that are followed
const SMALLEST_COMPONENT = 10; // pixels; less is covered by lines
const BISECTIONS = 5;
const UNKNOWN = -1, WALL = -2;

class Raster {
  constructor(plane, size) {
    Object.assign(this, { plane, size, component: new Int32Array(size * size).fill(UNKNOWN) });
  }

  /** Density and relative importance at the middle of a pixel. */
  at(pixel) {
    const { size } = this;
    return this.plane.at(((pixel % size) + 0.5) / size, (Math.floor(pixel / size) + 0.5) / size);
  }

  wall(points) {
    const { size, component } = this;
    for (let k = 1; k < points.length; k++) {
      const [from, to] = [points[k - 1], points[k]].map((point) => this.plane.shareOfLogs(point).map((share) => share * size));
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

  /** Whether no wall is on the way from one pixel to another of its row or column. */
  isOpen(from, to) {
    const step = Math.abs(to - from) >= this.size ? this.size : 1, sign = to > from ? 1 : -1;
    for (let pixel = from; pixel !== to; pixel += sign * step) if (this.component[pixel] === WALL) return false;
    return true;
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

/** Find the phase of every pixel of a window; yields now and then, returns { raster, phase, labels }. */
function* phasesOf(solver, plane, curves, size) {
  const raster = new Raster(plane, size), { search } = solver;
  for (const curve of curves) if (curve.kind !== "spinodal") raster.wall(curve.points);
  const names = [], seeds = [], labels = [];
  const numberOf = (name) => (names.includes(name) ? names.indexOf(name) : names.push(name) - 1);
  const nameAt = (pixel, x) => numberOf(solver.naming.name(x, raster.at(pixel)[0]));
  const components = raster.components().filter(({ area }) => area >= SMALLEST_COMPONENT);
  yield;
  for (const { number, deepest, depth } of components.sort((one, other) => other.area - one.area)) {
    const [lowest] = solver.solve(...raster.at(deepest));
    yield;
    const states = new Map([[deepest, { x: lowest.x, signature: search.space.signature(lowest.x) }]]);
    const phases = new Map([[deepest, nameAt(deepest, lowest.x)]]), queue = [deepest];
    while (queue.length) {
      const pixel = queue.shift();
      for (const next of latticeNeighbours(raster, pixel, number)) {
        if (states.has(next) || !raster.isOpen(pixel, next)) continue;
        const state = followedTo(search, states.get(pixel), raster.at(pixel), raster.at(next), false);
        if (!state) continue;
        states.set(next, state);
        phases.set(next, nameAt(next, state.x));
        queue.push(next);
      }
      yield;
    }
    for (const [pixel, phase] of phases) {
      seeds.push([pixel, phase]);
      for (const next of latticeNeighbours(raster, pixel, number)) {
        if (next < pixel || !phases.has(next) || phases.get(next) === phase || !raster.isOpen(pixel, next)) continue;
        seeds.push(...whereNamesChange(raster, search, nameAt, [pixel, phase, states.get(pixel)], [next, phases.get(next)]));
        yield;
      }
    }
    labels.push({ name: names[phases.get(deepest)], pixel: deepest, depth });
  }
  return { raster, names, labels, phase: filled(raster, seeds) };
}

/** Pixels at the lattice's distance in the same component; the first step leads onto the lattice. */
function latticeNeighbours({ size, component }, pixel, number) {
  const x = pixel % size, y = Math.floor(pixel / size), found = [];
  const down = (value) => Math.floor((value - 1) / LATTICE) * LATTICE, up = (value) => (Math.floor(value / LATTICE) + 1) * LATTICE;
  for (const [nx, ny] of [[down(x), y], [up(x), y], [x, down(y)], [x, up(y)]]) {
    const inside = nx >= 0 && ny >= 0 && nx < size && ny < size;
    if (inside && component[ny * size + nx] === number) found.push(ny * size + nx);
  }
  return found;
}

/** Two pixels next to each other, between those given, at which the name changes. */
function whereNamesChange(raster, search, nameAt, [from, phase, state], [to, other]) {
  const step = Math.abs(to - from) >= raster.size ? raster.size : 1;
  let low = from, high = to, lowState = state;
  for (let count = 0; count < BISECTIONS && Math.abs(high - low) > step; count++) {
    const middle = low + Math.trunc((high - low) / step / 2) * step;
    const moved = followedTo(search, lowState, raster.at(low), raster.at(middle), false);
    if (!moved) return [];
    if (nameAt(middle, moved.x) === phase) [low, lowState] = [middle, moved];
    else high = middle;
  }
  return [[low, phase], [high, other]];
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
