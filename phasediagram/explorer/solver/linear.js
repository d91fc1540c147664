// Linear algebra of small symmetric matrices, stored row after row.

const SMALLEST_PIVOT = 1e-9; // relative to the largest diagonal entry; below it eigenvalues decide
const QL_STEPS = 60; // for one eigenvalue, at most; two or three are usual

function norm(values) {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] * values[i];
  return Math.sqrt(total);
}

/** Solve a x = right by Cholesky's factorisation; false unless a is safely positive. */
function solvePositive(a, right, factor, solution) {
  const size = right.length;
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(a[i * size + i]));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let total = a[i * size + j];
      for (let k = 0; k < j; k++) total -= factor[i * size + k] * factor[j * size + k];
      if (i !== j) factor[i * size + j] = total / factor[j * size + j];
      else if (total > SMALLEST_PIVOT * largest) factor[i * size + i] = Math.sqrt(total);
      else return false;
    }
  }
  solution.set(right);
  solveFactored(factor, solution);
  return true;
}

/** Solve in place, with the factor of the last matrix. */
function solveFactored(factor, solution) {
  const size = solution.length;
  for (let i = 0; i < size; i++) {
    let total = solution[i];
    for (let k = 0; k < i; k++) total -= factor[i * size + k] * solution[k];
    solution[i] = total / factor[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    let total = solution[i];
    for (let k = i + 1; k < size; k++) total -= factor[k * size + i] * solution[k];
    solution[i] = total / factor[i * size + i];
  }
}

/**
 * Overwrite a; eigenvalues ascending, eigenvectors in rows: Householder's reflections to tridiagonal
 * form, then implicit QL steps.
 */
function eigen(a, values, vectors) {
  const size = values.length, beside = new Float64Array(size), work = new Float64Array(size);
  vectors.fill(0);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let k = 0; k < size - 2; k++) reflect(a, vectors, size, k, work);
  for (let i = 0; i < size; i++) {
    values[i] = a[i * size + i];
    beside[i] = i + 1 < size ? a[(i + 1) * size + i] : 0;
  }
  for (let first = 0; first < size; first++) {
    for (let count = 0; count < QL_STEPS; count++) {
      let last = first;
      for (; last < size - 1; last++) {
        if (Math.abs(beside[last]) <= 2 ** -53 * (Math.abs(values[last]) + Math.abs(values[last + 1]))) break;
      }
      if (last === first) break;
      chase(values, beside, vectors, size, first, last);
    }
  }
  sortAscending(values, vectors, size);
}

/** Make the entries of column k below the one beside the diagonal 0; `vectors` follow, in rows. */
function reflect(a, vectors, size, k, v) {
  let square = 0;
  for (let i = k + 1; i < size; i++) square += a[i * size + k] ** 2;
  const head = a[(k + 1) * size + k], rest = square - head * head;
  if (rest === 0) return;
  const length = Math.sqrt(square), target = head > 0 ? -length : length;
  for (let i = k + 1; i < size; i++) v[i] = a[i * size + k];
  v[k + 1] -= target;
  const scale = 1 / (square - head * target); // 2 / |v|^2
  for (const matrix of [a, vectors]) { // rows: (1 - scale v v') matrix
    for (let j = 0; j < size; j++) {
      let along = 0;
      for (let i = k + 1; i < size; i++) along += v[i] * matrix[i * size + j];
      along *= scale;
      for (let i = k + 1; i < size; i++) matrix[i * size + j] -= along * v[i];
    }
  }
  for (let i = 0; i < size; i++) { // columns of a
    let along = 0;
    for (let j = k + 1; j < size; j++) along += a[i * size + j] * v[j];
    along *= scale;
    for (let j = k + 1; j < size; j++) a[i * size + j] -= along * v[j];
  }
}

/** One implicit QL step, with Wilkinson's shift, of the unreduced block from first to last. */
function chase(values, beside, vectors, size, first, last) {
  let g = (values[first + 1] - values[first]) / (2 * beside[first]);
  const root = Math.hypot(g, 1);
  g = values[last] - values[first] + beside[first] / (g + (g >= 0 ? root : -root));
  let s = 1, c = 1, p = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = s * beside[i], b = c * beside[i], r = Math.hypot(f, g);
    beside[i + 1] = r;
    if (r === 0) {
      values[i + 1] -= p;
      beside[last] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = values[i + 1] - p;
    const t = (values[i] - g) * s + 2 * c * b;
    p = s * t;
    values[i + 1] = g + p;
    g = c * t - b;
    for (let k = 0; k < size; k++) {
      const one = vectors[(i + 1) * size + k], other = vectors[i * size + k];
      vectors[(i + 1) * size + k] = s * other + c * one;
      vectors[i * size + k] = c * other - s * one;
    }
  }
  values[first] -= p;
  beside[first] = g;
  beside[last] = 0;
}

function sortAscending(values, vectors, size) {
  for (let i = 0; i < size - 1; i++) {
    let lowest = i;
    for (let j = i + 1; j < size; j++) if (values[j] < values[lowest]) lowest = j;
    if (lowest === i) continue;
    [values[i], values[lowest]] = [values[lowest], values[i]];
    for (let k = 0; k < size; k++) {
      const kept = vectors[i * size + k];
      vectors[i * size + k] = vectors[lowest * size + k];
      vectors[lowest * size + k] = kept;
    }
  }
}
