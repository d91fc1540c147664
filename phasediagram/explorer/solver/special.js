// Special points, refined: where the lowest losses of a triple point are equal to the last digit.

const REFINEMENTS = 6;
const LOG_STEP = 1e-5; // of numerical derivatives by log p and log r

/** Move a triple point to where its three minima have equal losses; other points stay. */
function refinedPoint(solver, point) {
  if (point.kind !== "triple point") return point;
  const { search } = solver;
  let { density: p, relative_importance: r } = point;
  let three = solver.solve(p, r).slice(0, 3);
  if (three.length < 3) return point;
  for (let count = 0; count < REFINEMENTS; count++) {
    const lossAt = (x, u, v) => search.at(Math.min(1, p * Math.exp(u)), r * Math.exp(v)).loss.evaluate(x, 0);
    const slopes = three.map(({ x }) => [
      (lossAt(x, LOG_STEP, 0) - lossAt(x, -LOG_STEP, 0)) / (2 * LOG_STEP),
      (lossAt(x, 0, LOG_STEP) - lossAt(x, 0, -LOG_STEP)) / (2 * LOG_STEP),
    ]);
    const gaps = [1, 2].map((k) => three[k].loss - three[0].loss);
    const [a, b] = [0, 1].map((k) => slopes[1][k] - slopes[0][k]);
    const [c, d] = [0, 1].map((k) => slopes[2][k] - slopes[0][k]);
    const determinant = a * d - b * c;
    const step = [-(d * gaps[0] - b * gaps[1]) / determinant, -(a * gaps[1] - c * gaps[0]) / determinant];
    if (!(Math.abs(step[0]) + Math.abs(step[1]) < 1e-6)) return point; // not what was traced
    p *= Math.exp(step[0]);
    r *= Math.exp(step[1]);
    search.at(p, r);
    three = three.map((minimum) => {
      const x = Float64Array.from(minimum.x), { value } = search.descent.minimize(x, 1e-3);
      return { ...minimum, x, loss: value };
    });
    if (Math.abs(step[0]) + Math.abs(step[1]) < 1e-15) break;
  }
  return { ...point, density: p, relative_importance: r };
}
