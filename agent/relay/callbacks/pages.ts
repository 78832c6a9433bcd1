/** Shown when the collector has not answered; both say so, because nothing is confirmed yet. */
export function awayPage(): string {
	return page('暂时无法打开', '内网服务暂时没有应答。请稍后重试，或直接致电值班台确认。');
}

export function arrivedPage(): string {
	return page('已收到，等待送达', '您的确认已保存，内网恢复应答后会自动送达。请稍后重新打开链接查看结果，紧急情况请直接致电值班台。');
}

function page(title: string, text: string): string {
	return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>四个九 · 事件确认</title>
<style>body{font:16px/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif;margin:0;background:#f3f5f8;color:#1b2733}main{max-width:560px;margin:0 auto;padding:24px 20px}h1{font-size:20px;color:#12355b}</style>
</head><body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`;
}
