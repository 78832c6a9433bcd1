import { ExpositionError } from '../../protocol/exposition/parse-error.ts';
import { parseExposition } from './exposition-sink.ts';

const TEXT = `# HELP http_requests_total The "total" \\\\ number\\n of requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
# A comment
http_request_duration_seconds_bucket{le="+Inf"} 144320

rpc_duration_seconds{quantile="0.5",名="x"} NaN
`;

const OPENMETRICS = `# TYPE foo_seconds counter
# UNIT foo_seconds seconds
# HELP foo_seconds Some "help".
foo_seconds_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879606.1
foo_seconds_created{a="b"} 1520430000.123
# TYPE state stateset
state{state="on"} 1
state{state="off"} 0
# TYPE build info
build_info{version="1}\\"{"} 1
# EOF
`;

/**
 * Feeds the parser texts with changed, inserted, cut and doubled bytes. It may take or refuse them; it may neither throw anything else nor
 * see more samples than there are lines. Deterministic, so that a failure can be repeated. Returns how many were taken.
 */
export function expositionMutationRounds(rounds: number): number {
	let state = 4711;
	const random = (below: number) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return (state >> 8) % below;
	};
	let taken = 0;
	for (let round = 0; round < rounds; round++) {
		const format = round % 2 === 0 ? 'text' : 'openmetrics';
		const body = mutate([...new TextEncoder().encode(format === 'text' ? TEXT : OPENMETRICS)], random);
		try {
			const { samples } = parseExposition(body, format);
			if (samples.length > body.filter((byte) => byte === 0x0a).length + 1) throw new Error(`round ${round}: more samples than lines`);
			taken++;
		} catch (error) {
			// A value that is not UTF-8 is the sink's to refuse.
			if (!(error instanceof ExpositionError) && !(error instanceof TypeError)) throw error;
		}
	}
	return taken;
}

const INTERESTING = [...'{}"\\#,= \t\n\r\0_:+-.eE19'].map((char) => char.charCodeAt(0));

function mutate(body: number[], random: (below: number) => number): Uint8Array {
	for (let i = 1 + random(3); i > 0; i--) {
		const at = random(body.length + 1);
		const byte = random(2) === 0 ? (INTERESTING[random(INTERESTING.length)] as number) : random(256);
		switch (random(5)) {
			case 0:
				body.splice(at, 1, byte);
				break;
			case 1:
				body.splice(at, 0, byte);
				break;
			case 2:
				body.splice(at, random(30));
				break;
			case 3:
				body.splice(at, 0, ...body.slice(at, at + random(60)));
				break;
			default:
				if (random(4) === 0) body.length = at;
		}
	}
	return Uint8Array.from(body);
}
