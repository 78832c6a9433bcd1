import { labelsFromObject } from '../../core/labels.ts';
import { type Labels, METRIC_NAME } from '../../protocol/labels.ts';
import type { OtlpAttributes, OtlpPointAttributes } from '../../protocol/otlp/metrics-model.ts';
import { prometheusLabel } from '../../protocol/otlp/prometheus-names.ts';

/** Which of the series that come of one point is meant. */
export type OtlpSeriesRole = 'value' | 'sum' | 'count' | 'bucket' | 'quantile';

/** What all points of one metric of one resource have in common. */
export interface OtlpMetricScope {
	/** The Prometheus name, without the suffix of a role. */
	readonly name: string;
	/** `job` and `instance`, as far as the resource tells. */
	readonly identity: Readonly<Record<string, string>>;
}

/** A series before anybody has made labels of it. One object is used for every sample of a request. */
export interface OtlpSeries {
	scope: OtlpMetricScope;
	point: OtlpPointAttributes;
	role: OtlpSeriesRole;
	/** Upper bound of a bucket, or the quantile. */
	bound: number;
}

const NAME_SUFFIX: Readonly<Record<OtlpSeriesRole, string>> = { value: '', sum: '_sum', count: '_count', bucket: '_bucket', quantile: '' };

/** The labels of a series by the compatibility specification. Throws `ProtocolError` when an attribute is not UTF-8. */
export function otlpLabels({ scope, point, role, bound }: OtlpSeries): Labels {
	const bounds = role === 'bucket' ? { le: decimal(bound) } : role === 'quantile' ? { quantile: decimal(bound) } : {};
	return labelsFromObject({
		...attributeLabels(point.attributes),
		...scope.identity,
		...bounds,
		[METRIC_NAME]: scope.name + NAME_SUFFIX[role],
	});
}

/** Values of attributes that become the same label are joined by `;`, in the order of their keys. */
function attributeLabels(attributes: OtlpAttributes): Record<string, string> {
	const labels: Record<string, string> = Object.create(null);
	for (const [key, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
		if (key === '') continue;
		const label = prometheusLabel(key);
		const before = labels[label];
		labels[label] = before === undefined ? value : `${before};${value}`;
	}
	return labels;
}

/** A number without an exponent, as Prometheus writes bounds of OTLP histograms. */
export function decimal(value: number): string {
	const text = String(value);
	if (value === Infinity) return '+Inf';
	if (value === -Infinity) return '-Inf';
	const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
	if (match === null) return text;
	const [, sign = '', first = '', rest = '', exponent = '0'] = match;
	const digits = first + rest;
	const point = 1 + Number(exponent);
	if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
	return point >= digits.length ? sign + digits.padEnd(point, '0') : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
