// Expected squared error of one output by cone recursion over the faces of the unit cube, for
// any number of features.
//
// The output reconstructs its own feature, the first, as ReLU(Z) with Z = bias + sum_j gain_j x_j.
// On a face of dimension k that meets Z = 0 take a point of both as apex, else the centre.  Along
// every ray from there the residual e = x_own - ReLU(Z) is linear, and the face splits into
// pyramids over its facets f of heights h_f >= 0, so that
//
//     int_face e^2 = sum_f h_f [B0 e(apex)^2 + 2 B1 e(apex) int_f e + B2 int_f e^2],
//
// all B > 0.  No gain is divided by and nothing cancels.  The moments that derivatives need follow
// the same recursion; with H = 1 where Z > 0, and delta the unit mass on the section Z = 0.
// A port of phasediagram/kernel/cube/general.py.

const ROWS = {}; // straight-line code, by the number of features
const TINY = 2.2250738585072014e-308;
const LOWEST = 0, HIGHEST = 1, E = 2, EE = 3, H = 4, HE = 5, X = 6;

/** Tables of the faces of the n-cube; a face is a number whose digit j in base 3 is 0, 1 or free. */
function cubeFaces(n) {
  const faces = [];
  for (let number = 0; number < 3 ** n; number++) {
    const digits = Array.from({ length: n }, (_, j) => Math.floor(number / 3 ** j) % 3);
    const free = digits.flatMap((digit, j) => (digit === 2 ? [j] : []));
    const fixed = digits.flatMap((digit, j) => (digit === 2 ? [] : [j]));
    const active = digits.includes(1) ? -1 : free.reduce((set, j) => set | (1 << j), 0);
    faces.push({ digits, free, fixed, active });
  }
  return faces;
}

/** Return a function (work, order) like rows2 and rows3, for n features. */
function makeRows(n) {
  const faces = cubeFaces(n), count = (n * (n + 1)) / 2;
  const pair = (a, b) => (a <= b ? (a * (2 * n - a - 1)) / 2 + b : (b * (2 * n - b - 1)) / 2 + a);
  const HEX = X + n, PAIRS = X + 2 * n, SECTION = PAIRS + count, FIRST = SECTION + 1;
  const SECOND = FIRST + n, THIRD = SECOND + count, channels = THIRD + count;
  const moments = new Float64Array(faces.length * channels);
  const sums = new Float64Array(channels), mixture = new Float64Array(channels);
  const apex = new Float64Array(n), beyond = new Float64Array(n); // heights above facets at 0, at 1
  const values = new Float64Array(2 << n); // Z at the corners, in doubled precision
  const power = Array.from({ length: n }, (_, j) => 3 ** j * channels);
  const PAIR = Array.from({ length: n }, (_, a) => Array.from({ length: n }, (_, b) => pair(a, b)));

  function fillFixed(face, base, order) {
    const { digits, free, fixed } = face;
    for (const a of fixed) {
      moments[base + X + a] = digits[a] * moments[base + H];
      moments[base + HEX + a] = digits[a] * moments[base + HE];
    }
    if (order < 2) return;
    for (const a of fixed) moments[base + FIRST + a] = digits[a] * moments[base + SECTION];
    const coordinates = [...free, ...fixed];
    for (let f = free.length; f < n; f++) {
      const a = coordinates[f];
      for (let g = 0; g <= f; g++) {
        const b = coordinates[g], ab = PAIR[a][b];
        moments[base + PAIRS + ab] = digits[a] * moments[base + X + b];
        moments[base + SECOND + ab] = digits[a] * moments[base + FIRST + b];
      }
    }
    const ownFree = digits[0] === 2;
    for (let f = ownFree ? free.length : 0; f < n; f++) {
      const a = coordinates[f], value = ownFree ? digits[a] : digits[0];
      for (let g = 0; g <= f; g++) {
        const b = coordinates[g], ab = PAIR[a][b];
        moments[base + THIRD + ab] = value * moments[base + SECOND + (ownFree ? PAIR[0][b] : ab)];
      }
    }
  }

  function corners(work, order) {
    values[0] = work[2 * n];
    values[1] = 0;
    for (let corner = 0; corner < 1 << n; corner++) {
      let number = 0, top = -1;
      for (let j = 0; j < n; j++) if ((corner >> j) & 1) { top = j; number += 3 ** j; }
      if (top >= 0) {
        const before = 2 * (corner - (1 << top));
        doubledSum(values[before], values[before + 1], work[top], work[n + top], values, 2 * corner);
      }
      const z = values[2 * corner], tail = values[2 * corner + 1], own = corner & 1;
      const difference = own - z, seen = difference - own;
      const residual = difference + (own - (difference - seen) + (-z - seen) - tail);
      const base = number * channels, on = z > 0;
      moments[base + LOWEST] = moments[base + HIGHEST] = z;
      moments[base + E] = on ? residual : own;
      moments[base + EE] = moments[base + E] * moments[base + E];
      moments[base + H] = on ? 1 : 0;
      moments[base + HE] = on ? residual : 0;
      if (order > 0) fillFixed(faces[number], base, order);
    }
  }

  function addFacets(face, j, base, order, crosses) {
    const { free } = face, k = free.length;
    const low = base - 2 * power[j], high = base - power[j], below = apex[j], above = beyond[j];
    const add = (c) => { sums[c] += below * moments[low + c] + above * moments[high + c]; };
    add(E);
    add(EE);
    if (order === 0) return;
    add(H);
    add(HE);
    for (const a of free) {
      add(X + a);
      add(HEX + a);
    }
    if (order === 1) return;
    const section = crosses && k > 1;
    for (let f = 0; f < k; f++) {
      for (let g = 0; g <= f; g++) {
        const ab = PAIR[free[f]][free[g]];
        add(PAIRS + ab);
        if (section) {
          add(SECOND + ab);
          add(THIRD + ab);
        }
      }
    }
    if (!section) return;
    add(SECTION);
    for (const a of free) add(FIRST + a);
  }

  function climbSection(face, base, density) {
    const { digits, free } = face, k = free.length;
    if (k === 1) {
      const a = free[0], x = apex[a], aa = PAIR[a][a];
      moments[base + SECTION] = density;
      moments[base + FIRST + a] = x * density;
      moments[base + SECOND + aa] = x * x * density;
      moments[base + THIRD + aa] = x * x * x * density;
      return;
    }
    const beta12 = 1 / ((k - 1) * k), beta13 = (2 * beta12) / (k + 1), beta14 = (3 * beta13) / (k + 2);
    const beta02 = 1 / (k * (k + 1)), beta03 = (2 * beta02) / (k + 2);
    const betaUp = 1 / ((k + 1) * (k + 2));
    const whole = sums[SECTION], own = apex[0], ownFirst = sums[FIRST];
    moments[base + SECTION] = whole / (k - 1);
    for (let f = 0; f < k; f++) {
      const a = free[f], x = apex[a];
      moments[base + FIRST + a] = beta12 * x * whole + sums[FIRST + a] / k;
      for (let g = 0; g <= f; g++) {
        const b = free[g], ab = PAIR[a][b], y = apex[b];
        const square = x * y * whole, mixed = x * sums[FIRST + b] + y * sums[FIRST + a];
        const both = sums[SECOND + ab];
        moments[base + SECOND + ab] = beta13 * square + beta02 * mixed + both / (k + 1);
        if (digits[0] !== 2) continue;
        const withOwn = own * both + x * sums[SECOND + PAIR[0][b]] + y * sums[SECOND + PAIR[0][a]];
        moments[base + THIRD + ab] = beta14 * own * square + beta03 * (own * mixed + x * y * ownFirst) +
          betaUp * withOwn + sums[THIRD + ab] / (k + 2);
      }
    }
  }

  function climb(face, base, work, order) {
    const { digits, free } = face, k = free.length;
    const low = base - 2 * power[free[0]], high = base - power[free[0]];
    const lowest = Math.min(moments[low + LOWEST], moments[high + LOWEST]);
    const highest = Math.max(moments[low + HIGHEST], moments[high + HIGHEST]);
    const crosses = lowest <= 0 && highest > 0, span = crosses ? highest - lowest : 1;
    const rise = crosses ? -lowest / span : 0.5, fall = crosses ? highest / span : 0.5;
    moments[base + LOWEST] = lowest;
    moments[base + HIGHEST] = highest;
    for (const j of free) {
      apex[j] = work[j] >= 0 ? rise : fall;
      beyond[j] = work[j] >= 0 ? fall : rise;
    }
    if (digits[0] !== 2) apex[0] = digits[0];
    const e = lowest > 0 ? 0.5 * (moments[low + E] + moments[high + E]) : apex[0];
    sums.fill(0);
    for (const j of free) addFacets(face, j, base, order, crosses);
    const across = 1 / ((k + 1) * (k + 2)), part = 1 / (k + 1), partTwo = 1 / (k + 2);
    const both = e + sums[E];
    moments[base + E] = part * both;
    moments[base + EE] = 2 * across * e * both + partTwo * sums[EE];
    if (order === 0) return;
    const h = sums[H] / k, twice = 2 * e * h + sums[HE];
    moments[base + H] = h;
    moments[base + HE] = part * (e * h + sums[HE]);
    for (let f = 0; f < k; f++) {
      const a = free[f], x = apex[a], hx = sums[X + a];
      moments[base + X + a] = part * (x * h + hx);
      moments[base + HEX + a] = across * (x * twice + e * hx) + partTwo * sums[HEX + a];
      if (order < 2) continue;
      for (let g = 0; g <= f; g++) {
        const b = free[g], at = PAIRS + PAIR[a][b], y = apex[b];
        const mixed = 2 * x * y * h + x * sums[X + b] + y * hx;
        moments[base + at] = across * mixed + partTwo * sums[at];
      }
    }
    if (order === 2 && crosses) climbSection(face, base, 1 / (span > TINY ? span : TINY));
    else if (order === 2) moments.fill(0, base + SECTION, base + channels);
    fillFixed(face, base, order);
  }

  return function rows(work, order) {
    const used = order === 0 ? H : order === 1 ? PAIRS : channels;
    corners(work, order);
    mixture.fill(0);
    for (let number = 0; number < faces.length; number++) {
      const face = faces[number], base = number * channels;
      if (face.free.length) climb(face, base, work, order);
      if (face.active < 0) continue;
      const weight = work[2 * n + 1 + face.active];
      const summed = face.free.length ? used : Math.min(used, SECTION); // a corner has no section
      for (let c = E; c < summed; c++) mixture[c] += weight * moments[base + c];
    }
    let to = 2 * n + 1 + (1 << n);
    work[to++] = mixture[EE];
    for (let a = 0; a < n; a++) work[to++] = -2 * mixture[HEX + a];
    work[to++] = -2 * mixture[HE];
    if (order < 2) return;
    for (let a = 0; a < n; a++) {
      for (let b = a; b < n; b++) work[to++] = 2 * (mixture[PAIRS + PAIR[a][b]] - mixture[THIRD + PAIR[a][b]]);
      work[to++] = 2 * (mixture[X + a] - mixture[SECOND + PAIR[0][a]]);
    }
    work[to++] = 2 * (mixture[H] - mixture[FIRST]);
  };
}
