// Linear algebra of small symmetric matrices, stored row after row.

const SMALLEST_PIVOT = 1e-9; // relative to the largest diagonal entry; below it eigenvalues decide

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
  for (let i = 0; i < size; i++) {
    let total = right[i];
    for (let k = 0; k < i; k++) total -= factor[i * size + k] * solution[k];
    solution[i] = total / factor[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    let total = solution[i];
    for (let k = i + 1; k < size; k++) total -= factor[k * size + i] * solution[k];
    solution[i] = total / factor[i * size + i];
  }
  return true;
}

/** Overwrite a with a diagonal matrix; eigenvalues ascending, eigenvectors in rows (Jacobi). */
function eigen(a, values, vectors) {
  const size = values.length;
  vectors.fill(0);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0, total = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const square = a[i * size + j] ** 2;
        total += square;
        if (i !== j) off += square;
      }
    }
    if (!(off > 1e-32 * total)) break;
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) if (a[p * size + q] !== 0) rotate(a, vectors, size, p, q);
    }
  }
  for (let i = 0; i < size; i++) values[i] = a[i * size + i];
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

function rotate(a, vectors, size, p, q) {
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * a[p * size + q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1), s = t * c;
  for (let k = 0; k < size; k++) {
    const one = a[k * size + p], other = a[k * size + q];
    a[k * size + p] = c * one - s * other;
    a[k * size + q] = s * one + c * other;
  }
  for (let k = 0; k < size; k++) {
    const one = a[p * size + k], other = a[q * size + k];
    a[p * size + k] = c * one - s * other;
    a[q * size + k] = s * one + c * other;
  }
  for (let k = 0; k < size; k++) {
    const one = vectors[p * size + k], other = vectors[q * size + k];
    vectors[p * size + k] = c * one - s * other;
    vectors[q * size + k] = s * one + c * other;
  }
}
