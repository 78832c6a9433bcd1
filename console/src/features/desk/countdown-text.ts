/** `1:37`, `1:02:37`, `3 天 1:02`: what is left or over, as short as the eye needs it. */
export function countdownText(seconds: number, dayUnit: string): string {
	const whole = Math.max(0, Math.floor(seconds));
	const two = (value: number) => String(value).padStart(2, '0');
	const days = Math.floor(whole / 86_400);
	const hours = Math.floor((whole % 86_400) / 3600);
	const minutes = Math.floor((whole % 3600) / 60);
	if (days > 0) return `${days} ${dayUnit} ${hours}:${two(minutes)}`;
	if (hours > 0) return `${hours}:${two(minutes)}:${two(whole % 60)}`;
	return `${minutes}:${two(whole % 60)}`;
}
