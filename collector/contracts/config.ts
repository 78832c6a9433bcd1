import { type Static, Type } from 'typebox';
import type { ConfigCheck } from '../../core/config-file.ts';
import { PARTIES, type Party } from './profile.ts';

const Id = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$' });
const Accounts = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { default: [] });
const PartyName = Type.Unsafe<Party>({ ...Type.Union(PARTIES.map((name) => Type.Literal(name))), default: 'client' });

/** Key `contracts` of collector.yml: under which contract faults count, and who speaks for whom. */
export const ContractsConfigSchema = Type.Object(
	{
		/** Profile of services that name none. */
		default: Type.String({ default: 'chengdu-2021' }),
		/** Answers to the open questions of each profile. */
		settings: Type.Record(Id, Type.Record(Type.String(), Type.String()), { default: {} }),
		/** Accounts of the product by party. An account speaks for one party at most. */
		parties: Type.Object({ manager: Accounts, client: Accounts, supervision: Accounts }, { additionalProperties: false, default: {} }),
		/** Who decides disputes about deductions. */
		disputes_decided_by: PartyName,
		/** To whom candidates escalate that nobody takes; one after the other. */
		escalate_to: Accounts,
		attachment_max_bytes: Type.Integer({ minimum: 1024, maximum: 1024 * 1024 * 1024, default: 20 * 1024 * 1024 }),
	},
	{ additionalProperties: false, default: {} },
);
export type ContractsConfig = Static<typeof ContractsConfigSchema>;

export const checkContracts: ConfigCheck<ContractsConfig> = (config, report) => {
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
