import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type ConfigProblem, type ConfigResult, configOrThrow } from '../core/config-file.ts';
import { AppError, systemErrorCode } from '../core/errors.ts';
import { expandFiles } from './configured-files.ts';
import type { ContractsConfig } from './contracts/config.ts';
import { type ContractProfile, loadProfiles, readProfile } from './contracts/profile-files.ts';
import type { InventoryConfig } from './inventory/config.ts';

/** What a configuration says of contracts. */
export interface ContractNames {
	readonly contracts: ContractsConfig;
	readonly inventory: InventoryConfig;
}

export interface KnownProfiles {
	/** Read when they are first asked for. Throws as `prepare`. */
	all(): readonly ContractProfile[];
	/**
	 * Reads the files that this configuration names, and checks what it says of contracts. Throws `FN_CONFIG_INVALID` with all problems;
	 * otherwise they are in force when what is returned was called.
	 */
	prepare(names: ContractNames): () => void;
	/** Names of contracts in an inventory that no profile has. */
	problems(inventory: InventoryConfig): readonly ConfigProblem[];
}

export interface ProfilePlaces {
	/** `collector.yml`, at whose folder relative patterns start; `null` without one. */
	readonly configFile: string | null;
	/** `rules/contracts/` in it has the profiles that come with the product. */
	readonly rootDir: string;
}

/** `names` is the configuration in force. */
export function createKnownProfiles(places: ProfilePlaces, names: () => ContractNames): KnownProfiles {
	// The product's own change with the product only, and checking them with every answer takes a tenth of a second.
	let shipped: readonly ContractProfile[] | null = null;
	let inForce: readonly ContractProfile[] | null = null;
	const read = (config: ContractNames): readonly ContractProfile[] => {
		shipped ??= shippedProfiles(places);
		const { profiles, problems } = find(config, places, shipped);
		return configOrThrow(problems.length === 0 ? { kind: 'ok', config: profiles } : { kind: 'bad', problems });
	};
	const all = () => {
		inForce ??= read(names());
		return inForce;
	};
	return {
		all,
		prepare: (config) => {
			const profiles = read(config);
			return () => {
				inForce = profiles;
			};
		},
		problems: (inventory) => inventoryProblems(inventory, unknownIn(all(), 'inventory'), []),
	};
}

/** What is wrong with the profiles of a configuration, or with what it says of contracts. */
export function contractsProblems(config: ContractNames, places: ProfilePlaces): readonly ConfigProblem[] {
	return find(config, places, shippedProfiles(places)).problems;
}

function shippedProfiles({ rootDir }: ProfilePlaces): readonly ContractProfile[] {
	return loadProfiles(join(rootDir, 'rules', 'contracts'));
}

function find(
	config: ContractNames,
	places: ProfilePlaces,
	shipped: readonly ContractProfile[],
): { readonly profiles: readonly ContractProfile[]; readonly problems: readonly ConfigProblem[] } {
	const profiles = [...shipped];
	const problems: ConfigProblem[] = [];
	for (const file of ownFiles(config.contracts, places)) {
		const read = loadProfile(file);
		const twin = read.kind === 'ok' ? profiles.find(({ id }) => id === read.config.id) : undefined;
		if (read.kind === 'bad') problems.push(...read.problems);
		else if (twin === undefined) profiles.push(read.config);
		else problems.push({ file, line: 0, path: 'id', message: `"${twin.id}" is the id of ${twin.file} already; choose another` });
	}
	// The name of a profile that is broken is not unknown.
	if (problems.length === 0) problems.push(...nameProblems(config, profiles, places.configFile ?? 'built-in configuration'));
	return { profiles, problems };
}

function ownFiles({ profiles }: ContractsConfig, { configFile, rootDir }: ProfilePlaces): readonly string[] {
	if (configFile === null) return [];
	const shipped = join(resolve(rootDir), 'rules', 'contracts');
	return expandFiles(profiles, dirname(resolve(configFile))).filter((file) => dirname(file) !== shipped);
}

function loadProfile(file: string): ConfigResult<ContractProfile> {
	try {
		return readProfile(readFileSync(file, 'utf8'), file);
	} catch (error) {
		const code = systemErrorCode(error);
		const message = code === 'ENOENT' ? 'the contract profile does not exist' : `the contract profile cannot be read (${code})`;
		return { kind: 'bad', problems: [{ file, line: 0, path: '', message }] };
	}
}

/** Names of contracts, settings and answers in a configuration that no profile has. */
function nameProblems(
	{ contracts, inventory }: ContractNames,
	profiles: readonly ContractProfile[],
	file: string,
): readonly ConfigProblem[] {
	const unknown = unknownIn(profiles, file);
	const answerProblem = (profile: ContractProfile, setting: string, answer: string): readonly ConfigProblem[] => {
		try {
			profile.with({ [setting]: answer });
			return [];
		} catch (error) {
			if (!(error instanceof AppError)) throw error;
			return [{ file, line: 0, path: `contracts.settings.${profile.id}.${setting}`, message: error.message }];
		}
	};
	return [
		...unknown('contracts.default', contracts.default),
		...Object.keys(contracts.terms).flatMap((id) => unknown(`contracts.terms.${id}`, id)),
		...Object.entries(contracts.settings).flatMap(([id, answers]) => {
			const profile = profiles.find((known) => known.id === id);
			if (profile === undefined) return unknown(`contracts.settings.${id}`, id);
			return Object.entries(answers).flatMap(([setting, answer]) => answerProblem(profile, setting, answer));
		}),
		...inventoryProblems(inventory, unknown, ['inventory']),
	];
}

type Unknown = (path: string, contract: string) => readonly ConfigProblem[];

function inventoryProblems({ services, maintenance }: InventoryConfig, unknown: Unknown, at: readonly string[]): readonly ConfigProblem[] {
	const path = (list: string, index: number) => [...at, `${list}[${index}]`, 'contract'].join('.');
	return [
		...services.flatMap(({ contract }, i) => (contract === undefined ? [] : unknown(path('services', i), contract))),
		...maintenance.flatMap(({ contract }, i) => unknown(path('maintenance', i), contract)),
	];
}

function unknownIn(profiles: readonly ContractProfile[], file: string): Unknown {
	const known = profiles.map(({ id }) => id);
	return (path, contract) => {
		if (known.includes(contract)) return [];
		const message = `there is no contract profile "${contract.slice(0, 64)}"; known: ${known.join(', ')}; contracts.profiles names the files of others`;
		return [{ file, line: 0, path, message }];
	};
}
