/** What messages are written in. */
export type Language = 'zh-CN' | 'en';
