import { parentPort, workerData } from 'node:worker_threads';
import { errorText } from '../../../core/errors.ts';
import type { BlockAnswer, BlockTask } from './block-messages.ts';
import { BlockWriter } from './block-writer.ts';

const SQLITE_FULL = 13;

/** Entry of the thread that writes blocks. */
function serve(): void {
	const port = parentPort;
	if (port === null) return;
	const answer = (message: BlockAnswer) => port.postMessage(message);
	const writer = new BlockWriter(String((workerData as { folder: string }).folder), (file, message) =>
		answer({ kind: 'report', file, message }),
	);
	port.on('message', (task: BlockTask) => {
		try {
			answer({ kind: 'done', ...writer.run(task) });
		} catch (error) {
			const full = typeof error === 'object' && error !== null && 'errcode' in error && Number(error.errcode) === SQLITE_FULL;
			answer({ kind: 'failed', full, message: errorText(error) });
		}
		if (task.kind === 'stop') port.close();
	});
}

serve();
