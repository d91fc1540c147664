// Exact loss of a state x = (W row after row, b), with gradient and Hessian.
//
// L = sum_i importance_i E[(x_i - ReLU(sum_j G_ij x_j + b_i))^2], G = W^T W.  Entries of G are summed
// in doubled precision, so that the loss has a small relative error whatever the weights.  Penalties are
// sums over the rows of G, as the outputs' errors are: lambda sum_(i != j) G_ij^2 + mu sum_i G_ii.

const SPLITTER = 134217729; // 2^27 + 1

/** Write x + y of doubled numbers into out[at], out[at + 1] (Knuth's sum). */
function doubledSum(x, xTail, y, yTail, out, at) {
  const total = x + y, seen = total - x;
  const error = x - (total - seen) + (y - seen);
  const low = xTail + yTail, lowSeen = low - xTail;
  const lowError = xTail - (low - lowSeen) + (yTail - lowSeen);
  const rest = error + low, first = total + rest;
  const lost = rest - (first - total) + lowError;
  out[at] = first + lost;
  out[at + 1] = lost - (out[at] - first);
}

/** Rounding error of the product x y (Dekker's). */
function productError(x, y, product) {
  const xBig = SPLITTER * x, yBig = SPLITTER * y;
  const xHigh = xBig - (xBig - x), yHigh = yBig - (yBig - y);
  const xLow = x - xHigh, yLow = y - yHigh;
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

const STIFF = 4; // curvature in a bias that is frozen at 0, times the largest importance
const SILENT_NORM = 1e-4; // without biases a smaller direction counts as 0

/** The loss of n features in m hidden dimensions at one point of a plane. */
class Loss {
  constructor(n, m, { bias, activation }) {
    const isLinear = activation === "linear";
    Object.assign(this, { n, m, bias, isLinear, size: m * n + n, rows: isLinear ? makeLinearRows(n) : ROWS[n] ?? makeRows(n) });
    this.width = n + 1;
    this.inputs = 2 * n + 1 + (1 << n);
    this.work = new Float64Array(this.inputs + 1 + this.width + (this.width * (this.width + 1)) / 2);
    this.gram = new Float64Array(n * n);
    this.tail = new Float64Array(n * n);
    this.out = new Float64Array(n * (1 + this.width + this.width ** 2));
    this.symmetric = new Float64Array(n * n);
    this.scratch = new Float64Array(m * this.width);
    this.pair = new Float64Array(2);
  }

  /** Choose the point: what `Assumptions.at` returns. */
  at({ table, importance, interference, decay, naming }) {
    const { n } = this;
    Object.assign(this, { table, importance, interference, decay, density: naming, active: 1 - table[0] });
    this.hasTerms = interference !== 0 || decay !== 0 || !this.bias;
    this.largestImportance = Math.max(...importance);
    // below a density of 0.01 gradients, and their rounding, shrink in proportion
    this.tolerance = 1e-13 * Math.min(1, this.active / (0.01 * n));
    return this;
  }

  /** Return the loss; write the gradient if order is 1 or 2, the Hessian if it is 2. */
  evaluate(x, order, gradient, hessian) {
    const { n, m, width, gram, tail, pair, out, importance, symmetric } = this;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        pair[0] = x[i] * x[j];
        pair[1] = productError(x[i], x[j], pair[0]);
        for (let k = 1; k < m; k++) {
          const product = x[k * n + i] * x[k * n + j];
          doubledSum(pair[0], pair[1], product, productError(x[k * n + i], x[k * n + j], product), pair, 0);
        }
        gram[i * n + j] = gram[j * n + i] = pair[0];
        tail[i * n + j] = tail[j * n + i] = pair[1];
      }
    }
    const stride = 1 + width + width * width;
    let loss = 0;
    for (let i = 0; i < n; i++) {
      this.output(x, i, order);
      if (this.hasTerms) this.addTerms(i, order);
      loss += importance[i] * out[i * stride];
    }
    if (order === 0) return loss;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        symmetric[i * n + j] = symmetric[j * n + i] =
          importance[i] * out[i * stride + 1 + j] + importance[j] * out[j * stride + 1 + i];
      }
    }
    for (let k = 0; k < m; k++) {
      for (let p = 0; p < n; p++) {
        let total = 0;
        for (let j = 0; j < n; j++) total += x[k * n + j] * symmetric[j * n + p];
        gradient[k * n + p] = total;
      }
    }
    for (let i = 0; i < n; i++) gradient[m * n + i] = importance[i] * out[i * stride + 1 + n];
    if (order === 2) this.packHessian(x, hessian);
    return loss;
  }

  /** Fill in the row of output i: value, slopes and curvatures in gains and bias. */
  output(x, i, order) {
    const { n, m, width, gram, tail, table, work, out } = this;
    for (let j = 0; j < n; j++) {
      const source = j === 0 ? i : j === i ? 0 : j; // its own feature first
      work[j] = gram[i * n + source];
      work[n + j] = tail[i * n + source];
    }
    work[2 * n] = x[m * n + i];
    for (let active = 0; active < 1 << n; active++) {
      const differ = (active ^ (active >> i)) & 1;
      work[2 * n + 1 + active] = table[active ^ (differ | (differ << i))];
    }
    this.rows(work, order);
    const to = i * (1 + width + width * width);
    let at = this.inputs;
    out[to] = work[at++];
    if (order === 0) return;
    for (let a = 0; a < width; a++) out[to + 1 + (a === 0 ? i : a === i ? 0 : a)] = work[at++];
    if (order === 1) return;
    for (let a = 0; a < width; a++) {
      const own = a === 0 ? i : a === i ? 0 : a;
      for (let b = a; b < width; b++) {
        const other = b === 0 ? i : b === i ? 0 : b;
        out[to + 1 + width + own * width + other] = out[to + 1 + width + other * width + own] = work[at++];
      }
    }
  }

  /** Add penalties to the row of output i, over its importance, and freeze its bias if biases are. */
  addTerms(i, order) {
    const { n, width, gram, out, interference, decay } = this, to = i * (1 + width + width * width);
    const scale = 1 / this.importance[i], slopes = to + 1, curvatures = slopes + width;
    out[to] += scale * decay * gram[i * n + i];
    for (let j = 0; j < n; j++) if (j !== i) out[to] += scale * interference * gram[i * n + j] ** 2;
    if (order === 0) return;
    out[slopes + i] += scale * decay;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      out[slopes + j] += 2 * scale * interference * gram[i * n + j];
      if (order === 2) out[curvatures + j * width + j] += 2 * scale * interference;
    }
    if (this.bias) return;
    out[slopes + n] = 0;
    if (order < 2) return;
    for (let j = 0; j < n; j++) out[curvatures + j * width + n] = out[curvatures + n * width + j] = 0;
    out[curvatures + n * width + n] = STIFF * scale * this.largestImportance * this.active;
  }

  /** Whether some output of the state that was evaluated last never switches on. */
  isSilent(x) {
    const { n, m, gram } = this;
    if (this.isLinear) return false;
    for (let i = 0; i < n; i++) {
      if (!this.bias && gram[i * n + i] < SILENT_NORM ** 2) return true;
      let highest = x[m * n + i];
      for (let j = 0; j < n; j++) highest += Math.max(gram[i * n + j], 0);
      if (highest <= 0) return true;
    }
    return false;
  }

  /** Chain rule from gains and biases to W and b: dG_ij/dW_kp = [p = i] W_kj + [p = j] W_ki. */
  packHessian(x, hessian) {
    const { n, m, width, size, out, importance, symmetric, scratch } = this;
    const biases = m * n;
    hessian.fill(0);
    for (let k = 0; k < m; k++) {
      for (let p = 0; p < n; p++) {
        for (let q = 0; q < n; q++) hessian[(k * n + p) * size + k * n + q] = symmetric[p * n + q];
      }
    }
    for (let i = 0; i < n; i++) {
      const scale = importance[i], start = i * (1 + width + width * width) + 1 + width;
      for (let k = 0; k < m; k++) {
        for (let q = 0; q < width; q++) {
          let total = 0;
          for (let j = 0; j < n; j++) total += x[k * n + j] * out[start + j * width + q];
          scratch[k * width + q] = scale * total;
        }
      }
      for (let k = 0; k < m; k++) {
        const one = x[k * n + i], first = scale * one;
        for (let l = k; l < m; l++) {
          const two = x[l * n + i], second = first * two;
          let both = 0;
          for (let p = 0; p < n; p++) {
            const row = (k * n + p) * size + l * n;
            for (let q = 0; q < n; q++) hessian[row + q] += second * out[start + p * width + q];
          }
          for (let j = 0; j < n; j++) {
            hessian[(k * n + i) * size + l * n + j] += scratch[k * width + j] * two;
            hessian[(k * n + j) * size + l * n + i] += scratch[l * width + j] * one;
            both += scratch[k * width + j] * x[l * n + j];
          }
          hessian[(k * n + i) * size + l * n + i] += both;
        }
        for (let p = 0; p < n; p++) hessian[(k * n + p) * size + biases + i] += first * out[start + p * width + n];
        hessian[(k * n + i) * size + biases + i] += scratch[k * width + n];
      }
      hessian[(biases + i) * size + biases + i] = scale * out[start + n * width + n];
    }
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < row; column++) hessian[row * size + column] = hessian[column * size + row];
    }
  }

  /** Expected squared error of each output, without its importance and without penalties. */
  errors(x) {
    const { hasTerms } = this;
    this.hasTerms = false;
    this.evaluate(x, 0);
    this.hasTerms = hasTerms;
    return Array.from({ length: this.n }, (_, i) => this.out[i * (1 + this.width + this.width ** 2)]);
  }
}
