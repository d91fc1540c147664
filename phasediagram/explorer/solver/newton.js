// Newton's method that descends: trust-region steps on the exact Hessian, shifted where it is not
// positive, so that saddles repel.  The loss is once, not twice, continuously differentiable, so the
// radius shrinks where the quadratic model fails.  After phasediagram/minima/newton.py, which takes
// the eigenvalues' absolute values instead of a shift: that is slower here.

const ROUNDING = 64 * 2 ** -52;
const FIRST_RADIUS = 0.25;
const SMALLEST_RADIUS = 1e-15;
const FIRST_SHIFT = 1e-3; // of the Hessian where it is not positive, as a share of its diagonal
const SHIFT_GROWTH = 4;
const CRAWL = 0.05; // a shorter step, also as a share of the radius, where the Hessian is not positive
const CRAWL_SHARE = 0.2;
const SHIFT_HALVINGS = 2; // of the interval in which the shift is that is just enough
const INVERSE_STEPS = 3; // to the softest direction
const SILENT = 3; // steps in a row with an output that never switches on, after which a search gives up
const FAR = 20; // weights beyond it cost far more than ignoring every feature

/** Add to the curvature along rotations of the hidden space, which is 0. */
function stiffenRotations(loss, x, hessian, stiffness) {
  const { n, m, size } = loss;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let k = 0; k < n; k++) square += x[i * n + k] ** 2 + x[j * n + k] ** 2;
      if (square === 0) continue;
      const scale = stiffness / square;
      for (let k = 0; k < n; k++) {
        for (let q = 0; q < n; q++) {
          const ik = x[i * n + k], iq = x[i * n + q], jk = x[j * n + k], jq = x[j * n + q];
          hessian[(i * n + k) * size + i * n + q] += scale * jk * jq;
          hessian[(j * n + k) * size + j * n + q] += scale * ik * iq;
          hessian[(i * n + k) * size + j * n + q] -= scale * jk * iq;
          hessian[(j * n + k) * size + i * n + q] -= scale * ik * jq;
        }
      }
    }
  }
}

/** Descents of one loss; keeps its scratch space. */
class Descent {
  constructor(loss) {
    const { size } = loss;
    const vector = () => new Float64Array(size), matrix = () => new Float64Array(size * size);
    Object.assign(this, {
      loss, gradient: vector(), trialGradient: vector(), hessian: matrix(), trialHessian: matrix(),
      step: vector(), soft: vector(), trial: vector(), stiff: matrix(), factor: matrix(), values: vector(), vectors: matrix(),
    });
  }

  /**
   * Write Newton's step, cut to the trust radius.  Where the Hessian is not positive, that of the Hessian
   * shifted little more than it needs; where that is short, on along the softest direction, or a
   * descent that comes along a ridge would crawl to its saddle, and away from it.
   */
  trustedStep(x, radius) {
    const { loss, gradient, hessian, step, stiff, factor } = this, { size } = loss;
    stiff.set(hessian);
    stiffenRotations(loss, x, stiff, 1);
    const isIndefinite = !solvePositive(stiff, gradient, factor, step);
    if (isIndefinite) this.shiftedStep();
    for (let i = 0; i < size; i++) step[i] = -step[i];
    const length = norm(step);
    if (length > radius) for (let i = 0; i < size; i++) step[i] *= radius / length;
    else if (isIndefinite && length < Math.min(CRAWL_SHARE * radius, CRAWL)) this.lengthen(Math.min(radius, FIRST_RADIUS));
    return norm(step);
  }

  /** Shift the stiff Hessian until it is positive, and solve. */
  shiftedStep() {
    const { gradient, step, stiff, factor, loss: { size } } = this;
    let largest = 0, shift = 0;
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(stiff[i * size + i]));
    const isPositive = (wanted) => {
      for (let i = 0; i < size; i++) stiff[i * size + i] += wanted - shift;
      shift = wanted;
      return solvePositive(stiff, gradient, factor, step);
    };
    let low = 0, high = FIRST_SHIFT * largest + 1e-300;
    for (; !isPositive(high); high *= SHIFT_GROWTH) low = high;
    for (let count = 0; count < SHIFT_HALVINGS; count++) {
      const middle = 0.5 * (low + high);
      if (isPositive(middle)) high = middle;
      else low = middle;
    }
    if (shift !== high) isPositive(high);
  }

  /** Go on to the radius along the softest direction of the Hessian that was factored last. */
  lengthen(radius) {
    const { gradient, step, factor, soft, loss: { size, m, n, bias } } = this;
    for (let i = 0; i < size; i++) soft[i] = bias || i < m * n ? Math.cos(i + 1) : 0; // orthogonal to nothing in particular
    for (let count = 0; count < INVERSE_STEPS; count++) {
      solveFactored(factor, soft);
      const length = norm(soft);
      for (let i = 0; i < size; i++) soft[i] /= length;
    }
    let slope = 0, along = 0, square = 0;
    for (let i = 0; i < size; i++) {
      slope += gradient[i] * soft[i];
      square += step[i] * step[i];
    }
    if (slope > 0) for (let i = 0; i < size; i++) soft[i] = -soft[i];
    for (let i = 0; i < size; i++) along += step[i] * soft[i];
    const share = Math.sqrt(along * along + radius * radius - square) - along;
    for (let i = 0; i < size; i++) step[i] += share * soft[i];
  }

  /**
   * Descend from x, in place, until the gradient's norm is below the tolerance; return loss and slope.
   * `known(x, value)`, asked now and then, may end it early: then `stopped` is what it returned.  With
   * it, it ends too where an output has been silent for some steps.
   */
  minimize(x, radius = FIRST_RADIUS, iterations = 200, known = null, tolerance = this.loss.tolerance) {
    const { loss, step, trial } = this, { size } = loss;
    let value = loss.evaluate(x, 2, this.gradient, this.hessian), slope = norm(this.gradient);
    let count = 0, silent = 0;
    while (slope > tolerance && count < iterations && radius > SMALLEST_RADIUS) {
      count++;
      const length = this.trustedStep(x, radius);
      let predicted = 0, far = 0;
      for (let i = 0; i < size; i++) {
        predicted -= this.gradient[i] * step[i];
        for (let j = 0; j < size; j++) predicted -= 0.5 * step[i] * this.hessian[i * size + j] * step[j];
        trial[i] = x[i] + step[i];
        far = Math.max(far, Math.abs(trial[i]));
      }
      if (!(far <= FAR)) {
        radius = 0.25 * length;
        continue;
      }
      const trialValue = loss.evaluate(trial, 2, this.trialGradient, this.trialHessian);
      const trialSlope = norm(this.trialGradient), gain = value - trialValue, noise = ROUNDING * Math.abs(value);
      // where the loss has no digits left to compare, the gradient decides
      const accept = gain > noise || (gain >= -noise && trialSlope < slope);
      const poor = !accept || (gain < 0.25 * predicted && gain > noise);
      radius = poor ? 0.25 * length : Math.max(radius, 2 * length);
      if (!accept) continue;
      value = trialValue;
      slope = trialSlope;
      x.set(trial);
      [this.gradient, this.trialGradient] = [this.trialGradient, this.gradient];
      [this.hessian, this.trialHessian] = [this.trialHessian, this.hessian];
      if (!known) continue;
      silent = loss.isSilent(x) ? silent + 1 : 0;
      if (silent > SILENT) return { value, slope, count, isSilent: true };
      const stopped = length < 0.1 && !poor && known(x, value);
      if (stopped) return { value, slope, count, stopped };
    }
    return { value, slope, count };
  }

  /** Move x in place to the nearest stationary state, minimum or not, by plain Newton steps. */
  settle(x, iterations, tolerance) {
    const { loss, gradient, hessian, factor, step, values, vectors } = this, { size } = loss;
    for (let count = 0; count < iterations; count++) {
      loss.evaluate(x, 2, gradient, hessian);
      if (norm(gradient) < tolerance) return true;
      stiffenRotations(loss, x, hessian, 1);
      if (!solvePositive(hessian, gradient, factor, step)) {
        eigen(hessian, values, vectors);
        const scale = Math.max(Math.abs(values[0]), Math.abs(values[size - 1]));
        step.fill(0);
        for (let k = 0; k < size; k++) {
          if (!(Math.abs(values[k]) > 1e-9 * scale)) continue;
          let along = 0;
          for (let i = 0; i < size; i++) along += vectors[k * size + i] * gradient[i];
          for (let i = 0; i < size; i++) step[i] += (along / values[k]) * vectors[k * size + i];
        }
      }
      let far = 0;
      for (let i = 0; i < size; i++) {
        x[i] -= step[i];
        far = Math.max(far, Math.abs(x[i]));
      }
      if (!(far < FAR)) return false;
    }
    loss.evaluate(x, 1, gradient);
    return norm(gradient) < tolerance;
  }
}
