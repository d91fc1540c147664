// Expected squared error of one output without an activation function, in closed form: given the set A
// of active features the residual e = sum_a e_a x_a - b, e_a = [a = own] - gain_a, has the mean
// sum_A e_a / 2 - b and the variance sum_A e_a^2 / 12.  A port of phasediagram/kernel/cube/linear.py.

/** Return a function (work, order) like rows2 and rows3, for n features. */
function makeLinearRows(n) {
  const slopes = new Float64Array(n + 1), curvatures = new Float64Array((n + 1) ** 2), residual = new Float64Array(n);
  return function rows(work, order) {
    const bias = work[2 * n], width = n + 1;
    let value = 0;
    slopes.fill(0);
    curvatures.fill(0);
    for (let j = 0; j < n; j++) residual[j] = (j === 0 ? 1 : 0) - work[j] - work[n + j];
    for (let active = 0; active < 1 << n; active++) {
      const weight = work[2 * n + 1 + active];
      let mean = -bias, squares = 0;
      for (let j = 0; j < n; j++) {
        if (!((active >> j) & 1)) continue;
        mean += 0.5 * residual[j];
        squares += residual[j] * residual[j];
      }
      value += weight * (mean * mean + squares / 12);
      slopes[n] -= 2 * weight * mean;
      curvatures[n * width + n] += 2 * weight;
      for (let j = 0; j < n; j++) {
        if (!((active >> j) & 1)) continue;
        slopes[j] -= weight * (mean + residual[j] / 6);
        curvatures[j * width + n] += weight;
        curvatures[j * width + j] += weight / 6;
        for (let k = j; k < n; k++) if ((active >> k) & 1) curvatures[j * width + k] += 0.5 * weight;
      }
    }
    let to = 2 * n + 1 + (1 << n);
    work[to++] = value;
    if (order === 0) return;
    for (let a = 0; a < width; a++) work[to++] = slopes[a];
    if (order === 1) return;
    for (let a = 0; a < width; a++) for (let b = a; b < width; b++) work[to++] = curvatures[a * width + b];
  };
}
