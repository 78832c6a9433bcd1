/**
 * The shipped texts. A number after `cut` or `whole` says how early a part is given up when the channel's limit is near:
 * the highest goes first, what has none is the last to be touched.
 */

/** For every channel that reads lines: what, where, since when, how bad, what to do. */
export const MESSAGE_TEXT = [
	'{{title (print (word "open") (join " · " .Tag .Marks) (word "close")) (escape .Headline)}}',
	'{{line "" (escape .Clock)}}',
	'{{if .Text}}{{cut 2 (line "" (escape .Text))}}{{else}}',
	'{{range .Alerts}}{{if .SpelledOut}}',
	'{{if not $.Single}}{{cut 1 (line "" (print (word "open") .State (word "close") (escape .Summary)))}}{{end}}',
	'{{cut 1 (line (word "where") (escape .Where))}}',
	'{{if .Firing}}',
	'{{cut 1 (line (word "since") (print .Since (word "comma") (ongoing .Lasted)))}}',
	'{{cut 2 (line (word "level") .Severity)}}',
	'{{cut 3 (line (word "action") (escape .Action))}}',
	'{{cut 5 (line (word "detail") (escape .Detail))}}',
	'{{whole 4 (link (word "runbook") .RunbookURL)}}',
	'{{range .Consequences}}{{whole 6 (line (word "consequence") (escape .))}}{{end}}',
	'{{if .MoreConsequences}}{{line "" (more .MoreConsequences)}}{{end}}',
	'{{else}}',
	'{{cut 2 (line (word "since") .Since)}}',
	'{{cut 1 (line (word "ended") (print .Ended (word "comma") (word "lasted") " " .Lasted))}}',
	'{{end}}{{else}}',
	'{{if .Firing}}{{whole (add 10 .Rank) (line "" (print (word "open") .State (word "close") (escape (print .Summary " " .Where))))}}',
	'{{else}}{{whole (add 10 .Rank) (line "" (print (word "open") .State " " (word "lasted") " " .Lasted (word "close") (escape (print .Summary " " .Where))))}}{{end}}',
	'{{end}}{{end}}',
	'{{if .More}}{{more .More}}{{"\\n"}}{{end}}{{end}}',
	'{{with .Code}}{{line "" (take .)}}{{end}}',
	'{{link (word "takeLink") .AckURL}}',
	'{{range .Takes}}{{if .AckURL}}{{whole 1 (link (escape .Label) .AckURL)}}{{else}}{{cut 1 (line "" (escape .Label))}}{{end}}{{end}}',
	'{{if .MoreTakes}}{{line "" (more .MoreTakes)}}{{end}}',
	'{{with .OneCode}}{{line "" (take_one .)}}{{end}}',
	'{{whole 2 (link (word "takeList") .ListURL)}}',
	'{{word "number"}} {{.Number}} · {{.Time}}',
].join('');

/** Most urgent first, because a text is read on a locked screen: how bad, what, where, since when, what to do, number and clock. */
export const SMS_TEXT = [
	'[{{join " " .Tag .Marks}}]',
	'{{if .Text}}{{cut 2 .Text}}',
	// Which code stands for what must survive; how it is done is known after the first time.
	'{{else if .Takes}}{{.Headline}}{{range .Takes}}{{whole 1 (print (word "separator") .Code)}}{{cut 4 (print " " .What)}}{{end}}',
	'{{if .MoreTakes}}{{cut 6 (print (word "separator") (more .MoreTakes))}}{{end}}{{with .OneCode}}{{whole 5 (print (word "separator") (take_one .))}}{{end}}',
	'{{with .ListURL}}{{whole 5 (print (word "separator") .)}}{{end}}',
	'{{else if not .Single}}{{.Headline}}{{cut 3 (print (word "colon") .Names)}}{{if .Places}}{{cut 4 (print (word "separator") .Places)}}{{end}}',
	'{{else}}{{range .Alerts}}{{cut 1 .Summary}}',
	// Most summaries name their object already; a unit spent twice is one that the action lacks.
	'{{if and .Where (not (contains .Summary (index .Labels "instance")))}}{{cut 2 (print (word "separator") .Where)}}{{end}}',
	'{{if .Firing}}{{word "separator"}}{{.SinceShort}}{{word "from"}}',
	'{{if .Consequences}}{{cut 6 (print (word "separator") (affects .Consequences .MoreConsequences))}}{{end}}',
	'{{if .Action}}{{cut 5 (print (word "separator") (word "action") (word "colon") (trim_stop .Action))}}{{end}}',
	'{{else}}{{word "separator"}}{{word "lasted"}}{{word "gap"}}{{.Lasted}}{{end}}',
	'{{end}}{{end}}',
	'{{with .Clock}}{{word "separator"}}{{.}}{{end}}',
	'{{with .Code}}{{word "separator"}}{{take .}}{{end}}',
	'{{with .AckURL}}{{word "separator"}}{{.}}{{end}}',
	'{{word "separator"}}{{word "number"}}{{.Number}} {{.TimeShort}}',
].join('');

/** One line, where a channel has a title: the subject of a mail, the headline of a card. */
export const TITLE_TEXT = '{{.Tag}} {{.Headline}}';
