import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm run dev`-style work finds its collector: `FOURNINES_COLLECTOR=http://127.0.0.1:9999`. */
const collector = process.env['FOURNINES_COLLECTOR'] ?? 'http://127.0.0.1:9999';

export default defineConfig({
	root: dirname(fileURLToPath(import.meta.url)),
	plugins: [react()],
	server: { proxy: { '/api': collector } },
	build: {
		outDir: '../dist/console',
		emptyOutDir: true,
		target: 'es2022',
		// The page's policy allows no inline script, and a preload polyfill would be one more request.
		modulePreload: { polyfill: false },
		// Two libraries are larger than 500 kB. They are not cut up: their modules import each other in circles, and in
		// separate files some would run before what they need.
		chunkSizeWarningLimit: 1000,
		rolldownOptions: {
			output: {
				// What changes with every release apart from what does not; charts only for those who open a board.
				codeSplitting: {
					groups: [
						{ name: 'react', test: /node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\//, priority: 3 },
						{ name: 'charts', test: /node_modules\/(echarts|zrender|tslib)\//, priority: 2 },
						{ name: 'components', test: /node_modules\//, priority: 1 },
					],
				},
			},
		},
	},
});
