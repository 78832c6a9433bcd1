import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { stringify } from 'yaml';
import {
	INVENTORY_SECTIONS,
	type InventoryDifferenceAnswer,
	type InventoryEntriesRequest,
	type InventorySection,
	type InventoryStateAnswer,
	type InventoryTextRequest,
} from '../../../protocol/inventory-api.ts';
import { entriesOf } from '../../inventory/entries.ts';
import type { InventoryEdits } from '../../inventory/inventory-edits.ts';
import { inventoryYaml } from '../../inventory/inventory-yaml.ts';
import { personOf } from '../person.ts';
import type { RecordOperation } from './case-routes.ts';

const BASE = '/api/fournines/v1/inventory';
const closed = { additionalProperties: false } as const;
const LARGEST_BYTES = 8 * 1024 * 1024;
const HISTORY = 100;
const Note = Type.String({ minLength: 1, maxLength: 255 });
const Over = Type.String({ maxLength: 36 });
const Section = Type.Unsafe<InventorySection>(Type.Union(INVENTORY_SECTIONS.map((name) => Type.Literal(name))));
const TextBody = Type.Object({ over: Over, note: Note, text: Type.String({ maxLength: LARGEST_BYTES }) }, closed);
const EntriesBody = Type.Object(
	{
		over: Over,
		note: Note,
		entries: Type.Array(
			Type.Object(
				{ section: Section, key: Type.String({ maxLength: 255 }), text: Type.Union([Type.String({ maxLength: 1_000_000 }), Type.Null()]) },
				closed,
			),
			{ minItems: 1, maxItems: 1000 },
		),
	},
	closed,
);
const VersionParams = Type.Object({ version: Type.String({ minLength: 1, maxLength: 36 }) }, closed);

/** The inventory with its history, and edits of it. */
export function registerInventoryRoutes(
	app: FastifyInstance,
	services: { readonly edits: InventoryEdits; readonly record: RecordOperation },
): void {
	const { edits, record } = services;
	const tags = ['inventory'];
	const answer = async (): Promise<InventoryStateAnswer> => {
		const inventory = edits.current();
		const pending = edits.pending();
		const edited = new Set(pending.map(({ section, key }) => `${section} ${key}`));
		return {
			version: edits.version(),
			text: inventoryYaml(inventory),
			entries: [...entriesOf(inventory)].map(([id, { section, key, value }]) => ({
				section,
				key,
				text: yamlOf(value),
				name: nameOf(value),
				origin: edited.has(id) ? ('edited' as const) : ('file' as const),
			})),
			pending: pending.map(({ section, key, base, value }) => ({ section, key, before: yamlOf(base), after: yamlOf(value) })),
			history: (await edits.history(HISTORY)).map(({ diff, refused, ...version }) => ({
				...version,
				diff: diff.map((part): InventoryDifferenceAnswer => ({ ...part, before: yamlOf(part.before), after: yamlOf(part.after) })),
				refused: refused.map(({ section, key, edited: before, file, reason }) => ({
					section,
					key,
					before: yamlOf(before),
					after: yamlOf(file),
					reason,
				})),
			})),
		};
	};

	app.get(BASE, { schema: { tags, summary: 'The inventory as YAML' } }, async (_request, reply) =>
		reply.type('application/yaml; charset=utf-8').send(inventoryYaml(edits.current())),
	);
	app.get(`${BASE}/state`, { schema: { tags, summary: 'The inventory by entries, with edits and history' } }, answer);
	app.get<{ Params: { version: string } }>(
		`${BASE}/versions/:version`,
		{ schema: { tags, summary: 'The inventory as it was after a change', params: VersionParams } },
		async ({ params }, reply) => reply.type('application/yaml; charset=utf-8').send(await edits.textOf(params.version)),
	);
	app.put<{ Body: InventoryTextRequest }>(
		BASE,
		{ bodyLimit: LARGEST_BYTES, schema: { tags, summary: 'The whole inventory; every problem at once, or all of it', body: TextBody } },
		async (request) => {
			const { over, note, text } = request.body;
			await edits.replace(text, { over, note, author: personOf(request).account });
			await record(request, { action: 'inventory.replace', object: edits.version(), result: 'success', detail: note });
			return answer();
		},
	);
	app.post<{ Body: InventoryEntriesRequest }>(
		`${BASE}/entries`,
		{ bodyLimit: LARGEST_BYTES, schema: { tags, summary: 'Single entries; every problem at once, or all of them', body: EntriesBody } },
		async (request) => {
			const { over, note, entries } = request.body;
			await edits.change(entries, { over, note, author: personOf(request).account });
			const detail = `${note}: ${entries.map(({ section, key }) => `${section} ${key}`).join(', ')}`;
			await record(request, { action: 'inventory.change', object: edits.version(), result: 'success', detail });
			return answer();
		},
	);
}

function yamlOf(value: unknown): string {
	return value === null ? '' : stringify(value, { lineWidth: 120 });
}

function nameOf(value: unknown): string {
	return typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : '';
}
