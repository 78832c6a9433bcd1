import { test } from 'vitest';
import { mutationRounds } from '../../tests/harness/decode-mutations.ts';
import { decodeWriteV1 } from './decode-v1.ts';
import { decodeWriteV2 } from './decode-v2.ts';
import { encodeRemoteWriteV1 } from './encode-v1.ts';
import { encodeRemoteWriteV2 } from './encode-v2.ts';

test(
	'remote write 1 survives a hundred thousand mutated bodies',
	() => mutationRounds(decodeWriteV1, encodeRemoteWriteV1, 100_000),
	600_000,
);
test(
	'remote write 2 survives a hundred thousand mutated bodies',
	() => mutationRounds(decodeWriteV2, encodeRemoteWriteV2, 100_000),
	600_000,
);
