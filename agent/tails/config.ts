import { type Static, Type } from 'typebox';

const LogKindSchema = Type.Union([
	Type.Literal('sshd'),
	Type.Literal('nginx-access'),
	Type.Literal('nginx-error'),
	Type.Literal('tomcat-access'),
	Type.Literal('catalina'),
	Type.Literal('plain'),
]);
export type LogKind = Static<typeof LogKindSchema>;

export const LogConfigSchema = Type.Object(
	{
		/** The file that the program writes to, for example `/var/log/auth.log`. */
		path: Type.String({ minLength: 1 }),
		/** How its lines are read; `sshd` also knows sudo, su and the account tools. */
		kind: LogKindSchema,
		/** Second half of the stream's name `<host>/<name>`; the file's name without its extension unless given. */
		name: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' })),
		encoding: Type.Union([Type.Literal('utf8'), Type.Literal('gb18030')], { default: 'utf8' }),
		/** Zone of times that carry none, for example `Asia/Shanghai`; the host's unless given. */
		time_zone: Type.Optional(Type.String({ minLength: 1 })),
		/** Where to begin with a file that was never followed: at its start, or only with what comes. */
		begin: Type.Union([Type.Literal('start'), Type.Literal('end')], { default: 'start' }),
	},
	{ additionalProperties: false },
);
export type LogConfig = Static<typeof LogConfigSchema>;
