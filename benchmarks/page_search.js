// How long the explorer's search for all minima takes.
//
//     node benchmarks/page_search.js 4 2 [POINTS]
//
// Processor and wall time of `Solver.solve` at random points of the paper's window, a third of them in its
// dense corner, after ten points without a measurement.  Prints medians and the 95th percentiles.

const { readFileSync } = require("fs");
const { join } = require("path");

const [n, m, count] = [process.argv[2] ?? 3, process.argv[3] ?? 2, process.argv[4] ?? 90].map(Number);
const WARMING = 10;
const folder = join(__dirname, "..", "phasediagram", "explorer", "solver");
const PARTS = ["rows_any", "rows_linear", `rows_${n}`, "axes", "assumptions", "loss", "linear", "newton", "curvature",
  "state", "starts", "search", "shapes", "naming", "solver"];
const program = PARTS.map((name) => readFileSync(join(folder, `${name}.js`), "utf8")).join("\n");
const { Solver, randomNumbers } = new Function(`${program}\nreturn { Solver, randomNumbers };`)();

const random = randomNumbers(12345), between = (low, high) => low * (high / low) ** random();
const points = Array.from({ length: WARMING + count }, (_, k) =>
  k % 3 === 2 ? [between(0.45, 1), between(0.5, 2)] : [between(0.01, 1), between(0.1, 10)]);
const solver = new Solver(n, m), processor = [], wall = [];
let minima = 0;
points.forEach(([p, r], k) => {
  const used = process.cpuUsage(), begun = performance.now();
  const found = solver.solve(p, r).length;
  if (k < WARMING) return;
  const { user, system } = process.cpuUsage(used);
  processor.push((user + system) / 1000);
  wall.push(performance.now() - begun);
  minima += found;
});
const at = (times, share) => [...times].sort((a, b) => a - b)[Math.floor(share * (times.length - 1))].toFixed(1);
console.log(`(${n}, ${m}): ${solver.starts.length} starts, ${(minima / count).toFixed(2)} minima at each of ${count} points`);
for (const [name, times] of [["processor", processor], ["wall", wall]]) {
  console.log(`  ${name}: median ${at(times, 0.5)} ms, 95th percentile ${at(times, 0.95)} ms`);
}
