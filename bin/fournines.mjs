#!/usr/bin/env node
// The `fournines` command: the bootstrap finds a Node that can run the product, then hands over to cli/main.ts.
process.argv.splice(2, 0, 'cli');
await import('../scripts/bootstrap.mjs');
