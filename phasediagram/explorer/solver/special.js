// Special points, refined: where the lowest losses of a triple point are equal to the last digit.

const REFINEMENTS = 6;
const SMALL_STEP = 1e-5; // of numerical derivatives by the logarithm, or by the share of a linear range

/** Move a triple point to where its three minima have equal losses; other points stay. */
function refinedPoint(solver, point) {
  if (point.kind !== "triple point") return point;
  const { search } = solver, { x, y } = search.assumptions;
  let { p, r } = point;
  let three = solver.solve(p, r).slice(0, 3);
  if (three.length < 3) return point;
  for (let count = 0; count < REFINEMENTS; count++) {
    const lossAt = (state, u, v) => search.at(y.clamped(y.moved(p, u)), x.clamped(x.moved(r, v))).loss.evaluate(state, 0);
    const slopes = three.map((minimum) => [
      (lossAt(minimum.x, SMALL_STEP, 0) - lossAt(minimum.x, -SMALL_STEP, 0)) / (2 * SMALL_STEP),
      (lossAt(minimum.x, 0, SMALL_STEP) - lossAt(minimum.x, 0, -SMALL_STEP)) / (2 * SMALL_STEP),
    ]);
    const gaps = [1, 2].map((k) => three[k].loss - three[0].loss);
    const [a, b] = [0, 1].map((k) => slopes[1][k] - slopes[0][k]);
    const [c, d] = [0, 1].map((k) => slopes[2][k] - slopes[0][k]);
    const determinant = a * d - b * c;
    const step = [-(d * gaps[0] - b * gaps[1]) / determinant, -(a * gaps[1] - c * gaps[0]) / determinant];
    if (!(Math.abs(step[0]) + Math.abs(step[1]) < 1e-6)) return point; // not what was traced
    [p, r] = [y.moved(p, step[0]), x.moved(r, step[1])];
    search.at(p, r);
    three = three.map((minimum) => {
      const state = Float64Array.from(minimum.x), { value } = search.descent.minimize(state, 1e-3);
      return { ...minimum, x: state, loss: value };
    });
    if (Math.abs(step[0]) + Math.abs(step[1]) < 1e-15) break;
  }
  return { ...point, p, r };
}
