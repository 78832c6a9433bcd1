import { expect, test } from 'vitest';
import { configOrThrow, parseConfig } from '../core/config-file.ts';
import { CollectorConfigSchema, checkCollectorConfig } from './config.ts';
import { servicesOf } from './on-call-world.ts';

const TEXT = `
inventory:
  checks: [{ id: entrance }, { id: login }]
  services:
    - { id: mis, name: MIS, checks: [entrance, login] }
    - { id: gis, name: GIS, checks: [login] }`;
const config = configOrThrow(parseConfig(TEXT, { file: 'collector.yml', schema: CollectorConfigSchema, check: checkCollectorConfig }));

test.each([
	{ name: 'that name a service', labels: [{ alertname: 'Slow', service: 'gis' }], services: ['gis'] },
	{ name: 'that name a check', labels: [{ check: 'entrance' }], services: ['mis'] },
	{ name: 'that name a check of two services', labels: [{}, { check: 'login' }], services: ['mis', 'gis'] },
	{ name: 'of several alerts', labels: [{ service: 'gis' }, { check: 'entrance' }, { service: 'gis' }], services: ['mis', 'gis'] },
	{ name: 'that name what the inventory does not have', labels: [{ service: 'old', check: 'old' }], services: [] },
])('labels $name are about $services', ({ labels, services }) => {
	expect(servicesOf(labels, config)).toEqual(services);
});
