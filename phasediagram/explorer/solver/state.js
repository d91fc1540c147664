// What leaves a state the same: rotations of the hidden space, and exchanging equal features.

const SAME_STATE = 1e-5; // largest difference of W^T W and b of two computed copies of one state

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, k) => permutations([...items.slice(0, k), ...items.slice(k + 1)]).map((rest) => [item, ...rest]));
}

/** States of n features in m dimensions, the same in some orders of the features, the identity first. */
class Space {
  constructor(n, m, orders, { bias = true, activation = "relu" } = {}) {
    Object.assign(this, { n, m, size: m * n + n, orders, bias, isLinear: activation === "linear" });
  }

  /** W^T W and b: the same for all rotations of a state. */
  signature(x) {
    const { n, m } = this, found = new Float64Array(n * n + n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) for (let k = 0; k < m; k++) found[i * n + j] += x[k * n + i] * x[k * n + j];
      found[n * n + i] = x[m * n + i];
    }
    return found;
  }

  /** Largest difference of W^T W and b over the nearest copies, as far as it is below a limit. */
  distance(one, other, limit = Infinity) {
    const { n, orders } = this;
    let nearest = limit;
    for (const order of orders) {
      let largest = 0;
      for (let i = 0; i < n && largest < nearest; i++) {
        largest = Math.max(largest, Math.abs(one[n * n + order[i]] - other[n * n + i]));
        for (let j = 0; j <= i; j++) largest = Math.max(largest, Math.abs(one[order[i] * n + order[j]] - other[i * n + j]));
      }
      nearest = Math.min(nearest, largest);
    }
    return nearest;
  }

  permuted(x, order) {
    const { n, m } = this;
    return Float64Array.from(x, (_, at) => x[Math.floor(at / n) * n + order[at % n]]);
  }

  /** Whether some output never switches on. */
  isSilent(signature) {
    const { n, bias } = this;
    if (this.isLinear) return false;
    for (let i = 0; i < n; i++) {
      if (!bias && signature[i * n + i] < SILENT_NORM ** 2) return true;
      let highest = signature[n * n + i];
      for (let j = 0; j < n; j++) highest += Math.max(signature[i * n + j], 0);
      if (highest <= 0) return true;
    }
    return false;
  }

  /** The copy in which the extra feature has the fewest dimensions, of several that with the most in place. */
  leastOfTheExtra(x) {
    const { n, orders } = this;
    if (orders.every((order) => order[n - 1] === n - 1)) return x;
    const shares = dimensionalities(this, x).map((share) => Number(share.toFixed(6)));
    const least = Math.min(...orders.map((order) => shares[order[n - 1]]));
    const moved = (order) => order.filter((source, i) => source !== i).length;
    const allowed = orders.filter((order) => shares[order[n - 1]] === least);
    return this.permuted(x, allowed.reduce((best, order) => (moved(order) < moved(best) ? order : best)));
  }
}

/** How many dimensions each feature has: |W_i|^2 / sum_j (W_i/|W_i| . W_j)^2. */
function dimensionalities({ n, m }, x) {
  const gram = Space.prototype.signature.call({ n, m }, x);
  return Array.from({ length: n }, (_, i) => {
    const square = gram[i * n + i];
    if (Math.sqrt(square) <= NORM_TOLERANCE) return 0;
    let shared = 0;
    for (let j = 0; j < n; j++) shared += gram[i * n + j] ** 2 / square;
    return square / shared;
  });
}
