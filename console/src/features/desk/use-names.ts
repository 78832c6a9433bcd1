import { useInventory } from '../../api/desk.ts';
import { useTexts } from '../../texts/language.tsx';

export interface Names {
	/** The service's name, or its id where the inventory knows none. */
	service(id: string | null): string;
	readonly services: readonly { readonly value: string; readonly label: string }[];
	readonly hosts: readonly { readonly value: string; readonly label: string }[];
}

export function useNames(): Names {
	const texts = useTexts();
	const entries = useInventory().data?.entries ?? [];
	const of = (section: 'services' | 'hosts') =>
		entries
			.filter((entry) => entry.section === section)
			.map(({ key, name }) => ({ value: key, label: name === '' ? key : `${name}（${key}）` }));
	return {
		service: (id) =>
			id === null ? texts.common.none : entries.find(({ section, key }) => section === 'services' && key === id)?.name || id,
		services: of('services'),
		hosts: of('hosts'),
	};
}
