// How firmly a state is a minimum: its smallest second directional derivative.
//
// Where the pre-activation Z of no corner of the feature cube is 0 that is the Hessian's smallest
// eigenvalue.  At a kink (a perfectly represented feature has bias 0) there is no Hessian: the loss
// is L + t^2 D(d) / 2 along t d, D homogeneous of degree two but no quadratic form.  The Hessian
// H(x + t d) is that of D / 2, so that H(x + t d) d = D(d) d where D is stationary on the unit sphere;
// Newton's method on the sphere finds it.  A port of phasediagram/minima/curvature.py.

const KINK = 1e-7; // a corner's Z that is nearer to 0 is on the kink
const KINK_STEP = 5e-5; // t, for digits
const SMALLEST_KINK_STEP = 2e-7; // t, where the next kink is near
const ALMOST = 1e-5; // |Z| of a state on a kink to which a descent has not quite come
const SAME_DIRECTION = 1e-3; // 1 less a cosine of directions that lead to one stationary direction
const SOFTEST = 8; // eigenvectors of the Hessian, either way, from which the softest direction is searched
const BEFORE_KINK = 0.2; // t as a share of |Z| at the next kink

/** Call a function with |Z| of every output at every corner. */
function forEachCorner(loss, x, visit) {
  const { n, m } = loss;
  if (loss.isLinear) return;
  for (let i = 0; i < n; i++) {
    for (let corner = 0; corner < 1 << n; corner++) {
      let z = x[m * n + i];
      for (let j = 0; j < n; j++) {
        if ((corner >> j) & 1) for (let k = 0; k < m; k++) z += x[k * n + i] * x[k * n + j];
      }
      visit(Math.abs(z));
    }
  }
}

function nearestKink(loss, x) {
  let smallest = Infinity;
  forEachCorner(loss, x, (z) => { smallest = Math.min(smallest, z); });
  return smallest;
}

/** A t at which states on kinks have left these and met no other. */
function stepWithinKinks(loss, x) {
  let smallest = KINK_STEP;
  forEachCorner(loss, x, (z) => { if (z > ALMOST) smallest = Math.min(smallest, BEFORE_KINK * z); });
  return Math.max(smallest, SMALLEST_KINK_STEP);
}

class Curvature {
  constructor(loss) {
    const { size } = loss;
    const vector = () => new Float64Array(size), matrix = () => new Float64Array(size * size);
    Object.assign(this, {
      loss, moved: vector(), gradient: vector(), right: vector(), towards: vector(),
      shifted: matrix(), factor: matrix(), values: vector(), vectors: matrix(),
    });
  }

  /** Return d, D(d) and H(x + t d), rotations made stiff, with the residual of H d = D d. */
  along(x, direction, t) {
    const { loss, moved } = this, { size } = loss;
    const hessian = new Float64Array(size * size), product = new Float64Array(size);
    for (let i = 0; i < size; i++) moved[i] = x[i] + t * direction[i];
    loss.evaluate(moved, 2, this.gradient, hessian);
    let largest = 0, curvature = 0, residual = 0;
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(hessian[i * size + i]));
    stiffenRotations(loss, x, hessian, largest);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) product[i] += hessian[i * size + j] * direction[j];
      curvature += direction[i] * product[i];
    }
    let scale = 0;
    for (let i = 0; i < size; i++) {
      scale = Math.max(scale, Math.abs(hessian[i * size + i]));
      residual += (product[i] - curvature * direction[i]) ** 2;
    }
    return { direction, curvature, hessian, product, residual: Math.sqrt(residual) / scale };
  }

  /** Write Newton's step on the sphere; false where d can't be next to a minimum. */
  newtonStep({ direction, curvature, hessian, product }) {
    const { right, shifted, towards } = this, size = direction.length;
    let largest = 0;
    for (let i = 0; i < size; i++) {
      largest = Math.max(largest, Math.abs(hessian[i * size + i]));
      right[i] = product[i] - curvature * direction[i];
    }
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        // (1 - d d') (H - D) (1 - d d') + d d', positive where d can be a minimum
        shifted[i * size + j] = hessian[i * size + j] - product[i] * direction[j] - direction[i] * product[j] +
          (2 * curvature + largest) * direction[i] * direction[j];
      }
      shifted[i * size + i] -= curvature;
    }
    if (!solvePositive(shifted, right, this.factor, towards)) return false;
    for (let i = 0; i < size; i++) towards[i] = -towards[i];
    return true;
  }

  /** Search along a line for a direction with a smaller D. */
  lineSearch(x, here, towards, t) {
    for (let share = 1, tries = 0; tries < 12; tries++, share *= 0.5) {
      const trial = here.direction.map((value, i) => value + share * towards[i]);
      if (norm(trial) <= 1e-12) continue;
      const found = this.along(x, normalized(trial), t);
      if (found.curvature < here.curvature) return found;
    }
    return null;
  }

  /** Lower D from a unit direction to a stationary one; null on the way to one that is known. */
  descendDirection(x, direction, t, known = []) {
    const { loss, towards, shifted, values, vectors } = this, { size } = loss;
    let here = this.along(x, direction, t);
    for (let count = 0; count < 60 && here.residual > 1e-12; count++) {
      if (known.some((one) => leadsToDirection(here, one))) return null;
      let next = null;
      if (this.newtonStep(here)) {
        const found = this.along(x, normalized(here.direction.map((value, i) => value + towards[i])), t);
        // close by, where D has no digits left, the residual decides
        const closer = here.residual < 1e-3 && found.residual < 0.5 * here.residual;
        next = closer || found.curvature < here.curvature ? found : this.lineSearch(x, here, towards, t);
      } else { // towards the softest direction of the Hessian here
        shifted.set(here.hessian);
        eigen(shifted, values, vectors);
        let along = 0;
        for (let i = 0; i < size; i++) along += vectors[i] * here.direction[i];
        const sign = along >= 0 ? 1 : -1;
        for (let i = 0; i < size; i++) towards[i] = sign * vectors[i] - here.direction[i];
        next = this.lineSearch(x, here, towards, t);
      }
      if (!next) break;
      here = next;
    }
    return here;
  }

  /** Return the smallest second directional derivative and its direction. */
  softest(x) {
    const { loss, values, vectors } = this, { size } = loss;
    const { hessian } = this.along(x, new Float64Array(size), 0);
    eigen(hessian, values, vectors);
    const eigenvectors = Array.from({ length: Math.min(size, SOFTEST) }, (_, k) => vectors.slice(k * size, (k + 1) * size));
    if (nearestKink(loss, x) > KINK) return { curvature: values[0], direction: eigenvectors[0] };
    return this.softestAmong(x, eigenvectors.flatMap((vector) => [vector, vector.map((value) => -value)]));
  }

  /** The same at a kink, searched from some directions. */
  softestAmong(x, starts) {
    const t = stepWithinKinks(this.loss, x);
    const found = [];
    for (const start of starts) {
      const end = this.descendDirection(x, normalized(start), t, found);
      if (end) found.push(end);
    }
    return found.reduce((best, one) => (one.curvature < best.curvature ? one : best));
  }

  /** Whether x is a minimum, next to another whose softest direction at a kink is known. */
  isMinimum(x, guess) {
    const { loss, towards } = this, limit = FLAT * loss.active;
    if (nearestKink(loss, x) > KINK) {
      const { hessian } = this.along(x, new Float64Array(loss.size), 0);
      return { stable: solvePositive(hessian, this.gradient, this.factor, towards) };
    }
    const { curvature, direction } = guess ? this.softestAmong(x, [guess]) : this.softest(x);
    return { stable: curvature > limit, direction };
  }
}

/** Whether a direction leads to a lower stationary one that is known, being next to it. */
function leadsToDirection(here, known) {
  let cosine = 0;
  for (let i = 0; i < here.direction.length; i++) cosine += here.direction[i] * known.direction[i];
  return here.curvature >= known.curvature && cosine > 1 - SAME_DIRECTION;
}

function normalized(direction) {
  const length = norm(direction);
  return direction.map((value) => value / length);
}
