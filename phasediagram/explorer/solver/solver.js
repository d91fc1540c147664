// The solver: every minimum at a point of a plane, named.

class Solver {
  constructor(n, m, assumptions = new Assumptions(n, m)) {
    Object.assign(this, { n, m, assumptions, search: new Search(n, m, assumptions), naming: new Naming(n, m), starts: searchStarts(n, m, assumptions.planeOrders()) });
  }

  /** All minima, lowest first, found from further starts too: { loss, W, b, phase, ... }. */
  solve(p, r, further = []) {
    return this.named(this.search.at(p, r).minima([...this.starts, ...further]));
  }

  /** What is said of minima that were found at the point where the search is. */
  named(found) {
    const { n, m, naming, search } = this;
    const states = found.map(({ x }) => search.space.leastOfTheExtra(x));
    const names = naming.distinctNames(states, search.loss.density);
    return found.map(({ loss, slope, curvature }, k) => ({
      phase: names[k], outcome: naming.outcome(states[k]), loss, slope, curvature, x: states[k], ...weightsOf(n, m, states[k]),
    }));
  }

  /** The name of one minimum at a point by itself. */
  nameAt(x, [p, r]) {
    return this.naming.name(x, this.search.at(p, r).loss.density);
  }
}

function weightsOf(n, m, x) {
  return { W: Array.from({ length: m }, (_, k) => Array.from(x.slice(k * n, k * n + n))), b: Array.from(x.slice(m * n)) };
}

function stateOf(W, b) {
  return Float64Array.from([...W.flat(), ...b]);
}
