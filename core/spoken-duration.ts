const UNITS = [
	{ seconds: 86_400, zh: '天', en: 'd' },
	{ seconds: 3600, zh: '小时', en: 'h' },
	{ seconds: 60, zh: '分', en: 'min' },
	{ seconds: 1, zh: '秒', en: 's' },
] as const;

/** Whole seconds as people say them, every unit that is not 0: `2 小时 30 分`, `2 h 30 min`. */
export function spokenSeconds(seconds: number, language: 'zh' | 'en'): string {
	let left = seconds;
	const parts: string[] = [];
	for (const unit of UNITS) {
		const count = Math.floor(left / unit.seconds);
		left -= count * unit.seconds;
		if (count > 0) parts.push(`${count} ${unit[language]}`);
	}
	return parts.length === 0 ? `0 ${UNITS[3][language]}` : parts.join(' ');
}

/** The seconds, and from a minute on how people say them: `9000 秒（2 小时 30 分）`. */
export function countedSeconds(seconds: number, language: 'zh' | 'en'): string {
	const counted = `${seconds} ${UNITS[3][language]}`;
	if (seconds < 60) return counted;
	return language === 'zh' ? `${counted}（${spokenSeconds(seconds, 'zh')}）` : `${counted} (${spokenSeconds(seconds, 'en')})`;
}
