// Where a minimum exists, metastable or not: followed from the chosen point in all directions.

const SPREAD = 8; // pixels of a first lattice; its rim is refined
const FINEST = 2;

/** Follow a minimum from a point over the window; calls `cover(x, y, side)` for squares it reaches. */
function* spreadOf(solver, plane, size, [p, r], minimum, cover) {
  const { search } = solver;
  const [across, down] = plane.share(p, r);
  const origin = [across * size, down * size];
  const at = (x, y) => plane.at(x / size, y / size);
  const start = { ...minimum, signature: search.space.signature(minimum.x) };
  let known = new Map([["0,0", start]]), queue = [[0, 0, Infinity]];
  cover(...origin, SPREAD);
  for (let side = SPREAD; side >= FINEST; side /= 2) {
    const rim = new Map();
    while (queue.length) {
      const [i, j, reach] = queue.shift(), state = known.get(`${i},${j}`);
      const x = origin[0] + i * side, y = origin[1] + j * side;
      for (const [di, dj] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const key = `${i + di},${j + dj}`, nx = x + di * side, ny = y + dj * side;
        if (known.has(key) || nx < 0 || ny < 0 || nx > size || ny > size) continue;
        const reached = followedTo(search, state, at(x, y), at(nx, ny));
        if (!reached) {
          rim.set(`${i},${j}`, [2 * i, 2 * j, 2]);
          continue;
        }
        known.set(key, reached);
        cover(nx, ny, side);
        if (reach > 1) queue.push([i + di, j + dj, reach - 1]);
      }
      yield;
    }
    // the rim again, at half the distance
    const finer = new Map();
    for (const [key, state] of known) finer.set(key.split(",").map((index) => 2 * index).join(), state);
    known = finer;
    queue = [...rim.values()];
  }
}
