import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { AppError } from '../../core/errors.ts';

/** SHA-1 over the sorted parts, in hexadecimal: how WeChat signs what it sends. */
export function wechatSignature(parts: readonly string[]): string {
	return createHash('sha1')
		.update([...parts].sort().join(''))
		.digest('hex');
}

/**
 * The envelope of WeChat's callbacks (developer.work.weixin.qq.com, 加解密方案说明): AES-256-CBC with the key as source of the
 * IV, PKCS#7 to blocks of 32, and inside 16 random bytes, the length, the message and who it is for.
 */
export class WechatEnvelope {
	readonly #key: Buffer;
	readonly #receiver: string;

	/** Throws `FN_ALERTS_CALLBACK_KEY` when the key is not 43 characters of base64. */
	constructor(encodingAesKey: string, receiver: string) {
		this.#key = Buffer.from(`${encodingAesKey}=`, 'base64');
		this.#receiver = receiver;
		if (encodingAesKey.length !== 43 || this.#key.length !== 32) {
			throw new AppError(
				'FN_ALERTS_CALLBACK_KEY',
				'the EncodingAESKey of a channel must have 43 characters, as the console of WeChat Work shows it',
			);
		}
	}

	/** Throws `FN_ALERTS_CALLBACK_REFUSED` when it was not made with this key for this receiver. */
	open(encrypted: string): string {
		try {
			const decipher = createDecipheriv('aes-256-cbc', this.#key, this.#key.subarray(0, 16)).setAutoPadding(false);
			const padded = Buffer.concat([decipher.update(encrypted, 'base64'), decipher.final()]);
			const padding = padded.at(-1) ?? 0;
			const plain = padded.subarray(0, padded.length - padding);
			const length = plain.readUInt32BE(16);
			const message = plain.subarray(20, 20 + length);
			const receiver = plain.subarray(20 + length).toString('utf8');
			if (padding >= 1 && padding <= 32 && message.length === length && receiver === this.#receiver) return message.toString('utf8');
		} catch {
			// A wrong key and a wrong length look alike, and neither is to be told apart by whoever tries.
		}
		throw new AppError('FN_ALERTS_CALLBACK_REFUSED', 'a callback cannot be decrypted, or is meant for somebody else', { status: 403 });
	}

	seal(message: string): string {
		const body = Buffer.from(message, 'utf8');
		const length = Buffer.alloc(4);
		length.writeUInt32BE(body.length);
		const plain = Buffer.concat([randomBytes(16), length, body, Buffer.from(this.#receiver, 'utf8')]);
		const padding = 32 - (plain.length % 32);
		const cipher = createCipheriv('aes-256-cbc', this.#key, this.#key.subarray(0, 16)).setAutoPadding(false);
		return Buffer.concat([cipher.update(Buffer.concat([plain, Buffer.alloc(padding, padding)])), cipher.final()]).toString('base64');
	}
}

const TAG_NAME = /^[A-Za-z]+$/;

/** Text of the first element of this name, with or without CDATA; `''` when there is none. WeChat's messages are flat. */
export function xmlText(xml: string, name: string): string {
	if (!TAG_NAME.test(name)) return '';
	const found = new RegExp(`<${name}>(?:<!\\[CDATA\\[([\\s\\S]*?)\\]\\]>|([^<]*))</${name}>`).exec(xml);
	return found?.[1] ?? found?.[2] ?? '';
}
