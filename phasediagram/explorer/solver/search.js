// All minima at a point, after phasediagram/minima/search.py: descents from many starts, without
// symmetric copies, plateaus and saddles, which are left along their softest direction.

const CONVERGED = 1e3; // times the tolerance: where rounding stops a descent
const SAME_LOSS = 1e-9;
const PUSH = 1e-3;
const FLAT = 1e-9; // curvature, relative to the density of features, that is not told from 0
const TIED = 1e-12; // relative difference of losses that are equal but for rounding
const LOWER = 1e-10; // relative gain of a descent that leaves a saddle
const ARRIVING = 2e-3; // distance from a minimum at which a descent has arrived

class Search {
  constructor(n, m, assumptions) {
    Object.assign(this, { n, m, assumptions, loss: new Loss(n, m, assumptions), spaces: new Map() });
    this.descent = new Descent(this.loss);
    this.curvature = new Curvature(this.loss);
    this.planeSpace = this.spaceOf(assumptions.planeOrders());
  }

  /** Choose the point: its loss, and the space of states with the symmetry that it has. */
  at(p, r) {
    if (p === this.p && r === this.r) return this;
    const point = this.assumptions.at(p, r);
    this.loss.at(point);
    this.space = this.spaceOf(this.assumptions.orders(point));
    [this.p, this.r] = [p, r];
    return this;
  }

  spaceOf(orders) {
    const key = orders.join(";");
    if (!this.spaces.has(key)) this.spaces.set(key, new Space(this.n, this.m, orders, this.assumptions));
    return this.spaces.get(key);
  }

  /** Return a state with its loss, slope, curvature and softest direction. */
  examined(x) {
    const gradient = new Float64Array(x.length), loss = this.loss.evaluate(x, 1, gradient);
    const { curvature, direction } = this.curvature.softest(x);
    return { x, loss, slope: norm(gradient), curvature, direction, signature: this.space.signature(x) };
  }

  /** Descend from x; null if it does not converge, or to a plateau. */
  descend(x, radius, known) {
    const end = this.descent.minimize(x, radius, 200, known);
    if (end.stopped || end.isSilent || !(end.slope < CONVERGED * this.loss.tolerance)) return null;
    const signature = this.space.signature(x);
    return this.space.isSilent(signature) ? null : { x, loss: end.value, signature };
  }

  /** Return the minima to which starts lead, the lowest first. */
  minima(starts) {
    const { space, loss } = this, ends = [];
    const isNear = (list, signature, distance) => list.some((one) => space.distance(one.signature, signature, distance) < distance);
    for (const start of starts) {
      // a descent that comes so close to an end, no lower, goes there
      const known = (x, value) => {
        const signature = space.signature(x);
        return ends.some((end) => end.firm && value >= end.loss && space.distance(end.signature, signature, ARRIVING) < ARRIVING);
      };
      const x = Float64Array.from(start);
      if (!loss.bias) x.fill(0, this.m * this.n);
      const end = this.descend(x, FIRST_RADIUS, known);
      if (!end || isNear(ends, end.signature, SAME_STATE)) continue;
      end.firm = this.isFirm(end.x);
      ends.push(end);
    }
    const found = [], saddles = [], limit = FLAT * loss.active;
    const pending = this.mostOppositeFirst(ends).map((end) => end.x);
    while (pending.length) {
      const x = pending.shift(), signature = space.signature(x);
      if (space.isSilent(signature) || isNear(found, signature, SAME_STATE) || isNear(saddles, signature, SAME_STATE)) continue;
      const state = this.examined(x);
      if (state.curvature > limit) {
        found.push(state);
        continue;
      }
      const pushed = [1, -1].map((sign) =>
        this.descend(x.map((value, i) => value + sign * PUSH * state.direction[i]), PUSH, null));
      const isLower = pushed.some((end) => end && end.loss < state.loss * (1 - LOWER));
      if (state.curvature > -limit && !isLower) {
        if (found.every((one) => Math.abs(one.loss - state.loss) > SAME_LOSS * state.loss)) found.push(state);
        continue;
      }
      saddles.push(state);
      for (const end of pushed) if (end) pending.push(end.x);
    }
    return this.mostOppositeFirst(found);
  }

  /** Whether no other stationary state is expected close by. */
  isFirm(x) {
    const { loss, descent } = this, { hessian, values, vectors } = descent;
    loss.evaluate(x, 2, descent.gradient, hessian);
    stiffenRotations(loss, x, hessian, 1);
    eigen(hessian, values, vectors);
    return values[0] > 0.02 * loss.density;
  }

  /** Order by loss, of equals first that with the most opposite directions. */
  mostOppositeFirst(states) {
    const { n } = this;
    const products = ({ signature }) => {
      let total = 0;
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) total += signature[i * n + j];
      return Math.round(1e6 * total);
    };
    const sorted = [...states].sort((one, other) => one.loss - other.loss);
    let level = 0;
    const keyed = sorted.map((state, k) => {
      if (k && state.loss - sorted[k - 1].loss > TIED * sorted[k - 1].loss) level++;
      return { state, level, products: products(state) };
    });
    return keyed.sort((one, other) => one.level - other.level || one.products - other.products).map(({ state }) => state);
  }
}
