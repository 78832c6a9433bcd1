import { Card, Checkbox, Input } from 'antd';
import { useSearchParams } from 'react-router';
import type { AlertRuleAnswer, AlertRuleListAnswer } from '../../../../protocol/rule-api.ts';
import { useAlertRules } from '../../api/rules.ts';
import { Limited } from '../../layout/limited.tsx';
import { useTexts } from '../../texts/language.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { RuleEntry } from './rule-entry.tsx';

/** Every alerting rule, and which thresholds are in force where. `q` and `set` of the address filter; `rule` opens one. */
export function RuleList() {
	const rules = useAlertRules();
	return <Loaded query={rules}>{(data) => <Rules data={data} />}</Loaded>;
}

function Rules({ data }: { readonly data: AlertRuleListAnswer }) {
	const words = useTexts().rules;
	const [search, setSearch] = useSearchParams();
	const [text, onlySet, opened] = [search.get('q') ?? '', search.get('set') === 'yes', search.get('rule')];
	const change = (name: string, value: string) =>
		setSearch(
			(before) => {
				const next = new URLSearchParams(before);
				next.delete('rule');
				if (value === '') next.delete(name);
				else next.set(name, value);
				return next;
			},
			{ replace: true },
		);
	const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
	const shown = data.rules.filter(
		(rule) =>
			(opened === null || rule.name === opened) &&
			(!onlySet || rule.overrides.length > 0) &&
			wanted.every((word) => wordsOf(rule).includes(word)),
	);
	return (
		<>
			<div className="list-filter">
				<Input.Search
					className="list-search"
					allowClear
					value={opened ?? text}
					placeholder={words.search}
					aria-label={words.search}
					onChange={({ target }) => change('q', target.value)}
				/>
				<Checkbox checked={onlySet} onChange={({ target }) => change('set', target.checked ? 'yes' : '')}>
					{words.onlySet(data.rules.filter(({ overrides }) => overrides.length > 0).length)}
				</Checkbox>
			</div>
			<Card className="flush">
				{shown.length === 0 ? <p className="quiet muted">{words.none}</p> : null}
				<Limited key={search.toString()} items={shown}>
					{(rule) => (
						<RuleEntry
							key={`${rule.file} ${rule.group} ${rule.name}`}
							rule={rule}
							configFile={data.configFile}
							begun={opened === rule.name}
						/>
					)}
				</Limited>
			</Card>
		</>
	);
}

function wordsOf({ name, group, labels, annotations, query }: AlertRuleAnswer): string {
	return [name, group, query, ...Object.values(labels), ...Object.values(annotations)].join('\n').toLowerCase();
}
