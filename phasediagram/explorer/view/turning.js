// The copy of a state that looks most like another: features exchanged, hidden space turned.

/** Turned so that the first feature points along the first axis, and what is off it up. */
function upright({ n, m }, x) {
  const turned = Float64Array.from(x);
  if (m > 2) return turned;
  const norms = Array.from({ length: n }, (_, i) => Math.hypot(...Array.from({ length: m }, (_, k) => x[k * n + i])));
  const first = norms[0] > 1e-6 ? 0 : norms.indexOf(Math.max(...norms));
  if (m === 1) {
    if (x[first] < 0) for (let i = 0; i < n; i++) turned[i] = -x[i] || 0;
    return turned;
  }
  const angle = Math.atan2(x[n + first], x[first]), c = Math.cos(angle), s = Math.sin(angle);
  for (let i = 0; i < n; i++) {
    turned[i] = c * x[i] + s * x[n + i];
    turned[n + i] = i === first ? 0 : c * x[n + i] - s * x[i];
  }
  let farthest = 0;
  for (let i = 0; i < n; i++) if (Math.abs(turned[n + i]) > Math.abs(turned[n + farthest])) farthest = i;
  if (turned[n + farthest] < 0) for (let i = 0; i < n; i++) turned[n + i] = -turned[n + i] || 0;
  return turned;
}

/** Of all copies that exchange the other features the one nearest to a state, or upright. */
function nearestCopy(space, x, to) {
  const { m } = space;
  if (!to || m > 2) return upright(space, x);
  let best = null, nearest = Infinity;
  for (const order of space.orders) {
    for (const flip of [1, -1]) {
      const copy = turnedTowards(space, space.permuted(x, order), to, flip);
      let distance = 0;
      for (let i = 0; i < copy.length; i++) distance += (copy[i] - to[i]) ** 2;
      if (distance < nearest - 1e-12) [best, nearest] = [copy, distance];
    }
  }
  return best;
}

function turnedTowards({ n, m }, x, to, flip) {
  const turned = Float64Array.from(x);
  if (m === 1) {
    for (let i = 0; i < n; i++) turned[i] = flip * x[i] || 0;
    return turned;
  }
  let along = 0, across = 0;
  for (let i = 0; i < n; i++) {
    along += x[i] * to[i] + flip * x[n + i] * to[n + i];
    across += x[i] * to[n + i] - flip * x[n + i] * to[i];
  }
  const angle = Math.atan2(across, along), c = Math.cos(angle), s = Math.sin(angle);
  for (let i = 0; i < n; i++) {
    turned[i] = c * x[i] - s * flip * x[n + i];
    turned[n + i] = s * x[i] + c * flip * x[n + i];
  }
  return turned;
}
