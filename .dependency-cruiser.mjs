/**
 * The walls of the house. Run by .ci/layers.mjs, which also fails when too few modules were seen.
 * A value import may only point at a lower layer; `import type` costs nothing at run time and may point sideways.
 */
const layers = ['abi', 'mm', 'fs', 'ipc', 'process', 'syscalls', 'system'];

/** The kernel's layers: each imports values only from those to its left. */
const layerRules = layers.slice(0, -1).map((layer, position) => ({
  name: `kernel-layer-${layer}`,
  comment: `kernel-ts/${layer} may import values only from itself and from the layers below it`,
  severity: 'error',
  from: { path: `^kernel-ts/${layer}/` },
  to: {
    path: `^kernel-ts/(${layers.slice(position + 1).join('|')}|index[.]ts)`,
    dependencyTypesNot: ['type-only'],
  },
}));

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'no-value-cycle',
      comment: 'modules that need each other at run time cannot be read one after the other',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'emulator-stands-alone',
      comment: 'emulator/ imports nothing outside itself, no library and no Node module',
      severity: 'error',
      from: { path: '^emulator/' },
      to: { pathNot: '^emulator/' },
    },
    {
      name: 'kernel-uses-the-emulators-door',
      comment: 'kernel-ts/ reaches the emulator only through emulator/index.ts',
      severity: 'error',
      from: { path: '^kernel-ts/' },
      to: { pathNot: '^(kernel-ts/|emulator/index[.]ts$)' },
    },
    {
      name: 'doors-of-the-kernel',
      comment: 'cli/ and guest/ use the doors that every user of the package has',
      severity: 'error',
      from: { path: '^(cli|guest)/' },
      to: { path: '^(kernel-ts|emulator)/', pathNot: '^(kernel-ts|emulator)/index[.]ts$' },
    },
    {
      name: 'nothing-below-cli',
      comment: 'guest/ is a library of its own: it knows no command',
      severity: 'error',
      from: { path: '^guest/' },
      to: { path: '^(cli|test)/' },
    },
    {
      name: 'tests-are-leaves',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|[.]cache|node_modules)/' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.d.ts'], exportsFields: ['exports'] },
  },
};
