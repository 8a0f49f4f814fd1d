/** Requests come in on the standard input of JavaScriptCore's shell, answers go out on its standard output. */

import './shell.js';

import { open } from './engine.js';

/** @type {{ arguments: string[], readFile(path: string, kind: 'binary'): Uint8Array<ArrayBuffer>, readline(): string, print(line: string): void }} */
const shell = /** @type {any} */ (globalThis);

const answer = await open(shell.readFile(shell.arguments[0], 'binary'));
for (let line; (line = shell.readline()) !== ''; ) shell.print(await answer(line)); // at its end, the input is empty lines
