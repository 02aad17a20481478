#!/usr/bin/env node
/**
 * What the build installs as dist/cli/main.js: loads the bundled command through V8's code cache, which the build has
 * filled by running a program once. Compiling the bundle's source costs more than running a short program.
 * A cache of another V8 is rejected by V8 itself, and the source is compiled as usual.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const file = `${__dirname}/sameframe.cjs`;
const cacheFile = `${__dirname}/sameframe.cache`;

function cached() {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

const parameters = 'exports, require, module, __filename, __dirname, importModule';
const source = `(function (${parameters}) {${readFileSync(file, 'latin1')}\n})`;
const script = new Script(source, { filename: file, cachedData: cached() });
if (process.env.SAMEFRAME_FILL_CODE_CACHE === '1') {
  process.on('exit', () => writeFileSync(cacheFile, script.createCachedData()));
}
script.runInThisContext()(exports, require, module, file, __dirname, (path) => import(path));
