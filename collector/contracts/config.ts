import { type Static, Type } from 'typebox';
import type { ConfigCheck } from '../../core/config-file.ts';
import { Day, ExtensionSchema, PARTIES, type Party } from './profile.ts';

const Id = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$' });
const Accounts = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { default: [] });
const PartyName = Type.Unsafe<Party>({ ...Type.Union(PARTIES.map((name) => Type.Literal(name))), default: 'client' });

/** A contract as it was signed and extended. */
export const TermSchema = Type.Object(
	{
		start: Type.Optional(Day),
		/** Last day. */
		end: Type.Optional(Day),
		extensions: Type.Optional(Type.Array(ExtensionSchema)),
	},
	{ additionalProperties: false },
);

/** Key `contracts` of collector.yml: under which contract faults count, and who speaks for whom. */
export const ContractsConfigSchema = Type.Object(
	{
		/** Profile of services that name none. */
		default: Type.String({ default: 'chengdu-2021' }),
		/** Files of profiles beside those that come with the product, as `rules.files` names files. */
		profiles: Type.Array(Type.String({ minLength: 1 }), { default: ['contracts/*.yml'] }),
		/** Answers to the open questions of each profile. */
		settings: Type.Record(Id, Type.Record(Type.String(), Type.String()), { default: {} }),
		/** Contracts as they were signed and extended: over what the profile says of first and last day. Nothing is computed outside. */
		terms: Type.Record(Id, TermSchema, { default: {} }),
		/** Accounts of the product by party. An account speaks for one party at most. */
		parties: Type.Object({ manager: Accounts, client: Accounts, supervision: Accounts }, { additionalProperties: false, default: {} }),
		/** Who decides disputes about deductions. */
		disputes_decided_by: PartyName,
		/** To whom candidates escalate that nobody takes; one after the other. */
		escalate_to: Accounts,
		/** To whom a quality accident (质量事故) goes that is not resolved: the first, second, … rung of the contract's ladder. */
		accident_ladder: Accounts,
		attachment_max_bytes: Type.Integer({ minimum: 1024, maximum: 1024 * 1024 * 1024, default: 20 * 1024 * 1024 }),
	},
	{ additionalProperties: false, default: {} },
);
export type ContractsConfig = Static<typeof ContractsConfigSchema>;

export const checkContracts: ConfigCheck<ContractsConfig> = (config, report) => {
	for (const [id, { start, end, extensions }] of Object.entries(config.terms)) {
		if (start !== undefined && end !== undefined && end < start)
			report(['terms', id, 'end'], `the contract cannot end (${end}) before it begins (${start})`);
		extensions?.forEach(({ until }, i) => {
			const earlier = extensions[i - 1]?.until ?? end ?? start;
			if (earlier !== undefined && until <= earlier)
				report(['terms', id, 'extensions', i, 'until'], `an extension to ${until} does not go beyond ${earlier}`);
		});
	}
	const seen = new Map<string, Party>();
	for (const party of PARTIES) {
		config.parties[party].forEach((account, i) => {
			const other = seen.get(account);
			if (other !== undefined)
				report(['parties', party, i], `"${account}" speaks for the ${other} already; an account speaks for one party`);
			seen.set(account, party);
		});
	}
};
