import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';

const STUB_STATUS =
	/^Active connections:\s*([0-9]+)\s+server accepts handled requests\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)\s+Reading:\s*([0-9]+)\s+Writing:\s*([0-9]+)\s+Waiting:\s*([0-9]+)\s*$/;

/** The four lines of `ngx_http_stub_status_module`. Throws `FN_AGENT_SOURCE_FORMAT` for anything else. The request that reads the page is counted in it. */
export function parseStubStatus(text: string): readonly MetricFamily[] {
	const match = STUB_STATUS.exec(text);
	if (match === null) {
		throw new AppError('FN_AGENT_SOURCE_FORMAT', 'the answer is not a stub_status page; check that the location has "stub_status;"');
	}
	const [, active, accepted, handled, requests, reading, writing, waiting] = match.map(Number);
	const families = new FamilySet();
	families.gauge('nginx_up', 'Status of the last metric scrape.', 1);
	families.gauge('nginx_connections_active', 'Active client connections.', active ?? 0);
	families.counter('nginx_connections_accepted', 'Accepted client connections.', accepted ?? 0);
	families.counter('nginx_connections_handled', 'Handled client connections.', handled ?? 0);
	families.gauge('nginx_connections_reading', 'Connections where NGINX is reading the request header.', reading ?? 0);
	families.gauge('nginx_connections_writing', 'Connections where NGINX is writing the response back to the client.', writing ?? 0);
	families.gauge('nginx_connections_waiting', 'Idle client connections.', waiting ?? 0);
	families.counter('nginx_http_requests_total', 'Total http requests.', requests ?? 0);
	return families.list();
}
