// Gradient flow, and training on samples: how a network gets to a minimum.

const FLOW_TOLERANCE = 1e-5; // error of W and b in one step
const FLOW_SHARE = 0.02;
const FLOW_END = 1e-6; // gradient, relative to the share of active inputs, from where Newton takes over
const FLOW_STEPS = 20000;

/**
 * Follow dx/dt = -grad L from x (Bogacki and Shampine's pair of orders 3 and 2) to a stationary state.
 * Return the states on the way; the last is exact.  `near(x)`, if given, may end it early.
 */
function gradientFlow(descent, start, near = null, end = FLOW_END) {
  const { loss } = descent, { size } = loss;
  const path = [Float64Array.from(start)];
  let x = Float64Array.from(start), h = 0.1;
  let k1 = new Float64Array(size), k4 = new Float64Array(size);
  const k2 = new Float64Array(size), k3 = new Float64Array(size), trial = new Float64Array(size);
  const slope = (state, into) => {
    loss.evaluate(state, 1, into);
    for (let i = 0; i < size; i++) into[i] = -into[i];
  };
  slope(x, k1);
  for (let step = 0; step < FLOW_STEPS && norm(k1) > end * loss.active; step++) {
    for (let i = 0; i < size; i++) trial[i] = x[i] + 0.5 * h * k1[i];
    slope(trial, k2);
    for (let i = 0; i < size; i++) trial[i] = x[i] + 0.75 * h * k2[i];
    slope(trial, k3);
    const next = new Float64Array(size);
    for (let i = 0; i < size; i++) next[i] = x[i] + h * (2 * k1[i] + 3 * k2[i] + 4 * k3[i]) / 9;
    slope(next, k4);
    let error = 0;
    for (let i = 0; i < size; i++) {
      error = Math.max(error, h * Math.abs(-5 * k1[i] / 72 + k2[i] / 12 + k3[i] / 9 - k4[i] / 8));
    }
    // close to the end a share of the step itself, or steps would overshoot for ever
    const allowed = Math.min(FLOW_TOLERANCE, FLOW_SHARE * h * norm(k1));
    if (error <= allowed) {
      x = next;
      [k1, k4] = [k4, k1];
      path.push(x);
      if (near && near(x)) return path;
    }
    h *= Math.min(4, Math.max(0.2, 0.9 * Math.cbrt(allowed / (error + 1e-300))));
  }
  if (near) return path;
  const settled = Float64Array.from(x);
  descent.minimize(settled, 1e-2);
  path.push(settled);
  return path;
}

/** One step of stochastic gradient descent on a batch of inputs, in place. */
function trainingStep(loss, x, random, rate, batch = 32) {
  const { n, m, size, table, importance, interference, decay } = loss;
  const gradient = new Float64Array(size), input = new Float64Array(n), hidden = new Float64Array(m);
  const back = new Float64Array(m);
  for (let sample = 0; sample < batch; sample++) {
    let active = 0;
    for (let left = random() - table[0]; left >= 0 && active < table.length - 1;) left -= table[++active];
    for (let i = 0; i < n; i++) input[i] = (active >> i) & 1 ? random() : 0;
    for (let k = 0; k < m; k++) {
      hidden[k] = back[k] = 0;
      for (let i = 0; i < n; i++) hidden[k] += x[k * n + i] * input[i];
    }
    for (let i = 0; i < n; i++) {
      let z = x[m * n + i];
      for (let k = 0; k < m; k++) z += x[k * n + i] * hidden[k];
      if (z <= 0 && !loss.isLinear) continue;
      const slope = (2 * importance[i] * (z - input[i])) / batch;
      gradient[m * n + i] += slope;
      for (let k = 0; k < m; k++) {
        gradient[k * n + i] += slope * hidden[k];
        back[k] += slope * x[k * n + i];
      }
    }
    for (let k = 0; k < m; k++) for (let i = 0; i < n; i++) gradient[k * n + i] += back[k] * input[i];
  }
  if (interference || decay) addPenaltySlopes(x, n, m, interference, decay, gradient);
  for (let i = 0; i < (loss.bias ? size : m * n); i++) x[i] -= rate * gradient[i];
}

/** Add the gradient of the penalties by W. */
function addPenaltySlopes(x, n, m, interference, decay, gradient) {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < m; k++) gradient[k * n + i] += 2 * decay * x[k * n + i];
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let product = 0;
      for (let k = 0; k < m; k++) product += x[k * n + i] * x[k * n + j];
      for (let k = 0; k < m; k++) gradient[k * n + i] += 4 * interference * product * x[k * n + j];
    }
  }
}
