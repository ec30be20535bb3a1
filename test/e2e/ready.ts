// Ends well where the end-to-end suite could start at once: everything is installed, and the tools are in the cache.
import { areToolsReady } from './tools.ts';

process.exitCode = (await areToolsReady({ environment: process.env, argoCd: '3.2' })) ? 0 : 1;
