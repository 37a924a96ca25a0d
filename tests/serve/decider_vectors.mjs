// Runs the test vectors through the page's decider; prints what differs from the Python one, as JSON.
import { readFileSync } from "node:fs";

const [module, file] = process.argv.slice(2);
const { Decider } = await import(module);
const { labels, threshold, cases } = JSON.parse(readFileSync(file));
const differences = [];
for (const [number, { settings, decisions, readings, last }] of cases.entries()) {
  const decider = new Decider(labels, threshold, settings);
  for (const [segment, [speech, emotions]] of decisions.entries()) {
    const { idle } = decider;
    compare({ idle, ...decider.push(segment, speech, emotions) }, readings[segment], `case ${number}, segment ${segment}`);
  }
  compare(decider.clear(), last, `case ${number}, clear`);
}
console.log(JSON.stringify(differences));

function compare(one, other, where) {
  if (one !== null && other !== null && typeof one === "object" && typeof other === "object") {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) compare(one[key], other[key], `${where}, ${key}`);
  } else if (typeof one === "number" && typeof other === "number" ? Math.abs(one - other) > 1e-9 : one !== other) {
    differences.push(`${where}: ${one} in place of ${other}`);
  }
}
