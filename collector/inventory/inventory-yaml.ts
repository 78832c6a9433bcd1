import { Type } from 'typebox';
import { stringify } from 'yaml';
import { type ConfigResult, parseConfig } from '../../core/config-file.ts';
import { checkInventory } from './check-inventory.ts';
import { type InventoryConfig, InventoryConfigSchema } from './config.ts';

const FileSchema = Type.Object({ inventory: InventoryConfigSchema }, { additionalProperties: false });

/**
 * The inventory as a file for git. Lossless: `parseInventoryFile` of it gives an equal value. Defaults are written out, so that the
 * file means the same under a version that has others.
 */
export function inventoryYaml(inventory: InventoryConfig): string {
	const filled = Object.fromEntries(Object.entries(inventory).filter(([, value]) => !Array.isArray(value) || value.length > 0));
	return stringify({ inventory: filled }, { lineWidth: 140, aliasDuplicateObjects: false });
}

/** A file whose only key is `inventory`; every problem at once. */
export function parseInventoryFile(text: string, file: string): ConfigResult<InventoryConfig> {
	const result = parseConfig(text, {
		file,
		schema: FileSchema,
		check: (config, report) => checkInventory(config.inventory, (path, message) => report(['inventory', ...path], message)),
	});
	return result.kind === 'bad' ? result : { kind: 'ok', config: result.config.inventory };
}
