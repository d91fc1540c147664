// From where minima are searched, the same at every point: arrangements of features on axes, simplices,
// and pseudo-random starts.

/** Numbers between 0 and 1 from a seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function normalNumbers(random) {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The three kinds of phasediagram/minima/starts.py. */
function randomStarts(n, m, count, seed) {
  const random = randomNumbers(seed), normal = normalNumbers(random);
  const between = (low, high) => low + (high - low) * random();
  const starts = [];
  for (let k = 0; k < count; k++) {
    const x = new Float64Array(m * n + n), kind = k % 3;
    if (kind === 0) {
      for (let i = 0; i < m * n; i++) x[i] = 0.7 * normal();
      for (let i = 0; i < n; i++) x[m * n + i] = between(-0.3, 0.6);
    } else {
      const axis = Array.from({ length: n }, () => Math.floor(m * random()));
      for (let i = 0; i < m * n; i++) x[i] = 0.05 * normal();
      for (let i = 0; i < n; i++) {
        const shared = axis.some((other, j) => j !== i && other === axis[i]);
        const sign = kind === 1 && random() < 0.5 ? -1 : 1;
        x[axis[i] * n + i] += sign * (!shared ? 1 : kind === 1 ? between(0, 1.3) : between(0.4, 1.3));
        if (kind === 1) x[m * n + i] = (shared ? between(-1, 0.6) : 0) + 0.05 * normal();
      }
      if (kind === 2) {
        for (let i = 0; i < n; i++) {
          let gains = 0;
          for (let j = 0; j < n; j++) {
            if (j === i) continue;
            let product = 0;
            for (let h = 0; h < m; h++) product += x[h * n + i] * x[h * n + j];
            gains += Math.max(product, 0);
          }
          x[m * n + i] = -between(0.3, 1) * gains;
        }
      }
    }
    starts.push(x);
  }
  return starts;
}

const NORMS = [0.8, 0.95]; // of a simplex
const SHORT = 0.4; // norm of a feature that others leave little room
const FILTERS = [0.2, 0.5, 0.9]; // biases of features on one side, as shares of the gains from the others
const STARTS = { 2: 160, 3: 110 }; // of one search
const RANDOM = 24; // of them, at least, the more the more features share a dimension

/** All starts of n features in m dimensions, of which some orders change nothing. */
function searchStarts(n, m, orders) {
  const space = new Space(n, m, orders), arranged = [];
  for (const x of [...arrangements(n, m, kindsOf(n, orders)), ...simplices(n, m)]) {
    const signature = space.signature(x);
    if (arranged.every((one) => space.distance(one.signature, signature) > SAME_STATE)) arranged.push({ x, signature });
  }
  const count = (m === n - 1 ? 1 : 2) * (STARTS[n] ?? 0); // more features share a dimension
  return [...arranged.map(({ x }) => x), ...randomStarts(n, m, Math.max(count - arranged.length, RANDOM * (n - m) ** 2), 1)];
}

/**
 * Every way to put features on axes or to ignore some, up to symmetry, all axes in use: opposite
 * features with biases 0, features of one side with biases that filter their interference, and
 * one feature of each axis shorter than the rest.
 */
function arrangements(n, m, kinds) {
  const starts = [], seen = new Set();
  for (let code = 0; code < (2 * m + 1) ** n; code++) {
    const places = Array.from({ length: n }, (_, i) => Math.floor(code / (2 * m + 1) ** i) % (2 * m + 1));
    const axes = places.map((place) => (place ? (place - 1) >> 1 : -1));
    const used = new Set(axes.filter((axis) => axis >= 0)).size, ignored = axes.filter((axis) => axis < 0).length;
    const key = arrangementKey(places, kinds);
    if (used < m || ignored > n - m || seen.has(key)) continue;
    seen.add(key);
    const signs = places.map((place) => (place % 2 ? 1 : -1));
    const shared = axes.map((axis) => axis >= 0 && axes.filter((other) => other === axis).length > 1);
    const sameSide = axes.some((axis, i) => axes.some((other, j) => j < i && axis >= 0 && other === axis && signs[i] === signs[j]));
    for (const filter of sameSide ? FILTERS : [0]) {
      starts.push(onAxes(n, m, axes, signs, -1, filter));
      for (let i = 0; i < n; i++) if (shared[i]) starts.push(onAxes(n, m, axes, signs, i, filter));
    }
  }
  return starts;
}

/** A number for each feature, the same for features that can be exchanged. */
function kindsOf(n, orders) {
  const isSwap = (order, i, j) => order.every((source, at) => source === (at === i ? j : at === j ? i : at));
  return Array.from({ length: n }, (_, i) => {
    for (let j = 0; j < i; j++) if (orders.some((order) => isSwap(order, i, j))) return j;
    return i;
  });
}

/** The same for arrangements that differ by the axes' order and direction, or the order of equal features. */
function arrangementKey(places, kinds) {
  const groups = new Map();
  places.forEach((place, i) => {
    const axis = place ? (place - 1) >> 1 : -1;
    if (!groups.has(axis)) groups.set(axis, ["", ""]);
    groups.get(axis)[place % 2] += kinds[i];
  });
  return [...groups].map(([axis, sides]) => (axis < 0 ? "-" : "+") + sides.map((side) => [...side].sort().join("")).sort().join("|")).sort().join(" ");
}

function onAxes(n, m, axes, signs, short, filter) {
  const x = new Float64Array(m * n + n);
  for (let i = 0; i < n; i++) if (axes[i] >= 0) x[axes[i] * n + i] = signs[i] * (i === short ? SHORT : 1);
  for (let i = 0; i < n; i++) {
    let gains = 0;
    for (let j = 0; j < n; j++) if (j !== i && axes[j] === axes[i] && axes[i] >= 0) gains += Math.max(signs[i] * signs[j], 0);
    x[m * n + i] = axes[i] < 0 ? 0.25 : -filter * gains;
  }
  return x;
}

/**
 * Simplices of three features or more, with the extra one shorter or longer, or another one shorter;
 * features that are not among them have axes of their own, as far as there are dimensions.
 */
function simplices(n, m) {
  const starts = [];
  for (let group = 3; group <= Math.min(n, m + 1); group++) {
    const axes = Math.min(m - group + 1, n - group), apart = n - group;
    // which place the extra feature has: in the simplex, on an axis, or ignored
    const places = [0, ...(axes ? [group] : []), ...(apart > axes ? [n - 1] : [])];
    for (const place of places) {
      const features = Array.from({ length: n }, (_, i) => i).slice(0, -1);
      features.splice(place, 0, n - 1);
      for (const [extra, other] of place ? [[1, 1], [1, SHORT]] : [[1, 1], [SHORT, 1], [1.5, 1], [1, SHORT], [SHORT, SHORT]]) {
        for (const norm of NORMS) starts.push(withSimplex(n, m, features, group, axes, [extra, other], norm));
      }
    }
  }
  return starts;
}

/** The first features on a simplex, the first two of lengths of their own, the next on axes. */
function withSimplex(n, m, features, group, axes, lengths, norm) {
  const own = [], below = []; // components k of feature k and of those after it
  for (let k = 0, squares = 0; k < group - 1; k++) {
    own[k] = Math.sqrt(1 - squares);
    below[k] = (-1 / (group - 1) - squares) / own[k];
    squares += below[k] ** 2;
  }
  const x = new Float64Array(m * n + n);
  features.forEach((feature, i) => {
    if (i < group) {
      const length = norm * (lengths[i] ?? 1);
      for (let k = 0; k < group - 1; k++) x[k * n + feature] = i < k ? 0 : length * (i === k ? own[k] : below[k]);
      x[m * n + feature] = 0.1;
    } else if (i < group + axes) {
      x[(i - 1) * n + feature] = 1;
    } else {
      x[m * n + feature] = 0.25;
    }
  });
  return x;
}
