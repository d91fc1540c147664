// All minima at a point, after phasediagram/minima/search.py: descents from many starts, without
// symmetric copies, plateaus and saddles, which are left along their softest direction.

const CONVERGED = 1e3; // times the tolerance: where rounding stops a descent
const SAME_LOSS = 1e-9;
const PUSH = 1e-3;
const FLAT = 1e-9; // curvature, relative to the density of features, that is not told from 0
const TIED = 1e-12; // relative difference of losses that are equal but for rounding
const LOWER = 1e-10; // relative gain of a descent that leaves a saddle
const FIRM = 0.02; // curvature, relative to the density of features, of a minimum with no other so close
const ARRIVING = 0.1; // distance from it at which a descent has arrived, as a share of that curvature
const PAST_KINKS = 2e-3; // and at most, past the next kink,
const FARTHEST = 0.03; // and before it

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
    const ends = [];
    for (const _ of this.descents(starts, ends));
    return this.settled(ends);
  }

  isNear(list, signature, distance = SAME_STATE) {
    return list.some((one) => this.space.distance(one.signature, signature, distance) < distance);
  }

  /** Descend from starts, one a step, at the point that is chosen, and list where that ends. */
  *descents(starts, ends) {
    const { p, r, space, loss } = this;
    for (const start of starts) {
      this.at(p, r); // others may have been elsewhere meanwhile
      // a descent that comes so close to an end, no lower, goes there
      const known = (x, value) => {
        const signature = space.signature(x);
        return ends.some((end) => end.reach > 0 && value >= end.loss && space.distance(end.signature, signature, end.reach) < end.reach);
      };
      const x = Float64Array.from(start);
      if (!loss.bias) x.fill(0, this.m * this.n);
      const end = this.descend(x, FIRST_RADIUS, known);
      if (end && !this.isNear(ends, end.signature)) ends.push({ ...end, reach: this.reach(end.x) });
      yield;
    }
  }

  /** Return the minima among ends of descents, and those below saddles among them. */
  settled(ends) {
    const { space, loss } = this;
    const found = [], saddles = [], limit = FLAT * loss.active;
    const pending = this.mostOppositeFirst(ends).map((end) => end.x);
    while (pending.length) {
      const x = pending.shift(), signature = space.signature(x);
      if (space.isSilent(signature) || this.isNear(found, signature) || this.isNear(saddles, signature)) continue;
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

  /** How near a descent must come to have arrived; 0 where another stationary state may be close by. */
  reach(x) {
    const { loss, descent } = this, { hessian, values, vectors } = descent;
    loss.evaluate(x, 2, descent.gradient, hessian);
    stiffenRotations(loss, x, hessian, 1);
    eigen(hessian, values, vectors);
    const curvature = values[0] / loss.density;
    const smooth = Math.min(Math.max(nearestKink(loss, x), PAST_KINKS), FARTHEST);
    return curvature > FIRM ? Math.min(ARRIVING * curvature, smooth) : 0;
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
