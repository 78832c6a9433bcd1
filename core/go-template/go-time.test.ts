import { expect, test } from 'vitest';
import { GO_ZERO_TIME_MS, goDuration, goTime, inZone } from './go-time.ts';

const MOMENT = goTime(Date.UTC(2026, 10, 2, 7, 5, 9, 120));

test.each([
	['2006-01-02 15:04:05', '2026-11-02 07:05:09'],
	['Mon Jan _2 3:4:5pm 06 MST -07:00', 'Mon Nov  2 7:5:9am 26 UTC +00:00'],
	['Monday, January 2 03:04:05.000 PM Z07:00', 'Monday, November 2 07:05:09.120 AM Z'],
	['02/1/2006 .999 002 __2', '02/11/2026 .12 306 306'],
])('the layout %s', (layout, text) => {
	expect(MOMENT.Format(layout)).toBe(text);
});

test.each([
	['Asia/Shanghai', '2026-11-02 15:05 CST +0800'],
	['America/New_York', '2026-11-02 02:05 EST -0500'],
	['Asia/Kolkata', '2026-11-02 12:35 +0530 +0530'],
])('in the zone %s', (zone, text) => {
	expect(inZone(MOMENT, zone).Format('2006-01-02 15:04 MST -0700')).toBe(text);
});

test('arithmetic, comparison and what is printed are Go’s', () => {
	expect(MOMENT.Add(28800e9).Format('15:04')).toBe('15:05');
	expect(MOMENT.AddDate(0, 1, -1).Format('2006-01-02')).toBe('2026-12-01');
	expect(MOMENT.Sub(MOMENT.Add(-3_723_500_000_000)).String()).toBe('1h2m3.5s');
	expect([goDuration(0).String(), goDuration(-90_000).String(), goDuration(12).String()]).toEqual(['0s', '-1m30s', '12ms']);
	expect(goDuration(3_661_400).Round(1e9).String()).toBe('1h1m1s');
	expect([MOMENT.Before(MOMENT.Add(1e9)), MOMENT.After(MOMENT), MOMENT.Equal(inZone(MOMENT, 'Asia/Tokyo'))]).toEqual([true, false, true]);
	expect(MOMENT.String()).toBe('2026-11-02 07:05:09.12 +0000 UTC');
	expect([goTime(GO_ZERO_TIME_MS).String(), goTime(GO_ZERO_TIME_MS).IsZero()]).toEqual(['0001-01-01 00:00:00 +0000 UTC', true]);
	expect(() => MOMENT.Sub('now')).toThrow('no time');
});
