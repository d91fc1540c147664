// Following a minimum from one point of the plane to another.

const LARGEST_MOVE = 0.15; // of W^T W and b in one step: more is another minimum
const FOLLOWING_RADIUS = 0.1;

/** Return the state to which a minimum goes at the search's point, or null where it is none any more. */
function followed(search, state, checked = true) {
  const { space, loss } = search;
  const end = search.descend(Float64Array.from(state.x), FOLLOWING_RADIUS, null);
  if (!end || !(largestMove(state.signature, end.signature) < LARGEST_MOVE)) return null;
  if (!checked) return end;
  const { curvature, direction } = search.curvature.softest(end.x, 1, state.direction);
  if (!(curvature > FLAT * loss.active)) return null;
  return { ...end, space, curvature, direction };
}

function largestMove(one, other) {
  let largest = 0;
  for (let i = 0; i < one.length; i++) largest = Math.max(largest, Math.abs(one[i] - other[i]));
  return largest;
}

/**
 * Follow a minimum along points [[p, r], ...] until it ends; a step that is too long is halved.
 * Return the states, as many as there are.
 */
function followedAlong(search, state, from, points) {
  const found = [];
  let here = from, minimum = state;
  for (const there of points) {
    const steps = [there];
    while (steps.length) {
      const next = steps[steps.length - 1];
      const moved = followed(search.at(...next), minimum);
      if (moved) {
        [minimum, here] = [moved, next];
        steps.pop();
      } else if (steps.length > 3) {
        return found;
      } else {
        steps.push([Math.sqrt(here[0] * next[0]), Math.sqrt(here[1] * next[1])]);
      }
    }
    found.push(minimum);
  }
  return found;
}
