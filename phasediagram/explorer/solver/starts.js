// From where minima are searched: the same pseudo-random starts at every point.

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
