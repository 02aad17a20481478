/**
 * Runs dependency-cruiser over the sources and prints what breaks .dependency-cruiser.mjs. A run that sees
 * hardly any module (a wrong path, a parser that cannot read this TypeScript) proves nothing and fails too.
 */
import { cruise } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const FEWEST_MODULES = 150;
const rooms = ['emulator', 'kernel-ts', 'guest', 'cli'];

const { forbidden, options } = await extractConfig('./.dependency-cruiser.mjs');
const { output } = await cruise(rooms, { ...options, ruleSet: { forbidden }, validate: true }, undefined, {
  tsConfig: extractTsConfig('tsconfig.json'),
});
const seen = output.modules.filter((module) =>
  rooms.some((room) => module.source.startsWith(`${room}/`)),
).length;
for (const { rule, from, to } of output.summary.violations) console.log(`${rule.name}: ${from} -> ${to}`);
console.log(`layers: ${seen} modules, ${output.summary.violations.length} violations`);
if (seen < FEWEST_MODULES)
  console.log(`layers: fewer than ${FEWEST_MODULES} modules seen: the check is blind`);
process.exitCode = seen < FEWEST_MODULES || output.summary.violations.length > 0 ? 1 : 0;
