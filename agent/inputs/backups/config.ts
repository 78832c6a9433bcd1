import { type Static, Type } from 'typebox';
import { durationSchema } from '../entry-schema.ts';
import { scheduleProperties } from '../schedule-config.ts';

export const BackupConfigSchema = Type.Object(
	{
		/** Label `backup`. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		directory: Type.String({ minLength: 1 }),
		/** Names of the files of this job, with `*` and `?`. Sidecars of checksums are never taken for backups. */
		pattern: Type.String({ default: '*', minLength: 1 }),
		...scheduleProperties(),
		interval: durationSchema('1m'),
		timeout: durationSchema('30s'),
		min_bytes: Type.Integer({ default: 1, minimum: 0 }),
		/** How many older files the median size is taken from. */
		history: Type.Integer({ default: 7, minimum: 1, maximum: 100 }),
		/** A file that was written to less long ago than this is still being made. */
		settle: durationSchema('1m'),
		/** `FILE.sha256` beside the file: checked when there (`auto`), demanded (`required`), or not looked at (`off`). */
		checksum: Type.Union([Type.Literal('auto'), Type.Literal('required'), Type.Literal('off')], { default: 'auto' }),
		/** Kind of archive; `auto` goes by the name's ending, `none` takes any content. */
		archive: Type.Union(
			[
				Type.Literal('auto'),
				Type.Literal('none'),
				Type.Literal('gzip'),
				Type.Literal('zip'),
				Type.Literal('tar'),
				Type.Literal('xz'),
				Type.Literal('zstd'),
			],
			{ default: 'auto' },
		),
		/** Text that must be near the end of the content, unpacked where it is gzip: `-- Dump completed`. */
		expect_tail: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
		/** How fast a new file is read for its checksum and content. */
		read_bytes_per_second: Type.Integer({ default: 20 * 1024 * 1024, minimum: 64 * 1024 }),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	{ additionalProperties: false },
);
export type BackupConfig = Static<typeof BackupConfigSchema>;
